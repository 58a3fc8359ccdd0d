"""Blurring and resizing 8-bit pictures, exactly: every sum is one of whole numbers.

Weights are rounded to multiples of 2⁻¹⁵. The first pass then stays below 2²⁴, where float32 counts
without error, the second below 2⁵³, where float64 does: whatever order a processor adds in, the
bytes are the same.

The middle of the picture stays in the middle: pixel k of the result lies at (k + 1/2) f - 1/2 of
the pixels before, where f is how many of them it stands for. A kernel that would move the picture
by a part of a pixel is thereby corrected, and LR stays in line with HR.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.kernels import Term
from pixelift.degrade.plan import Kernel
from pixelift.image.geometry import Size
from pixelift.image.resize import cubic
from pixelift.image.shrink import mirrored

_ONE = 1 << 15
_BAND_ROWS = 64
"""Rows of the result that are made at once; a band's weights are a small matrix, mostly not 0."""

SHARP = Term(np.ones(1), np.ones(1))
"""No blur."""


@dataclass(frozen=True, slots=True)
class Taps:
    """Which samples make each sample of the result: from `first` on, with these weights."""

    first: NDArray[np.intp]
    """(N,), may lie before the picture, which is mirrored there."""
    weights: NDArray[np.float64]
    """(N, taps), the sum of each row is 1."""

    def blurred(self, kernel: NDArray[np.float64]) -> "Taps":
        """Blur first, with a kernel of odd length: the taps of both in one."""
        count, taps = self.weights.shape
        weights = np.zeros((count, taps + len(kernel) - 1))
        for at, weight in enumerate(kernel):
            weights[:, at : at + taps] += weight * self.weights
        return Taps(self.first - len(kernel) // 2, weights)

    def matrix(self, start: int, stop: int) -> tuple[NDArray[np.float64], int]:
        """Write part of the result as a matrix of whole numbers, and where its columns begin."""
        first, weights = self.first[start:stop], self.weights[start:stop]
        begin, taps = int(first.min()), weights.shape[1]
        matrix = np.zeros((len(first), int(first.max()) - begin + taps))
        columns = (first - begin)[:, None] + np.arange(taps)
        matrix[np.arange(len(first))[:, None], columns] = np.rint(weights * _ONE)
        return matrix, begin


def filter_picture(
    image: NDArray[np.uint8], size: Size, *, kernel: Kernel | None, terms: Sequence[Term] = (SHARP,)
) -> NDArray[np.uint8]:
    """Blur a picture and bring it to a size, in one go.

    Args:
        image: (H, W, C).
        size: Size of the result.
        kernel: How samples are weighed; None where the size stays.
        terms: The blur, as a sum of products.

    Returns:
        (height, width, C), rounded once, halves up; beyond the border the picture is mirrored.

    Paper: BSRGAN (see `pixelift.degrade.kernels.gaussian_plane`), section 3.2, equation 5: blur
        and shrinking by several kernels, the shift of taking every s-th pixel corrected.
    """
    height, width, channels = image.shape
    vertical = resize_taps(kernel, height, size.height)
    horizontal = resize_taps(kernel, width, size.width)
    across = [_Across.of(horizontal.blurred(term.right), width) for term in terms]
    down = [vertical.blurred(term.down) for term in terms]
    lines = image.reshape(height, width * channels)
    result = np.empty((size.height, size.width, channels), np.uint8)
    for top in range(0, size.height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, size.height)
        total = np.zeros((bottom - top, channels, size.width))
        for taps, right in zip(down, across, strict=True):
            matrix, begin = taps.matrix(top, bottom)
            rows = mirrored(np.arange(begin, begin + matrix.shape[1]), height)
            band = matrix.astype(np.float32) @ lines[rows].astype(np.float32)
            total += right.apply(band.reshape(bottom - top, width, channels))
        total *= 1 / (_ONE * _ONE)
        total += 0.5
        np.clip(np.floor(total, out=total), 0, 255, out=total)
        result[top:bottom] = total.transpose(0, 2, 1)
    return result


@dataclass(frozen=True, slots=True)
class _Across:
    """The horizontal pass: columns of the picture, mirrored beyond its border, to the result's."""

    bands: tuple[tuple[NDArray[np.intp], NDArray[np.float64]], ...]

    @classmethod
    def of(cls, taps: Taps, width: int) -> "_Across":
        bands = []
        for left in range(0, len(taps.first), _BAND_ROWS):
            matrix, begin = taps.matrix(left, left + _BAND_ROWS)
            columns = mirrored(np.arange(begin, begin + matrix.shape[1]), width)
            bands.append((columns, np.ascontiguousarray(matrix.T)))
        return cls(tuple(bands))

    def apply(self, band: NDArray[np.float32]) -> NDArray[np.float64]:
        """Filter (rows, columns, C) to (rows, C, columns of the result)."""
        planes = np.ascontiguousarray(band.transpose(0, 2, 1), np.float64)
        flat = planes.reshape(-1, planes.shape[2])
        parts = [flat[:, columns] @ matrix for columns, matrix in self.bands]
        whole = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return whole.reshape(*planes.shape[:2], -1)


def resize_taps(kernel: Kernel | None, length: int, target: int) -> Taps:
    """List which samples of an axis make each sample of the result.

    Args:
        kernel: "cubic" (Keys, a = -1/2), "linear" and "lanczos" (three lobes) are widened when they
            shrink, as MATLAB's are; "area" weighs by what a pixel covers; "stride" keeps every s-th
            sample, and where that lies between two it takes their mean. None copies.
        length: Samples of the axis.
        target: Samples of the result.

    Returns:
        The taps.
    """
    if kernel is None:
        return Taps(np.arange(target), np.ones((target, 1)))
    factor = length / target
    centre = (np.arange(target) + 0.5) * factor - 0.5
    stretch = 1.0 if kernel == "stride" else max(factor, 1.0)
    reach = _REACH[kernel] * stretch
    first = np.floor(centre - reach).astype(np.intp)
    index = first[:, None] + np.arange(math.ceil(2 * reach) + 2)
    weights = _weigh(kernel, centre[:, None] - index, stretch)
    return Taps(first, weights / weights.sum(axis=1, keepdims=True))


_REACH = {"cubic": 2.0, "linear": 1.0, "area": 0.5, "lanczos": 3.0, "stride": 1.0}


def _weigh(kernel: Kernel, distance: NDArray[np.float64], stretch: float) -> NDArray[np.float64]:
    if kernel == "area":
        covered = (stretch + 1) / 2 - np.abs(distance)
        return np.clip(covered, 0, 1)
    x = distance / stretch
    if kernel == "cubic":
        return cubic(x)
    if kernel == "lanczos":
        weights: NDArray[np.float64] = np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)
        return weights
    return np.maximum(1 - np.abs(x), 0)
