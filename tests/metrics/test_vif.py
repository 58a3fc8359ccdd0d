import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.metrics.vif import vif, vif_of_planes
from tests.prepared import natural_photo


def test_identical_pictures_have_one_and_plain_ones_too(rng, frozen):
    photo = frozen(natural_photo(rng, 64, 70))
    assert vif(photo, photo, shave=2) == pytest.approx(1)
    plain = np.full((60, 60, 3), 9, np.uint8)
    assert vif(plain, plain, shave=2) == 1


def test_noise_and_blur_take_information_away(rng):
    photo = natural_photo(rng, 96, 96)
    noisy = [
        np.clip(photo + rng.normal(0, sigma, photo.shape), 0, 255).astype(np.uint8)
        for sigma in (3, 10, 30)
    ]
    scores = [vif(p, photo, shave=4) for p in noisy]
    assert 1 > scores[0] > scores[1] > scores[2] > 0
    blurred = ((photo.astype(int) + np.roll(photo, 1, 1) + np.roll(photo, 2, 1)) // 3).astype("u1")
    assert 0 < vif(blurred, photo, shave=4) < 0.8


def test_more_contrast_is_more_than_one():
    plane = natural_photo(np.random.default_rng(1), 80, 80)[..., 0].astype(float)
    assert vif_of_planes(120 + 1.3 * (plane - 120), plane) > 1.05


def test_brightness_alone_is_nothing(rng):
    plane = natural_photo(rng, 80, 80)[..., 0].astype(float)
    assert vif_of_planes(plane + 20, plane) == pytest.approx(1)


def test_another_library_measures_the_same(rng):
    sewar = pytest.importorskip("sewar.full_ref")
    plane = natural_photo(rng, 96, 80)[..., 0].astype(float)
    noisy = np.round(np.clip(plane + rng.normal(0, 9, plane.shape), 0, 255))
    assert vif_of_planes(noisy, plane) == pytest.approx(sewar.vifp(plane, noisy), rel=1e-6)


def test_pictures_that_are_too_small_are_refused():
    small = np.zeros((41, 60, 3), np.uint8)
    with pytest.raises(ShapeError, match="only 58x39 pixels are left after shaving 1"):
        vif(small, small, shave=1)
