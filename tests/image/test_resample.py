import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.resample import resize_rows
from pixelift.image.resize import resize_bicubic
from pixelift.image.rows import Header, Rows, collect, gather, picture_rows

F32 = np.dtype(np.float32)


def resized(array, height, width, dtype=F32):
    picture = Picture(array.astype(np.float32))
    return gather(resize_rows(picture_rows(picture), Size(height, width), dtype), dtype)


@given(st.integers(1, 90), st.integers(1, 90), st.data())
def test_an_even_picture_stays_even_at_any_size(height, width, data):
    small = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    result = resized(np.full((height, width, 1), 0.25), *small)
    assert result.shape == (*small, 1)
    assert np.abs(result - 0.25).max() < 1e-6


def test_a_ramp_stays_where_it_is():
    ramp = np.broadcast_to((np.arange(100) + 0.5)[:, None, None] / 100, (100, 5, 3))
    result = resized(ramp, 80, 4)
    expected = (np.arange(80) + 0.5) / 80
    assert np.abs(result[6:-6, 2, 0] - expected[6:-6]).max() < 2e-4


def test_it_is_sharper_than_bicubic_and_close_to_it(rng):
    smooth = resize_bicubic(rng.random((30, 30, 3), np.float32), Size(150, 150)).clip(0, 1)
    ours, other = resized(smooth, 125, 125), resize_bicubic(smooth, Size(125, 125))
    assert 0 < np.abs(ours - other).max() < 0.03


def test_stripes_finer_than_the_result_become_grey_and_no_moire():
    stripes = np.broadcast_to((np.arange(128) % 2)[None, :, None], (8, 128, 1))
    assert np.abs(resized(stripes, 8, 50)[:, 4:-4] - 0.5).max() < 0.02


@pytest.mark.parametrize("heights", [(1, 5, 94), (50, 50), (100,)])
def test_how_rows_arrive_makes_no_difference(rng, heights):
    whole = rng.random((100, 33, 3), np.float32)
    bands = iter(np.split(whole, np.cumsum(heights)[:-1]))
    rows = Rows(Header(Size(100, 33), 3), bands)
    result = gather(resize_rows(rows, Size(71, 20), F32), F32)
    assert np.allclose(result, resized(whole, 71, 20), atol=1e-6)


def test_hidden_colours_are_not_mixed_in():
    pixels = np.ones((40, 40, 3), np.float32)
    alpha = np.ones((40, 40), np.float32)
    pixels[:, 20:], alpha[:, 20:] = 0, 0
    rows = resize_rows(picture_rows(Picture(pixels, alpha)), Size(30, 30), F32)
    result = collect(rows)
    assert result.pixels[result.alpha > 0.01].min() > 0.98
    assert result.alpha[15, 0] == pytest.approx(1, abs=1e-5)
    assert result.alpha[15, 29] == pytest.approx(0, abs=1e-5)
