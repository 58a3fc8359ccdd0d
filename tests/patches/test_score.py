import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.resize import downscale, upscale
from pixelift.patches.score import (
    ContentMaps,
    IntegralImage,
    gradient_magnitude,
    restoration_error_map,
)


def test_the_gradient_of_a_ramp_is_its_slope_in_levels_per_pixel():
    ramp = np.repeat(np.arange(0, 60, 5.0)[None], 8, axis=0)
    assert gradient_magnitude(ramp)[1:-1, 1:-1] == pytest.approx(5)
    assert gradient_magnitude(ramp.T)[1:-1, 1:-1] == pytest.approx(5)


def test_the_restoration_error_is_that_of_bicubic(rng, frozen):
    luma = frozen(rng.uniform(16, 235, (33, 40)))
    error = restoration_error_map(luma, 4)
    hr = luma[:32].astype(np.float32)
    assert error[:32] == pytest.approx((upscale(downscale(hr, 4), 4) - hr) ** 2)
    assert not error[32:].any()


def test_interpolation_restores_a_smooth_ramp_and_not_a_checkerboard():
    ramp = np.add.outer(np.arange(32.0), np.arange(32.0))
    board = np.indices((32, 32)).sum(axis=0) % 2 * 100.0
    assert restoration_error_map(ramp, 2)[8:-8, 8:-8].max() < 1e-3
    assert restoration_error_map(board, 2)[8:-8, 8:-8].min() > 1000


@given(st.integers(0, 12), st.integers(0, 9), st.integers(1, 8))
def test_a_window_mean_is_the_mean_of_the_window(top, left, side):
    values = np.random.default_rng(1).random((20, 17))
    mean = IntegralImage.of(values).mean(np.array([top]), np.array([left]), side)
    assert mean[0] == pytest.approx(values[top : top + side, left : left + side].mean())


def test_flat_and_busy_halves_are_told_apart(rng):
    luma = np.full((64, 128), 100.0)
    luma[:, 64:] = rng.uniform(16, 235, (64, 64))
    maps = ContentMaps.of(luma, 4)
    top, left = np.array([8, 8]), np.array([0, 72])
    edge, error = maps.edge_density(top, left, 48), maps.restoration_error(top, left, 48)
    variance = maps.variance(top, left, 48)
    assert edge[0] == variance[0] == 0
    assert error[0] == pytest.approx(0, abs=1e-6)
    assert edge[1] > 0.5
    assert variance[1] == pytest.approx(luma[8:56, 72:120].var())
    assert error[1] > 1000
