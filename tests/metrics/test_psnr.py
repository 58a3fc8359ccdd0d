import math

import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.metrics.psnr import psnr


def test_identical_pictures_are_infinitely_close(frozen, rng):
    picture = frozen(rng.random((9, 8, 3), dtype=np.float32))

    assert psnr(picture, picture, shave=2) == math.inf


def test_pictures_with_the_same_8_bits_are_infinitely_close(frozen):
    hr = frozen(np.full((6, 6, 3), 100 / 255, np.float32))
    sr = frozen(hr + np.float32(0.4 / 255))

    assert psnr(sr, hr, shave=0) == math.inf


@pytest.mark.parametrize(("channel", "decibels"), [("rgb", 48.130804), ("y", 49.452725)])
def test_one_level_of_offset_has_the_known_psnr(frozen, channel, decibels):
    hr = frozen(np.full((10, 12, 3), 77, np.uint8))
    sr = frozen(hr + np.uint8(1))

    assert psnr(sr, hr, shave=2, channel=channel) == pytest.approx(decibels, abs=1e-6)


def test_psnr_y_follows_the_formula(frozen, rng):
    hr = frozen(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    sr = frozen(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    weights = np.array([65.481, 128.553, 24.966]) / 255
    difference = ((sr.astype(float) - hr.astype(float)) @ weights)[3:-3, 3:-3]

    expected = 20 * math.log10(255 / math.sqrt(np.mean(difference**2)))

    assert psnr(sr, hr, shave=3) == pytest.approx(expected, abs=1e-9)


def test_psnr_rgb_takes_the_channels_together(frozen, rng):
    hr = frozen(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
    sr = frozen(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))

    expected = 10 * math.log10(255**2 / np.mean((sr.astype(float) - hr.astype(float)) ** 2))

    assert psnr(sr, hr, shave=0, channel="rgb") == pytest.approx(expected, abs=1e-9)


def test_what_is_shaved_does_not_count(frozen, rng):
    hr = rng.integers(0, 255, (12, 12, 3), dtype=np.uint8)
    sr = hr.copy()
    sr[2:-2, 2:-2] += 1
    spoilt = sr.copy()
    spoilt[:2] = spoilt[:, -2:] = 0

    assert psnr(frozen(spoilt), frozen(hr), shave=2) == psnr(frozen(sr), hr, shave=2)
    assert psnr(spoilt, hr, shave=1) < psnr(sr, hr, shave=1)


def test_pictures_of_different_shape_are_refused():
    with pytest.raises(ShapeError):
        psnr(np.zeros((4, 4, 3)), np.zeros((4, 4, 1)), shave=0)
