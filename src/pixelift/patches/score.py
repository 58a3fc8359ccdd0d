"""How much a network can learn from a place in a photo: maps with a unit, any window at once.

These say what is measured. Preparing a set takes the same measures of whole patches at once, far
faster: see `pixelift.patches.cells`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.image.resize import downscale, modcrop, upscale

EDGE_THRESHOLD = 24.0
"""Gradient from which a pixel counts as an edge, in 8-bit levels per pixel of distance."""


def gradient_magnitude(luma: NDArray[np.floating]) -> NDArray[np.float32]:
    """Measure how steeply the luma changes, by the Sobel operator.

    Args:
        luma: (H, W) in 8-bit levels.

    Returns:
        (H, W) float32 in 8-bit levels per pixel; the border repeats its neighbour.

    Paper: I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing",
        1968; divided by 8 so that the unit is levels per pixel.
    """
    p = np.pad(luma.astype(np.float32), 1, mode="edge")
    rows = p[:-2] + 2 * p[1:-1] + p[2:]
    columns = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    gx = rows[:, 2:] - rows[:, :-2]
    gy = columns[2:] - columns[:-2]
    return (np.hypot(gx, gy) / np.float32(8)).astype(np.float32, copy=False)


def restoration_error_map(luma: NDArray[np.floating], scale: int) -> NDArray[np.float32]:
    """Measure per pixel how badly bicubic up-scaling of the LR restores the HR.

    What interpolation restores, a network need not learn: the larger this is, the more there is
    to learn from a place.

    Args:
        luma: (H, W) in 8-bit levels.
        scale: LR to HR factor.

    Returns:
        (H, W) float32, squared error in squared 8-bit levels; zero in the last rows and columns
        that are no multiple of the scale.

    Raises:
        ShapeError: The picture is smaller than the scale.

    Paper: S. Wang et al., "SamplingAug: On the Importance of Patch Sampling Augmentation for
        Single Image Super-Resolution", BMVC 2021, section 3.2.
    """
    hr = modcrop(luma.astype(np.float32), scale)
    error = np.zeros(luma.shape, np.float32)
    error[: hr.shape[0], : hr.shape[1]] = (upscale(downscale(hr, scale), scale) - hr) ** 2
    return error


def edge_density(luma: NDArray[np.floating]) -> float:
    """Measure which share of a patch is edges.

    Args:
        luma: (H, W) in 8-bit levels.

    Returns:
        Share of pixels, 0 to 1, whose gradient exceeds `EDGE_THRESHOLD`.

    Paper: the gradient is Sobel's (see `gradient_magnitude`); choosing training patches by the
        density of their edges is a rule of thumb of the field without one source.
    """
    return float((gradient_magnitude(luma) > EDGE_THRESHOLD).mean())


def variance(luma: NDArray[np.floating]) -> float:
    """Measure how much the luma of a patch varies: the simple rule that others are compared with.

    Args:
        luma: (H, W) in 8-bit levels.

    Returns:
        Variance in squared 8-bit levels.

    Paper: rejecting patches of a small standard deviation, F. Cardinale et al., "ISR", 2018.
    """
    return float(luma.var(dtype=np.float64))


def restoration_error(luma: NDArray[np.floating], scale: int) -> float:
    """Measure how badly bicubic up-scaling of the LR restores a patch.

    Args:
        luma: (H, W) in 8-bit levels, sides a multiple of the scale.
        scale: LR to HR factor.

    Returns:
        Mean squared error in squared 8-bit levels.

    Raises:
        ShapeError: The patch is smaller than the scale.

    Paper: see `restoration_error_map`.
    """
    return float(restoration_error_map(luma, scale).mean(dtype=np.float64))


def network_loss(sr_luma: NDArray[np.floating], hr_luma: NDArray[np.floating]) -> float:
    """Measure what a trained network leaves wrong in a patch.

    Args:
        sr_luma: (H, W) in 8-bit levels: what the network made of the LR.
        hr_luma: (H, W) in 8-bit levels: what it should have made.

    Returns:
        Mean squared error in squared 8-bit levels.

    Paper: B. Moser et al., "A Study in Dataset Pruning for Image Super-Resolution", 2024, which
        takes the loss of a small SRCNN.
    """
    return float(np.square(sr_luma - hr_luma, dtype=np.float64).mean())


@dataclass(frozen=True, slots=True)
class IntegralImage:
    """Sums over any window of a map in four look-ups.

    The map may be one of pixels, or one of patches: then windows are counted in patches.
    """

    table: NDArray[np.float64]
    """(H + 1, W + 1): the sum of all that lies above and to the left."""

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> "IntegralImage":
        """Sum a map up once.

        Args:
            values: (H, W), numbers or booleans.

        Returns:
            The table of running sums.

        Paper: F. Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984.
        """
        table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
        np.cumsum(values, axis=0, dtype=np.float64, out=table[1:, 1:])
        np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
        return cls(table)

    def mean(self, top: NDArray[np.intp], left: NDArray[np.intp], side: int) -> NDArray[np.float64]:
        """Average the map over square windows.

        Args:
            top: First rows of the windows, any shape.
            left: First columns, the same shape.
            side: Side of the windows in pixels.

        Returns:
            Means in the unit of the map, the same shape.

        Example:
            >>> square = IntegralImage.of(np.eye(4))
            >>> square.mean(np.array([0]), np.array([0]), 4)
            array([0.25])
        """
        t = self.table
        total = (
            t[top + side, left + side] - t[top, left + side] - t[top + side, left] + t[top, left]
        )
        return total / (side * side)
