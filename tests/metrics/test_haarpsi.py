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
