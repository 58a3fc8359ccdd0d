import numpy as np
import pytest

from pixelift.infer.detail import beyond_share, fine_energy, measure_cells


def padded(picture):
    return np.pad(picture, ((2, 2), (2, 2), (0, 0)), mode="symmetric").transpose(2, 0, 1)


def test_cells_hold_the_mean_energy_of_their_pixels(rng, frozen):
    picture = frozen(rng.random((41, 50, 3), dtype=np.float32))
    detail = measure_cells([picture], cell=16)
    energy = fine_energy(padded(picture)).astype(np.float64)
    assert detail.cells.shape == (3, 4)
    assert np.isclose(detail.cells[1, 2], energy[16:32, 32:48].mean(), rtol=1e-6)
    assert np.isclose(detail.cells[2, 3], energy[32:, 48:].mean(), rtol=1e-6)
    assert str(detail.size) == "50x41"


@pytest.mark.parametrize("heights", [[1] * 41, [40, 1], [1, 40], [3, 17, 21]])
def test_how_rows_are_cut_into_bands_changes_no_bit(rng, heights):
    picture = rng.random((41, 23, 3), dtype=np.float32)
    whole = measure_cells([picture], cell=16)
    parts = measure_cells(np.split(picture, np.cumsum(heights)[:-1]), cell=16)
    assert np.array_equal(whole.cells, parts.cells)


def test_more_rows_than_a_band_are_measured_once_each(rng):
    picture = rng.random((600, 9, 1), dtype=np.float32)
    energy = fine_energy(padded(picture)).astype(np.float64)
    detail = measure_cells([picture], cell=600)
    assert np.isclose(detail.cells[0, 0], energy.mean(), rtol=1e-6)


def test_plain_colour_and_even_slopes_have_no_detail():
    slope = np.linspace(0, 1, 64, dtype=np.float32)[None, :, None].repeat(20, 0)
    energy = fine_energy(slope.transpose(2, 0, 1))
    assert energy.max() < 1e-6
    assert measure_cells([np.full((9, 9, 3), 0.3, np.float32)], cell=4).cells.max() < 1e-8


def test_the_energy_of_a_single_white_pixel_is_known():
    # The kernel's middle is 6/16 along each axis: what is left there is 1 - 36/256.
    point = np.zeros((1, 9, 9), np.float32)
    point[0, 4, 4] = 1
    assert np.isclose(fine_energy(point)[2, 2], (255 * (1 - 36 / 256)) ** 2, rtol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 1), (3, 3)])
def test_pictures_smaller_than_the_kernel_are_measured(size):
    detail = measure_cells([np.zeros((*size, 1), np.float32)], cell=8)
    assert detail.cells.shape == (1, 1)
    assert not detail.cells.any()


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no rows"):
        measure_cells([], cell=8)


def test_cells_of_least_detail_are_spared_until_they_hold_the_share():
    cells, areas = np.array([[4.0, 1.0], [2.0, 3.0]]), np.array([[1, 1], [1, 2]])
    # Together 4 + 1 + 2 + 6 = 13; the two of least detail hold 3.
    marked = beyond_share(cells, areas, spared=0.24)
    assert np.array_equal(marked, [[True, False], [False, True]])
    assert beyond_share(cells, areas, spared=0.0).all()
    assert not beyond_share(cells, areas, spared=1.0).any()
