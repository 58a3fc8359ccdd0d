"""Noise of sensors, in 8-bit levels."""

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.plan import Noise

_LUMA = np.array([0.299, 0.587, 0.114])


def add_noise(image: NDArray[np.uint8], noise: Noise) -> NDArray[np.uint8]:
    """Add noise and round to 8 bits again.

    Args:
        image: (H, W, C).
        noise: Kind, strength, and the seed of the stream it is drawn from.

    Returns:
        uint8 array of the same shape.

    Paper: Real-ESRGAN (see `pixelift.degrade.kernels.gaussian_plane`), section 3.1: Gaussian and
        Poisson noise, of each channel on its own or of all alike ("grey"). There the photons of a
        Poisson noise are drawn by a factor; here they follow from the deviation at white: n photons
        have a deviation of √n, so 255 / √n levels.
    """
    if noise.sigma_255 <= 0:
        return image.copy()
    rng = np.random.default_rng(noise.seed)
    if noise.kind == "gaussian":
        shape = (*image.shape[:2], 1 if noise.is_grey else image.shape[2])
        added = rng.standard_normal(shape, np.float32) * np.float32(noise.sigma_255)
    else:
        added = _shot_noise(image, noise, rng)
    if noise.is_chroma and image.shape[2] == 3:
        added = added - (added * _LUMA.astype(np.float32)).sum(axis=2, keepdims=True)
    # Adding a half and rounding down: the one rounding rule of the house.
    noisy = np.floor(image.astype(np.float32) + added + np.float32(0.5))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _shot_noise(
    image: NDArray[np.uint8], noise: Noise, rng: np.random.Generator
) -> NDArray[np.float32]:
    levels = image.astype(np.float64)
    if noise.is_grey and image.shape[2] == 3:
        levels = (levels * _LUMA).sum(axis=2, keepdims=True)
    photons_per_level = 255 / noise.sigma_255**2
    counted = rng.poisson(levels * photons_per_level)
    return (counted / photons_per_level - levels).astype(np.float32)
