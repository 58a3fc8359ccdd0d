import io

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import collect


def as_bytes(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def noise(rng, mode="RGB", size=(37, 61)):
    samples = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(samples).convert(mode)


def assert_same(data):
    whole = read_picture(data)
    with open_rows(data) as rows:
        header = rows.header
        assert header.size == whole.size
        passed = collect(rows)
    assert np.array_equal(passed.pixels, whole.pixels)
    assert (passed.alpha is None) == (whole.alpha is None)
    assert whole.alpha is None or np.array_equal(passed.alpha, whole.alpha)
    for name in ("depth", "icc", "exif", "dpi", "format"):
        assert getattr(passed, name) == getattr(whole, name)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rows_are_those_of_the_upright_picture(rng, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    assert_same(as_bytes(noise(rng), "JPEG", exif=exif, dpi=(300, 200)))


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "JPEG"),
        ("L", "WEBP"),
        ("RGBA", "WEBP"),
        ("RGB", "AVIF"),
        ("RGB", "GIF"),
        ("L", "TIFF"),
    ],
)
def test_rows_are_those_of_the_whole_picture_of_every_kind(rng, mode, format):
    image = noise(rng, "RGB" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (50, 30)).astype(np.uint16))
    assert_same(as_bytes(image, format))


def test_floats_are_clipped_or_refused_as_in_the_whole_picture(rng):
    assert_same(as_bytes(Image.fromarray(rng.random((40, 9), np.float32) * 1.2), "TIFF"))
    bad = np.zeros((100, 4), np.float32)
    bad[90] = 300
    with (
        open_rows(as_bytes(Image.fromarray(bad), "TIFF")) as rows,
        pytest.raises(ImageReadError, match="float values run from"),
    ):
        collect(rows)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_short_is_refused_by_its_last_row_at_the_latest(rng, format, share):
    data = as_bytes(noise(rng, size=(300, 400)), format)
    with pytest.raises(ImageReadError), open_rows(data[: int(len(data) * share)]) as rows:
        collect(rows)


def test_an_oddity_that_loses_no_pixel_is_overlooked_in_the_middle_too(rng):
    data = as_bytes(noise(rng, size=(200, 300)), "JPEG", restart_marker_rows=1)
    middle = data.index(b"\xff\xd3", len(data) // 2)
    odd = data[:middle] + b"\0\0" + data[middle:]  # bytes before a marker: libjpeg warns
    assert_same(odd)


def test_too_large_a_picture_is_refused_before_a_pixel_is_decoded(rng):
    data = as_bytes(noise(rng), "PNG")
    with (
        pytest.raises(ImageReadError, match=r"allowed are 0\.002"),
        open_rows(data, max_pixels=2000),
    ):
        pass
