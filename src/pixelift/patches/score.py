"""How much a network can learn from a place in a photo: maps with a unit, any window at once."""

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


@dataclass(frozen=True, slots=True)
class IntegralImage:
    """Sums over any window of a map in four look-ups."""

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


@dataclass(frozen=True, slots=True)
class ContentMaps:
    """All measures of one picture, ready for look-ups."""

    edges: IntegralImage
    luma: IntegralImage
    luma_squared: IntegralImage
    error: IntegralImage

    @classmethod
    def of(cls, luma: NDArray[np.floating], scale: int) -> "ContentMaps":
        """Measure a whole picture in one pass.

        Args:
            luma: (H, W) in 8-bit levels.
            scale: Scale at which the restoration error is measured.

        Returns:
            The maps.

        Raises:
            ShapeError: The picture is smaller than the scale.
        """
        return cls(
            edges=IntegralImage.of(gradient_magnitude(luma) > EDGE_THRESHOLD),
            luma=IntegralImage.of(luma),
            luma_squared=IntegralImage.of(np.square(luma, dtype=np.float64)),
            error=IntegralImage.of(restoration_error_map(luma, scale)),
        )

    def edge_density(
        self, top: NDArray[np.intp], left: NDArray[np.intp], side: int
    ) -> NDArray[np.float64]:
        """Share of pixels, 0 to 1, whose luma gradient exceeds `EDGE_THRESHOLD`."""
        return self.edges.mean(top, left, side)

    def variance(
        self, top: NDArray[np.intp], left: NDArray[np.intp], side: int
    ) -> NDArray[np.float64]:
        """Luma variance in squared 8-bit levels."""
        mean = self.luma.mean(top, left, side)
        return np.maximum(self.luma_squared.mean(top, left, side) - mean**2, 0)

    def restoration_error(
        self, top: NDArray[np.intp], left: NDArray[np.intp], side: int
    ) -> NDArray[np.float64]:
        """Mean squared error of bicubic restoration in squared 8-bit levels."""
        return self.error.mean(top, left, side)
