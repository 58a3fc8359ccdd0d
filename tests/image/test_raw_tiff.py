import gc

import numpy as np
import pytest
import pyvips

from pixelift.image.geometry import Size
from pixelift.image.raw_tiff import RawTiff

TYPES = [np.uint8, np.uint16, np.float32]


def draw(rng, shape, dtype):
    if dtype == np.float32:
        return rng.random(shape, np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def asker(bands):
    """Hand out bands one by one, then None; and a list of what has been asked for."""
    left, asked = iter(bands), []

    def ask():
        band = next(left, None)
        asked.append(None if band is None else len(band))
        return band

    return ask, asked


def raw_tiff(samples, heights=()):
    height, width, bands = samples.shape
    ask, asked = asker(np.split(samples, np.cumsum(heights, dtype=int)))
    return RawTiff(Size(height, width), bands=bands, dtype=samples.dtype, ask=ask), asked


def pixels_of(raw, dtype):
    image = raw.open()
    flat = np.frombuffer(image.write_to_memory(), dtype)
    return flat.reshape(image.height, image.width, image.bands)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("side", [(1, 1), (1, 9), (9, 1), (13, 7)])
def test_libvips_sees_the_rows_that_were_made(rng, side, bands, dtype):
    samples = draw(rng, (*side, bands), dtype)
    raw, _ = raw_tiff(samples)
    assert np.array_equal(pixels_of(raw, dtype), samples)


@pytest.mark.parametrize("heights", [[1] * 39, [7, 20], [39], [3, 3, 3]])
def test_bands_may_be_of_any_height(rng, heights):
    samples = draw(rng, (40, 11, 3), np.uint16)
    raw, _ = raw_tiff(samples, heights)
    assert np.array_equal(pixels_of(raw, np.uint16), samples)


@pytest.mark.parametrize("heights", [[], [100, 1, 250], [64] * 10])
def test_pictures_of_several_strips_come_through(rng, heights):
    # Rows of 3000 bytes: a strip of a megabyte holds 349 of them.
    samples = draw(rng, (720, 1000, 3), np.uint8)
    raw, _ = raw_tiff(samples, heights)
    assert np.array_equal(pixels_of(raw, np.uint8), samples)


def test_one_row_may_be_longer_than_a_strip(rng):
    samples = draw(rng, (2, 100_000, 3), np.float32)
    raw, _ = raw_tiff(samples, [1])
    assert np.array_equal(pixels_of(raw, np.float32), samples)


def test_rows_that_do_not_lie_together_in_memory_are_read_right(rng):
    samples = draw(rng, (6, 10, 4), np.uint8)
    raw, _ = raw_tiff(samples[:, ::2, 1:])
    assert np.array_equal(pixels_of(raw, np.uint8), samples[:, ::2, 1:])


@pytest.mark.parametrize(
    ("bands", "dtype", "format", "interpretation"),
    [
        (1, np.uint8, "uchar", "b-w"),
        (2, np.uint16, "ushort", "grey16"),
        (3, np.uint16, "ushort", "rgb16"),
        (4, np.uint8, "uchar", "srgb"),
        (3, np.float32, "float", None),
    ],
)
def test_opening_tells_the_kind_of_picture_before_any_row(bands, dtype, format, interpretation):
    ask, asked = asker([])
    raw = RawTiff(Size(5, 8), bands=bands, dtype=np.dtype(dtype), ask=ask)
    image = raw.open()
    assert (image.width, image.height, image.bands) == (8, 5, bands)
    assert image.format == format
    assert image.hasalpha() == (bands in (2, 4))
    if interpretation is not None:
        assert image.interpretation == interpretation
    assert asked == []


def test_rows_are_asked_for_once_and_no_more_than_there_are(rng):
    samples = draw(rng, (720, 1000, 3), np.uint8)
    raw, asked = raw_tiff(samples, [300, 300])
    pixels_of(raw, np.uint8)
    assert asked == [300, 300, 120]


def test_rows_are_asked_for_while_the_picture_is_read(rng):
    samples = draw(rng, (2000, 1000, 3), np.uint8)
    raw, asked = raw_tiff(samples, [100] * 19)
    region = pyvips.Region.new(raw.open())
    region.fetch(0, 0, 1000, 16)
    # The first strip alone: 349 rows.
    assert 0 < len(asked) <= 8


@pytest.mark.parametrize("heights", [[], [3], [3, 3]])
def test_rows_that_end_too_early_are_a_file_that_is_cut_short(rng, heights):
    there = draw(rng, (sum(heights), 6, 3), np.uint8)
    ask, asked = asker(np.split(there, np.cumsum(heights, dtype=int))[:-1] if heights else [])
    raw = RawTiff(Size(7, 6), bands=3, dtype=np.dtype(np.uint8), ask=ask)
    with pytest.raises(pyvips.Error):
        raw.open().write_to_memory()
    assert asked[-1] is None


def test_the_picture_survives_a_collection_of_garbage_while_the_object_is_held(rng):
    samples = draw(rng, (40, 30, 3), np.uint8)
    raw, _ = raw_tiff(samples, [10, 10])
    image = raw.open()
    gc.collect()
    assert np.array_equal(np.frombuffer(image.write_to_memory(), np.uint8), samples.ravel())


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_it_can_be_saved_as_another_tiff(rng, bands, dtype):
    samples = draw(rng, (21, 9, bands), dtype)
    raw, _ = raw_tiff(samples, [8, 8])
    data = raw.open().write_to_buffer(".tif", compression="deflate")
    again = pyvips.Image.new_from_buffer(data, "")
    assert np.array_equal(again.numpy().reshape(samples.shape), samples)
