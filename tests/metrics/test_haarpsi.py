import math

import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.metrics.haarpsi import _haar, haarpsi
from tests.prepared import natural_photo


def test_identical_pictures_have_one_and_plain_ones_too(rng, frozen):
    photo = frozen(natural_photo(rng, 40, 50))
    assert haarpsi(photo, photo, shave=2) == pytest.approx(1)
    plain = np.full((40, 40, 3), 9, np.uint8)
    assert haarpsi(plain, plain, shave=2) == pytest.approx(1)


def test_it_is_symmetric_and_falls_with_noise_and_blur(rng):
    photo = natural_photo(rng, 96, 96)
    scores = []
    for sigma in (4, 12, 36):
        noisy = np.clip(photo + rng.normal(0, sigma, photo.shape), 0, 255).astype(np.uint8)
        scores.append(haarpsi(noisy, photo, shave=4))
        assert haarpsi(photo, noisy, shave=4) == pytest.approx(scores[-1])
    assert 1 > scores[0] > scores[1] > scores[2] > 0
    blurred = ((photo.astype(int) + np.roll(photo, 1, 1) + np.roll(photo, 2, 1)) // 3).astype("u1")
    assert haarpsi(blurred, photo, shave=4) < 0.995


def plain_luma(rgb):
    """BT.601 studio luma in levels, sample by sample."""
    return [[16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255 for r, g, b in row] for row in rgb]


def plain_halved(plane):
    """The mean of 2x2 samples, every second one, as the authors begin; for even sides."""
    return [
        [
            (plane[y][x] + plane[y + 1][x] + plane[y][x + 1] + plane[y + 1][x + 1]) / 4
            for x in range(0, len(plane[0]), 2)
        ]
        for y in range(0, len(plane), 2)
    ]


def plain_coefficient(plane, y, x, *, scale, upright):
    """One coefficient of the Haar wavelet, as MATLAB's conv2(plane, kernel, "same") has it."""
    side, total = 2**scale, 0.0
    for i in range(side):
        for j in range(side):
            # A convolution turns the kernel around; its middle is behind that of an even side.
            row, column = y + side // 2 - i, x + side // 2 - j
            if 0 <= row < len(plane) and 0 <= column < len(plane[0]):
                sign = -1 if (i if upright else j) < side // 2 else 1
                total += sign * plane[row][column] / side
    return total


def plain_haarpsi(sr, hr):
    """HaarPSI for grey pictures by equations 10 to 12 of the paper, one pixel after the other."""
    first, second = (plain_halved(plain_luma(rgb.tolist())) for rgb in (sr, hr))
    above = below = 0.0
    for upright in (True, False):
        for y in range(len(first)):
            for x in range(len(first[0])):
                a, b = (
                    [
                        abs(plain_coefficient(plane, y, x, scale=scale, upright=upright))
                        for scale in (1, 2, 3)
                    ]
                    for plane in (first, second)
                )
                alike = [(2 * a[k] * b[k] + 900) / (a[k] ** 2 + b[k] ** 2 + 900) for k in (0, 1)]
                weight = max(a[2], b[2])
                above += weight / (1 + math.exp(-4.2 * sum(alike) / 2))
                below += weight
    return (math.log(above / below / (1 - above / below)) / 4.2) ** 2


@pytest.mark.parametrize(("height", "width"), [(16, 24), (26, 18)])
def test_it_is_the_formula_of_the_paper_done_pixel_by_pixel(rng, height, width):
    photo = natural_photo(rng, height, width)
    noise = rng.normal(0, 20, photo.shape)
    others = [np.clip(photo + noise, 0, 255).astype(np.uint8), np.roll(photo, 1, 1), 255 - photo]
    for other in others:
        assert haarpsi(other, photo, shave=0) == pytest.approx(plain_haarpsi(other, photo))


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_filter_is_the_haar_wavelet(rng, scale, axis):
    plane = rng.random((20, 23))
    side = 2**scale
    found = _haar(plane, scale, axis)
    before = (side - 1) // 2
    kernel = np.ones((side, side)) / side
    kernel[(slice(side // 2, None), slice(None)) if axis == 0 else np.s_[:, side // 2 :]] *= -1
    for y, x in ((8, 9), (10, 12)):
        window = plane[y - before : y - before + side, x - before : x - before + side]
        assert found[y, x] == pytest.approx((window * kernel).sum())
    assert found.shape == plane.shape


def test_pictures_that_are_too_small_are_refused():
    small = np.zeros((17, 40, 3), np.uint8)
    with pytest.raises(ShapeError, match="only 38x15 pixels are left after shaving 1"):
        haarpsi(small, small, shave=1)
