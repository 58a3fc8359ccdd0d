import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.errors import ShapeError
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.rows import (
    BAND_ROWS,
    Header,
    Rows,
    Window,
    as_type,
    collect,
    gather,
    picture_rows,
)

U8, U16, F32 = (np.dtype(t) for t in (np.uint8, np.uint16, np.float32))


def make(rng, *, height=9, width=5, channels=3, alpha=False, **fields):
    pixels = rng.random((height, width, channels), np.float32)
    return Picture(pixels, rng.random((height, width), np.float32) if alpha else None, **fields)


def cut(samples, heights):
    """Cut samples into bands of these heights; the last one takes what is left."""
    return np.split(samples, np.cumsum(heights))


def test_the_header_says_what_the_picture_says(rng):
    fields = {"depth": 16, "icc": b"profile", "exif": b"Exif\0\0", "dpi": (300.0, 150.0)}
    header = Header.of(make(rng, channels=1, alpha=True, format="png", **fields))
    assert header == Header(Size(9, 5), 1, has_alpha=True, format="png", **fields)


@pytest.mark.parametrize(
    ("channels", "alpha", "bands"), [(1, False, 1), (1, True, 2), (3, False, 3), (3, True, 4)]
)
def test_bands_count_the_alpha_and_channels_do_not(rng, channels, alpha, bands):
    picture = make(rng, channels=channels, alpha=alpha)
    header = Header.of(picture)
    assert (header.channels, header.bands) == (channels, bands)
    assert [band.shape for band in picture_rows(picture).bands] == [(9, 5, bands)]


def test_a_resized_header_differs_in_its_size_alone(rng):
    header = Header.of(make(rng, alpha=True, depth=16, dpi=(72.0, 72.0), format="tiff"))
    resized = header.resized(Size(90, 50))
    assert resized.size == Size(90, 50)
    assert resized.resized(Size(9, 5)) == header


@pytest.mark.parametrize("height", [1, BAND_ROWS - 1, BAND_ROWS, BAND_ROWS + 1, 2 * BAND_ROWS])
@pytest.mark.parametrize("alpha", [False, True])
def test_a_picture_comes_back_from_its_rows(rng, height, alpha):
    picture = make(rng, height=height, width=3, alpha=alpha, depth=16, icc=b"i", format="webp")
    again = collect(picture_rows(picture))
    assert np.array_equal(again.pixels, picture.pixels)
    assert np.array_equal(again.alpha, picture.alpha) if alpha else again.alpha is None
    assert again.pixels.flags.c_contiguous
    assert Header.of(again) == Header.of(picture)


def test_no_more_than_a_band_of_a_picture_is_handed_on_at_once(rng):
    rows = picture_rows(make(rng, height=2 * BAND_ROWS + 7, width=1, alpha=True))
    assert [len(band) for band in rows.bands] == [BAND_ROWS, BAND_ROWS, 7]


@pytest.mark.parametrize("dtype", [U8, U16])
def test_samples_of_a_file_become_a_picture_of_floats(rng, dtype):
    top = np.iinfo(dtype).max
    samples = rng.integers(0, top + 1, (7, 4, 2)).astype(dtype)
    header = Header(Size(7, 4), 1, has_alpha=True, depth=8 * dtype.itemsize)
    picture = collect(Rows(header, iter(cut(samples, [1, 4]))))
    assert picture.pixels.dtype == picture.alpha.dtype == F32
    assert picture.depth == 8 * dtype.itemsize
    assert picture.pixels[..., 0] == pytest.approx(samples[..., 0] / top, abs=1e-7)
    assert picture.alpha == pytest.approx(samples[..., 1] / top, abs=1e-7)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_bands_of_any_heights_are_gathered_in_order(heights):
    height = sum(heights)
    samples = np.arange(height * 6, dtype=np.uint16).reshape(height, 2, 3)
    rows = Rows(Header(Size(height, 2), 3), iter(cut(samples, heights[:-1])))
    assert np.array_equal(gather(rows, U16), samples)


def test_gathered_samples_are_of_the_type_that_is_asked_for(rng):
    picture = make(rng, alpha=True)
    straight = np.concatenate([picture.pixels, picture.alpha[..., None]], axis=2)
    for dtype in (U8, U16, F32):
        samples = gather(picture_rows(picture), dtype)
        assert samples.dtype == dtype
        assert np.array_equal(samples, as_type(straight, dtype))


def test_bands_of_several_types_may_be_mixed():
    bands = [np.full((1, 1, 1), value) for value in (np.uint8(255), np.uint16(0), np.float32(0.5))]
    rows = Rows(Header(Size(3, 1), 1), iter(bands))
    assert gather(rows, U8).ravel().tolist() == [255, 0, 128]


@pytest.mark.parametrize("dtype", [U8, U16, F32])
def test_samples_of_the_right_type_are_not_copied(dtype):
    samples = np.zeros((2, 2, 1), dtype)
    assert as_type(samples, dtype) is samples


def test_every_8_bit_level_survives_the_way_through_deeper_samples():
    samples = np.arange(256, dtype=np.uint8)
    for dtype in (U16, F32):
        assert np.array_equal(as_type(as_type(samples, dtype), U8), samples)
    assert as_type(samples, U16).tolist() == [257 * n for n in range(256)]


def test_16_bits_are_rounded_to_8_and_not_cut():
    samples = np.array([0, 128, 129, 257, 65406, 65407, 65535], np.uint16)
    assert as_type(samples, U8).tolist() == [0, 0, 1, 1, 254, 255, 255]


def test_floats_beyond_the_range_are_clipped():
    assert as_type(np.array([-1, 2], np.float32), U16).tolist() == [0, 65535]


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_another_type_of_samples_is_refused(dtype):
    with pytest.raises(ShapeError, match=rf"samples of {np.dtype(dtype)} are asked for; allowed"):
        as_type(np.zeros((1, 1, 1), np.uint8), np.dtype(dtype))


PICTURE = np.arange(24 * 2 * 3).reshape(24, 2, 3).astype(np.uint8)


@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 7), max_size=4),
    st.lists(st.tuples(st.integers(0, 23), st.integers(1, 24)), min_size=1, max_size=6),
)
def test_a_window_shows_the_same_rows_however_they_come(heights, stretches):
    window = Window(cut(PICTURE, [h for n, h in enumerate(heights) if sum(heights[: n + 1]) < 24]))
    for top, height in sorted(stretches):
        bottom = min(24, top + height)
        assert np.array_equal(window.rows(top, bottom), PICTURE[top:bottom])


def test_a_window_takes_no_band_before_it_is_needed():
    taken = []

    def bands():
        for top in range(0, 24, 4):
            taken.append(top)
            yield PICTURE[top : top + 4]

    window = Window(bands())
    assert taken == []
    window.rows(0, 4)
    assert taken == [0]
    window.rows(3, 9)
    assert taken == [0, 4, 8]


def test_rows_within_one_band_are_not_copied():
    assert np.shares_memory(Window([PICTURE]).rows(3, 8), PICTURE)


def test_rows_that_have_passed_by_are_refused():
    window = Window(cut(PICTURE, [4, 4, 4]))
    window.rows(9, 10)
    # What shares a band with rows that are still held is there; what lies above is not.
    assert np.array_equal(window.rows(8, 10), PICTURE[8:10])
    with pytest.raises(ValueError, match="row 7 is asked for and 8 rows have passed by"):
        window.rows(7, 10)


def test_rows_below_the_picture_are_refused():
    with pytest.raises(ValueError, match="rows 20 to 25 of a picture of 24 rows"):
        Window(cut(PICTURE, [10])).rows(20, 25)
