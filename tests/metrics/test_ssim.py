import numpy as np
import pytest
from skimage.metrics import structural_similarity

from pixelift.errors import ShapeError
from pixelift.metrics.protocol import Protocol
from pixelift.metrics.ssim import STRIP_ROWS, WINDOW, ssim


def noisy_pair(frozen, rng, height, width):
    ramp = np.linspace(0, 200, width) + np.linspace(0, 50, height)[:, None]
    hr = np.repeat(ramp[..., None], 3, axis=2) + rng.normal(0, 20, (height, width, 3))
    sr = hr + rng.normal(0, 12, hr.shape)
    return tuple(frozen(np.clip(x, 0, 255).astype(np.uint8)) for x in (sr, hr))


def second_opinion(sr, hr):
    _, similarity = structural_similarity(
        sr,
        hr,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    inside = WINDOW // 2
    return similarity[inside:-inside, inside:-inside].mean()


# The heights stand on both sides of the edges between strips.
@pytest.mark.parametrize("height", [15, WINDOW + 4, STRIP_ROWS + 14, STRIP_ROWS + 15, 131])
def test_ssim_y_agrees_with_scikit_image(frozen, rng, height):
    sr, hr = noisy_pair(frozen, rng, height, 40)
    planes = [levels[0] for levels in Protocol(shave=2).levels(sr, hr)]

    assert ssim(sr, hr, shave=2) == pytest.approx(second_opinion(*planes), abs=1e-6)


def test_ssim_rgb_is_the_mean_over_the_channels(frozen, rng):
    sr, hr = noisy_pair(frozen, rng, 33, 47)
    expected = np.mean([second_opinion(sr[..., c], hr[..., c]) for c in range(3)])

    assert ssim(sr, hr, shave=0, channel="rgb") == pytest.approx(expected, abs=1e-6)


def test_identical_pictures_have_a_similarity_of_one(frozen, rng):
    picture = frozen(rng.random((20, 30, 3), dtype=np.float32))

    assert ssim(picture, picture, shave=3) == pytest.approx(1.0, abs=1e-12)


def test_a_negative_has_a_lower_similarity_than_noise(frozen, rng):
    sr, hr = noisy_pair(frozen, rng, 30, 30)

    assert ssim(frozen(255 - hr), hr, shave=0) < 0 < ssim(sr, hr, shave=0)


def test_one_window_is_enough_and_less_is_refused(frozen):
    picture = frozen(np.zeros((15, 20, 3), np.uint8))

    assert ssim(picture, picture, shave=2) == 1.0
    with pytest.raises(ShapeError, match="only 14x9 pixels are left after shaving 3"):
        ssim(picture, picture, shave=3)


def test_pictures_of_different_shape_are_refused():
    with pytest.raises(ShapeError):
        ssim(np.zeros((20, 20, 3)), np.zeros((20, 21, 3)), shave=0)
