import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.metrics.gmsd import gmsd, halved
from tests.prepared import natural_photo


def test_identical_pictures_have_none(rng, frozen):
    photo = frozen(natural_photo(rng, 40, 50))
    assert gmsd(photo, photo, shave=2) == 0


def test_it_is_the_formula_of_the_paper_done_by_hand(rng):
    a, b = rng.integers(0, 256, (2, 12, 14, 1), dtype=np.uint8)
    means = [(p[..., 0] / 255 * 219 + 16).reshape(6, 2, 7, 2).mean(axis=(1, 3)) for p in (a, b)]
    gradients = []
    for plane in means:
        found = np.zeros((4, 5))
        for y in range(4):
            for x in range(5):
                window = plane[y : y + 3, x : x + 3]
                across = (window[:, 2] - window[:, 0]).sum() / 3
                down = (window[2] - window[0]).sum() / 3
                found[y, x] = np.hypot(across, down)
        gradients.append(found)
    first, second = gradients
    similarity = (2 * first * second + 170) / (first**2 + second**2 + 170)
    assert gmsd(a, b, shave=0) == pytest.approx(similarity.std())


def test_more_blur_is_worse_and_a_shift_of_brightness_is_nothing(rng):
    photo = natural_photo(rng, 96, 96)
    near = photo.astype(float)
    scores = []
    for _ in range(3):
        near = (near + np.roll(near, 1, axis=0) + np.roll(near, 1, axis=1)) / 3
        scores.append(gmsd(near.astype(np.uint8), photo, shave=4))
    assert 0 < scores[0] < scores[1] < scores[2] < 0.5
    darker = np.clip(photo, 20, 235) - 10
    assert gmsd(darker, np.clip(photo, 20, 235), shave=4) < 1e-6


def test_halving_averages_blocks_of_four():
    plane = np.arange(20.0).reshape(4, 5)
    assert halved(plane).tolist() == [[3.0, 5.0], [13.0, 15.0]]


def test_pictures_that_are_too_small_are_refused():
    small = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(ShapeError, match="only 5x5 pixels are left after shaving 2"):
        gmsd(small, small, shave=2)
