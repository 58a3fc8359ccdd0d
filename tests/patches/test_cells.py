import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.image.color import luma
from pixelift.image.resize import downscale, modcrop, upscale
from pixelift.patches.cells import framing, measure_cells
from pixelift.patches.luma import framed_luma
from pixelift.patches.score import (
    EDGE_THRESHOLD,
    IntegralImage,
    edge_density,
    gradient_magnitude,
    network_loss,
    restoration_error,
    restoration_error_map,
    variance,
)
from tests.prepared import natural_photo, textured_photo


def means(values, side):
    """Average a map over the cells of a grid, the slow way."""
    rows, columns = (n // side for n in values.shape)
    cells = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cells.mean(axis=(1, 3))


def measured(hr, scale, side, **options):
    luma = framed_luma(hr, margin=framing(scale))
    return measure_cells(luma, scale=scale, side=side, **options)


@settings(max_examples=60)
@given(
    st.integers(30, 90),
    st.integers(30, 90),
    st.sampled_from([2, 3, 4, 5]),
    st.sampled_from([8, 12, 24, 25]),
    st.integers(0, 99),
)
def test_every_score_is_the_mean_of_its_map(height, width, scale, side, seed):
    hr = modcrop(textured_photo(np.random.default_rng(seed), height, width), scale)
    levels = luma(hr / 255)
    scores = measured(hr, scale, side)

    edges = gradient_magnitude(levels) > EDGE_THRESHOLD
    assert scores.edge_density == pytest.approx(means(edges, side), abs=1 / side**2)
    squares = means(levels**2, side) - means(levels, side) ** 2
    assert scores.variance == pytest.approx(squares, rel=1e-4, abs=0.01)
    rounded = np.floor(levels + 0.5)
    clipped = means((rounded == 16) | (rounded == 235), side)
    assert scores.clipped == pytest.approx(clipped, abs=1e-9)
    error = means(restoration_error_map(levels, scale), side)
    assert scores.restoration_error == pytest.approx(error, rel=1e-4, abs=0.01)
    assert np.isnan(scores.network_loss).all()


def test_the_lr_of_training_has_the_same_restoration_error_to_the_tenth_of_a_level(rng):
    """It is rounded to 8 bits, three channels of it."""
    hr = natural_photo(rng, 240, 288)
    levels = luma(hr / 255)
    scores = measured(hr, 4, 48).restoration_error
    rounded = means((upscale(luma(downscale(hr, 4) / 255), 4) - levels) ** 2, 48)
    assert scores == pytest.approx(rounded, abs=0.3)
    assert scores.mean() == pytest.approx(rounded.mean(), rel=0.05)


def test_the_loss_of_a_network_is_that_of_its_luma(rng, frozen):
    hr = textured_photo(rng, 60, 72)
    sr = frozen(rng.random((60, 72, 3)).astype(np.float32))
    loss = measured(hr, 4, 24, sr=sr).network_loss
    assert loss == pytest.approx(means((luma(sr) - luma(hr / 255)) ** 2, 24), rel=1e-4)
    perfect = measured(hr, 4, 24, sr=(hr / 255).astype(np.float32)).network_loss
    assert perfect == pytest.approx(np.zeros_like(perfect), abs=1e-6)


def test_flat_and_clipped_and_busy_cells_are_told_apart(rng):
    hr = np.full((48, 144, 3), 100, np.uint8)
    hr[:, 48:96] = 255
    hr[:, 96:] = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
    scores = measured(hr, 4, 48)
    assert scores.variance[0, :2] == pytest.approx([0, 0], abs=1e-3)
    assert scores.clipped[0, :2].tolist() == [0, 1]
    assert scores.edge_density[0, 2] > 0.4
    assert scores.variance[0, 2] > 500
    assert scores.restoration_error[0, 2] > 500


def test_a_picture_smaller_than_a_cell_has_none(rng):
    scores = measured(textured_photo(rng, 20, 100), 2, 24)
    assert scores.variance.shape == (0, 4)


def test_the_score_of_any_crop_on_the_grid_is_four_look_ups(rng):
    hr = textured_photo(rng, 96, 120)
    levels = luma(hr / 255)
    table = IntegralImage.of(measured(hr, 4, 12).restoration_error)
    crop = table.mean(np.array([2]), np.array([3]), 4)[0]
    error = restoration_error_map(levels, 4)[24:72, 36:84]
    assert crop == pytest.approx(error.mean(), rel=1e-4)


def test_a_cell_of_a_whole_picture_has_the_scores_of_a_patch(rng):
    hr = natural_photo(rng, 96, 96)
    sr = np.clip(hr / 255 + rng.normal(0, 0.02, hr.shape), 0, 1).astype(np.float32)
    levels = luma(hr / 255)
    scores = measured(hr, 4, 96, sr=sr)
    assert scores.edge_density[0, 0] == pytest.approx(edge_density(levels), abs=1e-3)
    assert scores.variance[0, 0] == pytest.approx(variance(levels), rel=1e-4)
    assert scores.restoration_error[0, 0] == pytest.approx(restoration_error(levels, 4), rel=1e-4)
    assert scores.network_loss[0, 0] == pytest.approx(network_loss(luma(sr), levels), rel=1e-4)
