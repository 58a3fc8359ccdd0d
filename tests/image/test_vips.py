import pytest
import pyvips

from pixelift.image.vips import operate


def noted():
    return pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()).decode()


@pytest.fixture
def image():
    """Hand out a picture, and leave a note of libvips behind, as another thread may have."""
    image = pyvips.Image.black(4, 4)
    pyvips.vips_lib.vips_error_clear()
    image._get_pspec("another")
    yield image
    pyvips.vips_lib.vips_error_clear()


def test_an_operation_neither_adds_to_what_libvips_noted_nor_takes_it_away(image):
    before = noted()
    assert "another" in before
    turned = operate("flip", operate("copy", image, interpretation="b-w"), "vertical")
    assert operate("pngsave_buffer", turned).startswith(b"\x89PNG")
    assert noted() == before


def test_the_way_that_it_replaces_does(image):
    assert image.rot("d90").width == 4
    assert noted() == ""


def test_a_failure_is_raised(image):
    with pytest.raises(pyvips.Error, match="unable to call extract_band"):
        operate("extract_band", image, 7)
