"""Haar wavelet-based perceptual similarity: edges of three sizes, weighed by how much they show."""

import numpy as np
from numpy.typing import NDArray

from pixelift.metrics.gmsd import halved
from pixelift.metrics.protocol import Protocol

C = 30.0
ALPHA = 4.2
"""The paper's constants, for levels of 0 to 255."""

SMALLEST = 16
"""Pixels that must be left along each side."""


def haarpsi(sr: NDArray[np.generic], hr: NDArray[np.generic], *, shave: int) -> float:
    """Measure how alike `sr` and `hr` look; 1 for identical pictures.

    Args:
        sr: Super-resolved picture, (H, W, 3) RGB or (H, W, 1) or (H, W) grey; float32 in [0, 1],
            uint8 or uint16.
        hr: Reference picture, same shape, any of the same types.
        shave: Pixels cut from every edge before measuring, in HR pixels.

    Returns:
        0 to 1; more is better.

    Raises:
        ShapeError: The shapes differ, or fewer than 16x16 pixels are left after shaving.
        ConfigError: `shave` is negative.

    Paper: R. Reisenhofer, S. Bosse, G. Kutyniok and T. Wiegand, "A Haar wavelet-based perceptual
        similarity index for image quality assessment", Signal Processing: Image Communication 61,
        2018, equations 10 to 12, the index for grey pictures. We measure BT.601 studio luma.
    """
    levels = Protocol(shave).levels(sr, hr, smallest=SMALLEST, metric="HaarPSI")
    x, y = (halved(planes[0]) for planes in levels)
    total = weight_sum = 0.0
    for axis in (0, 1):
        fine_x, fine_y = ([np.abs(_haar(p, s, axis)) for s in (1, 2)] for p in (x, y))
        alike = [
            (2 * a * b + C**2) / (a * a + b * b + C**2) for a, b in zip(fine_x, fine_y, strict=True)
        ]
        local = 1 / (1 + np.exp(-ALPHA * (alike[0] + alike[1]) / 2))
        weight = np.maximum(np.abs(_haar(x, 3, axis)), np.abs(_haar(y, 3, axis)))
        total += float((local * weight).sum())
        weight_sum += float(weight.sum())
    if weight_sum == 0:
        return 1.0  # two plain colours: there is no edge to differ in
    mean = total / weight_sum
    return float((np.log(mean / (1 - mean)) / ALPHA) ** 2)


def _haar(plane: NDArray[np.float64], scale: int, axis: int) -> NDArray[np.float64]:
    """Filter with the Haar wavelet of a scale, 2^scale pixels wide; zeros lie beyond the border."""
    side = 2**scale
    before, after = (side - 1) // 2, side // 2
    padded = np.pad(plane, ((before, after), (before, after)))
    sums = np.zeros((padded.shape[0] + 1, padded.shape[1] + 1))
    sums[1:, 1:] = padded.cumsum(axis=0).cumsum(axis=1)
    height, width = plane.shape

    def box(top: int, left: int, tall: int, wide: int) -> NDArray[np.float64]:
        rows, columns = slice(top, top + height), slice(left, left + width)
        below, right = (
            slice(top + tall, top + tall + height),
            slice(left + wide, left + wide + width),
        )
        found: NDArray[np.float64] = (
            sums[below, right] - sums[rows, right] - sums[below, columns] + sums[rows, columns]
        )
        return found

    half = side // 2
    if axis == 0:
        difference = box(0, 0, half, side) - box(half, 0, half, side)
    else:
        difference = box(0, 0, side, half) - box(0, half, side, half)
    return np.asarray(difference / side)
