import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.resize import downscale, upscale
from pixelift.patches.score import (
    IntegralImage,
    edge_density,
    gradient_magnitude,
    network_loss,
    restoration_error,
    restoration_error_map,
    variance,
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


def test_half_a_patch_of_stripes_is_half_edges():
    luma = np.full((32, 32), 100.0)
    luma[:, 16:] += 100 * (np.arange(16) // 2 % 2)
    assert edge_density(luma) == pytest.approx(0.5, abs=0.08)
    assert edge_density(np.full((8, 8), 50.0)) == 0


def test_measures_of_a_patch_have_the_unit_of_squared_levels(rng, frozen):
    luma = frozen(rng.uniform(16, 235, (24, 24)))
    for measure in (variance, lambda p: restoration_error(p, 2), lambda p: network_loss(p, 0 * p)):
        assert measure(luma / 2) == pytest.approx(measure(luma) / 4, rel=1e-3)
    assert variance(luma) == pytest.approx(luma.std() ** 2)
    assert restoration_error(luma, 4) == pytest.approx(restoration_error_map(luma, 4).mean())


def test_a_network_that_is_two_levels_off_has_a_loss_of_four(rng, frozen):
    luma = frozen(rng.uniform(16, 235, (24, 24)))
    assert network_loss(luma + 2, luma) == pytest.approx(4)
