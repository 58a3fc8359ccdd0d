import io
import threading

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.image.encode import FULL_CHROMA_QUALITY, encode, sample_type
from pixelift.image.formats import FORMATS, WRITABLE
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture
from pixelift.image.rows import Header, Rows

NAMES = [fmt.name for fmt in WRITABLE]


def encoded(samples, name, *, heights=(), quality=None, has_alpha=False, **fields):
    height, width, bands = samples.shape
    header = Header(Size(height, width), bands - has_alpha, has_alpha=has_alpha, **fields)
    rows = Rows(header, iter(np.split(samples, np.cumsum(heights, dtype=int))))
    target = pyvips.Target.new_to_memory()
    encode(rows, FORMATS[name], target, quality=quality)
    return bytes(target.get("blob"))


def threads():
    return [t for t in threading.enumerate() if t.name == "pixelift-encode"]


@pytest.mark.parametrize(
    ("name", "depth", "expected"),
    [
        ("png", 8, np.uint8),
        ("png", 16, np.uint16),
        ("png", 32, np.uint16),
        ("tiff", 32, np.float32),
        ("jpeg", 16, np.uint8),
        ("webp", 32, np.uint8),
        ("avif", 8, np.uint8),
        ("avif", 16, np.uint16),
    ],
)
def test_samples_are_of_the_deepest_type_that_the_format_can_hold(name, depth, expected):
    header = Header(Size(1, 1), 3, depth=depth)
    assert sample_type(header, FORMATS[name]) == expected


@pytest.mark.parametrize("name", NAMES)
def test_what_is_laid_on_white_is_given_as_floats(name):
    header = Header(Size(1, 1), 3, has_alpha=True)
    assert sample_type(header, FORMATS[name]) == (np.float32 if name == "jpeg" else np.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_the_bytes_do_not_depend_on_how_the_rows_come(rng, name, has_alpha):
    samples = rng.integers(0, 256, (41, 23, 3 + has_alpha), dtype=np.uint8)
    whole = encoded(samples, name, has_alpha=has_alpha)
    for heights in ([1] * 40, [16, 16], [3, 30]):
        assert encoded(samples, name, heights=heights, has_alpha=has_alpha) == whole


@pytest.mark.parametrize("name", ["png", "tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_integers_are_written_as_they_are(rng, name, dtype, bands):
    top = np.iinfo(dtype).max
    samples = rng.integers(0, top + 1, (9, 7, bands)).astype(dtype)
    data = encoded(
        samples, name, heights=[4], has_alpha=bands in (2, 4), depth=8 * samples.itemsize
    )
    picture = read_picture(data)
    assert picture.depth == 8 * samples.itemsize
    channels = picture.pixels.shape[2]
    assert np.array_equal(np.rint(picture.pixels * top), samples[..., :channels])
    if bands in (2, 4):
        assert np.array_equal(np.rint(picture.alpha * top), samples[..., -1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bands", [1, 3])
def test_one_pixel_is_a_picture_in_every_format(name, bands):
    picture = read_picture(encoded(np.full((1, 1, bands), 200, np.uint8), name))
    assert picture.size == Size(1, 1)
    assert np.abs(picture.pixels * 255 - 200).max() <= 2


def test_see_through_grey_is_laid_on_white_in_jpeg():
    samples = np.zeros((8, 24, 2), np.uint16)
    samples[:, 8:16, 1], samples[:, 16:, 1] = 32768, 65535
    data = encoded(samples, "jpeg", quality=100, has_alpha=True, depth=16)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "L"
        assert np.abs(np.asarray(image)[4, [4, 12, 20]] - [255.0, 127.5, 0.0]).max() <= 1.5


@pytest.mark.parametrize("name", ["jpeg", "avif"])
def test_colour_is_kept_fine_from_a_certain_quality_on(name):
    # Thin lines of red and blue, of about the same brightness.
    samples = np.zeros((32, 32, 3), np.uint8)
    samples[:, ::2, 0], samples[:, 1::2, 2] = 120, 250
    fine, coarse = (
        read_picture(encoded(samples, name, quality=quality)).pixels * 255
        for quality in (FULL_CHROMA_QUALITY, FULL_CHROMA_QUALITY - 1)
    )
    assert np.abs(fine - samples).mean() < np.abs(coarse - samples).mean() / 3


@pytest.mark.parametrize("name", ["png", "tiff"])
def test_quality_changes_nothing_where_nothing_is_lost(rng, name):
    samples = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    assert encoded(samples, name, quality=5) == encoded(samples, name)


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif"])
def test_no_quality_is_the_usual_one_of_the_format(rng, name):
    samples = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    usual = FORMATS[name].default_quality
    assert encoded(samples, name) == encoded(samples, name, quality=usual)


def test_rows_are_made_in_the_thread_of_the_caller_and_no_more_than_are_encoded():
    makers, made = set(), []

    def bands():
        for n in range(30):
            makers.add(threading.current_thread())
            made.append(n)
            yield np.full((8, 6, 3), n, np.uint8)

    target = pyvips.Target.new_to_memory()
    rows = Rows(Header(Size(240, 6), 3), bands())
    encode(rows, FORMATS["png"], target, quality=None)
    assert makers == {threading.current_thread()}
    assert len(made) == 30
    assert threads() == []


@pytest.mark.parametrize("problem", [ValueError("no more memory"), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["png", "webp"])
def test_what_goes_wrong_where_rows_are_made_is_raised_as_it_is(name, problem):
    def bands():
        yield np.zeros((8, 6, 3), np.uint8)
        raise problem

    rows = Rows(Header(Size(240, 6), 3), bands())
    with pytest.raises(type(problem)) as caught:
        encode(rows, FORMATS[name], pyvips.Target.new_to_memory(), quality=None)
    assert caught.value is problem
    assert threads() == []


@pytest.mark.parametrize("name", NAMES)
def test_a_target_that_takes_no_more_stops_the_rows(name, rng):
    made = []

    def bands():
        for n in range(64):
            made.append(n)
            yield rng.integers(0, 256, (16, 64, 3), dtype=np.uint8)

    target = pyvips.TargetCustom()
    target.on_write(lambda _: -1)
    with pytest.raises(pyvips.Error):
        encode(Rows(Header(Size(1024, 64), 3), bands()), FORMATS[name], target, quality=None)
    # What is encoded from top to bottom must not go on to the end in vain.
    assert len(made) < 64 or not FORMATS[name].streams or name == "tiff"
    assert threads() == []


def test_a_picture_whose_rows_end_too_early_is_an_error():
    rows = Rows(Header(Size(99, 6), 3), iter([np.zeros((50, 6, 3), np.uint8)]))
    with pytest.raises(pyvips.Error):
        encode(rows, FORMATS["png"], pyvips.Target.new_to_memory(), quality=None)
