import io

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from pixelift.errors import ImageReadError, TooManyPixelsError
from pixelift.image import decode
from pixelift.image.dihedral import transform
from pixelift.image.geometry import Size
from pixelift.image.source import open_picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(kind, mode="RGB", size=(7, 5), **options):
    stream = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def opened():
    """Hand out a function that opens bytes and keeps them open until the test ends."""
    contexts = []

    def enter(data):
        contexts.append(open_picture(data))
        return contexts[-1].__enter__()

    yield enter
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("JPEG", ("warning", "error")), ("PNG", ("error",)), ("WEBP", ("error",))],
)
def test_jpeg_alone_is_tried_twice(opened, kind, expected):
    assert decode.tries(opened(encoded(kind))) == expected


@pytest.mark.parametrize("access", ["sequential", "random"])
@pytest.mark.parametrize("from_path", [False, True])
def test_a_file_is_loaded_from_its_start_however_far_it_was_read(
    opened, access, from_path, tmp_path
):
    path = tmp_path / "a.png"
    path.write_bytes(encoded("PNG"))
    file = opened(path if from_path else path.read_bytes())
    file.stream.seek(20)
    with Image.open(path) as image:
        expected = np.asarray(image)
    for _ in range(2):
        loaded = decode.load(file, "error", access=access)
        assert np.array_equal(loaded.numpy(), expected)


def test_a_picture_of_as_many_pixels_as_allowed_passes(opened):
    file = opened(encoded("PNG"))
    image = decode.load(file, "error")
    decode.check_header(image, file, 35, decode.larger_limit)
    with pytest.raises(TooManyPixelsError) as caught:
        decode.check_header(image, file, 34, lambda size: f"Advice on {size}.")
    assert str(caught.value).endswith(
        "it is 7x5 = 1 megapixels; allowed are 3.4e-05. Advice on 7x5."
    )


def test_pages_are_refused(opened):
    file = opened(encoded("PNG"))
    image = decode.load(file, "error").copy()
    image.set_type(pyvips.GValue.gint_type, "n-pages", 3)
    with pytest.raises(ImageReadError, match="3 pages or frames"):
        decode.check_header(image, file, 35, decode.larger_limit)


def test_the_larger_limit_is_rounded_up_to_what_suffices():
    advice = decode.larger_limit(Size(1000, 1001))
    assert "--max-megapixels 2 " in advice
    assert "max_pixels=1001000)" in advice


@pytest.mark.parametrize(
    ("kind", "mode", "bands"),
    [
        ("PNG", "L", 1),
        ("PNG", "LA", 2),
        ("PNG", "RGB", 3),
        ("PNG", "RGBA", 4),
        ("PNG", "P", 3),
        ("TIFF", "CMYK", 3),
    ],
)
def test_every_kind_of_colour_becomes_grey_or_rgb(opened, kind, mode, bands):
    file = opened(encoded(kind, mode))
    result = decode.to_grey_or_rgb(decode.load(file, "error"), file)
    assert result.bands == bands
    assert result.format in decode.SAMPLES


def test_other_channels_and_samples_are_refused_with_what_is_allowed(opened):
    file = opened(encoded("PNG"))
    for wrong in (pyvips.Image.black(2, 2, bands=5), pyvips.Image.black(2, 2).cast("int")):
        with pytest.raises(ImageReadError, match=f"{wrong.bands} channels of type {wrong.format}"):
            decode.to_grey_or_rgb(wrong, file)


@pytest.mark.parametrize("bits", [10, 12])
def test_black_and_white_of_avif_fill_the_range(opened, bits):
    file = opened(encoded("AVIF"))
    levels = np.arange(1 << bits)
    stored = (levels << (16 - bits)).astype(np.uint16)
    wide = decode.white_at_top(stored, bits, file)
    assert (wide[0], wide[-1]) == (0, 65535)
    assert np.abs(wide - levels * 65535 / (2**bits - 1)).max() < 1


