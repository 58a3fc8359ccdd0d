import numpy as np
import pytest

from pixelift.image.geometry import Size
from pixelift.image.rows import Header, Rows, gather
from pixelift.image.soften import MOST, soften_rows

TYPES = [np.uint8, np.uint16, np.float32]


def picture(rng, dtype, height=150, width=37, channels=3):
    if dtype == np.float32:
        return rng.random((height, width, channels), np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


def soften(samples, share, *, bands=None, has_alpha=False):
    height, width, channels = samples.shape
    header = Header(Size(height, width), channels - has_alpha, has_alpha=has_alpha)
    parts = [samples] if bands is None else np.split(samples, bands)
    return gather(soften_rows(Rows(header, iter(parts)), share), samples.dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("share", [0.05, 0.1, MOST])
def test_each_pixel_gives_a_share_to_its_neighbours(rng, dtype, share):
    samples = picture(rng, dtype)
    part = round(share * 256) / 256
    padded = np.pad(samples.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="symmetric")
    rows = (1 - 2 * part) * padded[1:-1] + part * (padded[:-2] + padded[2:])
    expected = (1 - 2 * part) * rows[:, 1:-1] + part * (rows[:, :-2] + rows[:, 2:])
    result = soften(samples, share)
    assert result.dtype == dtype
    if dtype == np.float32:
        assert np.abs(result - expected).max() < 1e-6
    else:
        assert (result == np.floor(expected + 0.5)).all()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_it_does_not_matter_how_the_rows_come(rng, dtype, has_alpha):
    samples = picture(rng, dtype, channels=4)
    whole = soften(samples, 0.1, has_alpha=has_alpha)
    assert (soften(samples, 0.1, bands=[1, 2, 65, 149], has_alpha=has_alpha) == whole).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (64, 2), (65, 3)])
def test_small_pictures_keep_their_size(rng, shape):
    samples = picture(rng, np.uint8, *shape)
    assert soften(samples, 0.1).shape == samples.shape


@pytest.mark.parametrize("dtype", TYPES)
def test_a_plain_colour_and_no_share_change_nothing(rng, dtype):
    plain = np.broadcast_to(picture(rng, dtype, 1, 1), (20, 30, 3))
    assert np.allclose(soften(plain, 0.15), plain, rtol=1e-6, atol=0)
    samples = picture(rng, dtype)
    assert soften(samples, 0) is samples


def test_the_finest_stripes_keep_what_the_share_leaves_them():
    stripes = np.tile(np.float32([0, 1]), (8, 20))[..., None]
    soft = soften(stripes, 0.125)[4, 4:-4, 0]
    assert np.ptp(soft) == pytest.approx(1 - 4 * 0.125)


def test_what_alpha_hides_does_not_shine_through():
    samples = np.zeros((9, 9, 4), np.uint8)
    samples[..., 0] = 255  # red that nobody sees
    samples[3:6, 3:6] = 0, 200, 0, 255
    soft = soften(samples, 0.1, has_alpha=True)
    seen = soft[soft[..., 3] > 0]
    assert (seen[:, 0] == 0).all()
    assert (seen[:, 1] == 200).all()
    assert soft[4, 4, 3] == 255
    assert 0 < soft[2, 4, 3] < soft[3, 4, 3] < 255
