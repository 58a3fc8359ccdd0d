import numpy as np
import pytest

from pixelift.degrade.noise import add_noise
from pixelift.degrade.plan import Noise


def noise(kind, sigma_255, *, is_grey=False, seed=3):
    return Noise(kind=kind, sigma_255=sigma_255, is_grey=is_grey, seed=seed)


def grey(level, side=200):
    return np.full((side, side, 3), level, np.uint8)


@pytest.mark.parametrize("is_grey", [False, True])
def test_gaussian_noise_is_as_strong_as_it_says_and_changes_no_mean(is_grey):
    noisy = add_noise(grey(120), noise("gaussian", 9.0, is_grey=is_grey)).astype(float)
    assert noisy.mean() == pytest.approx(120, abs=0.2)
    assert noisy.std() == pytest.approx(9.0, rel=0.02)


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_grey_noise_is_the_same_in_all_channels_and_colour_noise_is_not(kind):
    same = add_noise(grey(100), noise(kind, 8.0, is_grey=True))
    assert (same[..., :1] == same).all()
    own = add_noise(grey(100), noise(kind, 8.0)).astype(float)
    assert abs(np.corrcoef(own[..., 0].ravel(), own[..., 1].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_chroma_noise_leaves_luma_alone(kind):
    only = Noise(kind=kind, sigma_255=12.0, is_grey=False, is_chroma=True, seed=3)
    noisy = add_noise(grey(120), only).astype(float)
    luma = noisy @ [0.299, 0.587, 0.114]
    assert luma.mean() == pytest.approx(120, abs=0.1)
    assert luma.std() < 0.5  # what rounding to whole levels leaves
    assert noisy.std(axis=(0, 1)).min() > 4
    one = grey(120)[..., :1]
    assert add_noise(one, only).std() > 4  # a grey picture has no colour to be noisy


def test_poisson_noise_grows_with_the_root_of_the_light():
    strong = add_noise(grey(200), noise("poisson", 10.0)).astype(float).std()
    weak = add_noise(grey(50), noise("poisson", 10.0)).astype(float).std()
    assert strong == pytest.approx(10 * np.sqrt(200 / 255), rel=0.03)
    assert weak == pytest.approx(strong / 2, rel=0.03)
    assert (add_noise(grey(0), noise("poisson", 10.0)) == 0).all()


def test_the_seed_decides_every_pixel(rng, frozen):
    image = frozen(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    first = add_noise(image, noise("gaussian", 5.0))
    assert np.array_equal(first, add_noise(image, noise("gaussian", 5.0)))
    assert not np.array_equal(first, add_noise(image, noise("gaussian", 5.0, seed=4)))


def test_no_noise_and_luma_alone_are_fine(rng):
    image = rng.integers(0, 256, (20, 30, 1), dtype=np.uint8)
    assert np.array_equal(add_noise(image, noise("gaussian", 0.0)), image)
    for kind in ("gaussian", "poisson"):
        assert add_noise(image, noise(kind, 5.0, is_grey=True)).shape == image.shape