def test_samples_that_fill_their_range_are_handed_back(opened):
    deep, usual = np.zeros((1, 1, 1), np.uint16), np.zeros((1, 1, 1), np.uint8)
    avif, png = opened(encoded("AVIF")), opened(encoded("PNG"))
    assert decode.white_at_top(usual, 8, avif) is usual
    assert decode.white_at_top(deep, 16, avif) is deep
    assert decode.white_at_top(deep, 12, png) is deep


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_overshoot_is_clipped_to_float32(opened, dtype):
    checked = decode.checked_floats(np.array([-1, 0.25, 2], dtype), opened(encoded("TIFF")))
    assert checked.dtype == np.float32
    assert checked.tolist() == [0, 0.25, 1]


@pytest.mark.parametrize("wrong", [-1.01, 2.01, np.nan, np.inf, -np.inf])
def test_another_range_is_refused(opened, wrong):
    with pytest.raises(ImageReadError, match=r"allowed is 0 to 1. Divide them by their white"):
        decode.checked_floats(np.array([0, wrong]), opened(encoded("TIFF")))


@pytest.mark.parametrize(
    ("kind", "mode", "expected"),
    [
        ("PNG", "RGB", False),
        ("PNG", "P", True),
        ("JPEG", "RGB", False),
        ("WEBP", "RGB", True),
        ("GIF", "L", True),
    ],
)
def test_equal_channels_stand_for_grey_where_a_file_has_no_other_way(opened, kind, mode, expected):
    file = opened(encoded(kind, mode))
    assert decode.says_no_grey(decode.load(file, "error"), file) is expected


def test_one_differing_sample_is_colour():
    grey = np.arange(12, dtype=np.uint8).reshape(4, 3, 1).repeat(3, axis=2)
    assert decode.is_neutral(grey)
    for place in ((0, 0, 0), (0, 2, 1), (3, 2, 2)):
        coloured = grey.copy()
        coloured[place] += 1
        assert not decode.is_neutral(coloured)


@pytest.mark.parametrize("orientation", [0, *range(1, 10)])
def test_the_turn_undoes_the_orientation(opened, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    file = opened(encoded("PNG", exif=exif))
    turn = decode.turn_of(decode.load(file, "error"))
    stored = np.arange(35).reshape(5, 7, 1)
    upright = {
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: np.rot90(stored, 2).swapaxes(0, 1),
        8: np.rot90(stored),
    }
    assert np.array_equal(transform(stored, turn), upright.get(orientation, stored))


def test_a_profile_is_taken_where_it_fits(opened):
    image = decode.load(opened(encoded("PNG", icc_profile=SRGB)), "error")
    assert decode.fitting_icc(image, 3) == SRGB
    assert decode.fitting_icc(image, 1) is None
    assert decode.fitting_icc(image.copy(interpretation="cmyk"), 3) is None
    assert decode.fitting_icc(decode.load(opened(encoded("PNG")), "error"), 3) is None


def test_exif_is_handed_out_where_there_is_some(opened):
    exif = Image.Exif()
    exif[0x10F] = "Camera"
    block = decode.exif_of(decode.load(opened(encoded("PNG", exif=exif)), "error"))
    assert b"Camera" in block
    assert decode.exif_of(decode.load(opened(encoded("PNG")), "error")) is None


@pytest.mark.parametrize("turn", range(8))
def test_resolution_turns_with_the_picture(opened, turn):
    file = opened(encoded("JPEG", dpi=(300, 150)))
    assert decode.dpi_of(file, None, turn) == ((150, 300) if turn & 4 else (300, 150))


def test_a_file_without_resolution_has_none(opened):
    assert decode.dpi_of(opened(encoded("PNG")), None, 4) is None


def test_a_field_that_is_not_there_is_the_default(opened):
    image = decode.load(opened(encoded("PNG")), "error")
    assert decode.field(image, "width", 1) == 7
    assert decode.field(image, "no-such-field", 42) == 42


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("\n  libspng read error \nmore\n", "libspng read error"),
        ("heif: bad seek to 99\nheif: bad seek to 7", "its end is missing"),
        ("heif: bad seek to 99\nInvalid input", "Invalid input"),
        ("", "its header is wrong"),
    ],
)
def test_damage_is_told_in_one_line_by_the_first_words_that_tell(opened, detail, reason):
    error = pyvips.Error("unable to load")
    error.detail = detail
    message = str(decode.undecodable(opened(encoded("PNG")), error))
    assert "damaged" in message
    assert reason in message
    assert "\n" not in message
    assert "more" not in message
