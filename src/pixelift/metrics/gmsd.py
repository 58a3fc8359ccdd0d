"""Gradient magnitude similarity deviation: how unevenly edges were changed."""

import numpy as np
from numpy.typing import NDArray

from pixelift.metrics.protocol import Protocol

C = 170.0
"""The paper's constant, for levels of 0 to 255."""

SMALLEST = 6
"""Pixels that must be left along each side."""


def gmsd(sr: NDArray[np.generic], hr: NDArray[np.generic], *, shave: int) -> float:
    """Measure how unevenly the edges of `hr` were changed in `sr`; 0 for identical pictures.

    Args:
        sr: Super-resolved picture, (H, W, 3) RGB or (H, W, 1) or (H, W) grey; float32 in [0, 1],
            uint8 or uint16.
        hr: Reference picture, same shape, any of the same types.
        shave: Pixels cut from every edge before measuring, in HR pixels.

    Returns:
        Standard deviation of the similarity of gradients, 0 to 1; less is better.

    Raises:
        ShapeError: The shapes differ, or fewer than 6x6 pixels are left after shaving.
        ConfigError: `shave` is negative.

    Paper: W. Xue, L. Zhang, X. Mou and A. Bovik, "Gradient magnitude similarity deviation: a highly
        efficient perceptual image quality index", IEEE Transactions on Image Processing 23(2),
        2014, equations 3 to 6: means of 2x2 pixels, every second one kept, Prewitt's gradients. We
        measure BT.601 studio luma; borders that the gradient does not cover are left out.
    """
    levels = Protocol(shave).levels(sr, hr, smallest=SMALLEST, metric="GMSD")
    first, second = (_gradient(halved(planes[0])) for planes in levels)
    similarity = (2 * first * second + C) / (first**2 + second**2 + C)
    return float(similarity.std())


def halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average 2x2 pixels and keep every second mean, as several metrics begin.

    Args:
        plane: (H, W), at least 2 pixels on each side.

    Returns:
        (H // 2, W // 2).
    """
    height, width = (n - n % 2 for n in plane.shape)
    blocks = plane[:height, :width].reshape(height // 2, 2, width // 2, 2)
    means: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means


def _gradient(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the magnitude of Prewitt's gradient where it does not leave the plane."""
    tall = plane[:-2] + plane[1:-1] + plane[2:]
    wide = plane[:, :-2] + plane[:, 1:-1] + plane[:, 2:]
    across, down = (tall[:, 2:] - tall[:, :-2]) / 3, (wide[2:] - wide[:-2]) / 3
    magnitude: NDArray[np.float64] = np.sqrt(across**2 + down**2)
    return magnitude
