import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import ShapeError
from pixelift.image.color import luma, rgb_to_ycbcr, ycbcr_to_rgb


def pixel(r, g, b):
    return np.array([[[r, g, b]]], np.float32)


@pytest.mark.parametrize(
    ("rgb", "level"),
    [
        ((0, 0, 0), 16),
        ((1, 1, 1), 235),
        ((1, 0, 0), 81.481),
        ((0, 1, 0), 144.553),
        ((0, 0, 1), 40.966),
        ((128 / 255,) * 3, 125.929412),
    ],
)
def test_luma_of_known_colours(rgb, level):
    assert luma(pixel(*rgb))[0, 0] == pytest.approx(level, abs=1e-5)


def test_grey_of_one_channel_has_the_luma_of_equal_rgb():
    grey = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4, 1)
    assert np.allclose(luma(grey), luma(np.repeat(grey, 3, axis=2)), atol=1e-4)


@given(st.floats(0, 1, width=32))
def test_grey_has_neutral_chroma(level):
    ycbcr = rgb_to_ycbcr(pixel(level, level, level))
    assert ycbcr[0, 0, 1:] * 255 == pytest.approx(128, abs=1e-3)


def test_there_and_back_changes_nothing(rng, frozen):
    rgb = frozen(rng.random((20, 30, 3), dtype=np.float32))
    assert np.abs(ycbcr_to_rgb(rgb_to_ycbcr(rgb)) - rgb).max() < 1e-6


@pytest.mark.parametrize("convert", [rgb_to_ycbcr, ycbcr_to_rgb, luma])
def test_a_picture_without_channels_is_refused(convert):
    with pytest.raises(ShapeError, match="allowed"):
        convert(np.zeros((4, 4), np.float32))
