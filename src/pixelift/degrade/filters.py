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
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.kernels import Term
from pixelift.degrade.plan import Kernel
from pixelift.image.geometry import Size
from pixelift.image.mirror import mirrored
from pixelift.image.resize import cubic

_ONE = 1 << 15
_BAND = 16
"""Rows or columns of the result that are made at once: their weights are a matrix full enough."""

SHARP = Term(np.ones(1), np.ones(1))
"""No blur."""


@dataclass(frozen=True, slots=True)
class Taps:
    """Which samples make each sample of the result: from `first` on, with these weights."""

    first: NDArray[np.intp]
    """(N,), may lie before the picture, which is mirrored there."""
    weights: NDArray[np.float64]
    """(N, taps), the sum of each row is 1; (1, taps) where all are the same."""
    step: int = 0
    """Samples from one `first` to the next, where the weights are the same; else 0."""

    def blurred(self, kernel: NDArray[np.float64]) -> "Taps":
        """Blur first, with a kernel of odd length: the taps of both in one."""
        if len(kernel) == 1:
            return self
        weights = np.stack([np.convolve(row, kernel) for row in self.weights])
        return Taps(self.first - len(kernel) // 2, weights, self.step)

    def matrix(self, start: int, stop: int) -> tuple[NDArray[np.float64], int]:
        """Write part of the result as a matrix of whole numbers, and where its columns begin."""
        first = self.first[start:stop]
        count, taps = len(first), self.weights.shape[1]
        begin, width = int(first[0]), int(first[-1] - first[0]) + taps
        if self.step:
            # Lines that are longer by a step, read as if they were not: each begins a step later.
            longer = np.zeros((count, width + self.step))
            longer[:, :taps] = np.rint(self.weights * _ONE)
            return longer.reshape(-1)[: count * width].reshape(count, width), begin
        matrix = np.zeros((count, width))
        columns = (first - begin)[:, None] + np.arange(taps)
        matrix[np.arange(count)[:, None], columns] = np.rint(self.weights[start:stop] * _ONE)
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
    down = resize_taps(kernel, height, size.height)
    right = resize_taps(kernel, width, size.width)
    across = _Across.of([right.blurred(term.right) for term in terms], width)
    vertical = [down.blurred(term.down) for term in terms]
    lines = image.reshape(height, width * channels)
    result = np.empty((size.height, size.width, channels), np.uint8)
    for top in range(0, size.height, _BAND):
        bottom = min(top + _BAND, size.height)
        # The terms of a blur are of one length: their matrices fit below each other.
        matrices = [taps.matrix(top, bottom) for taps in vertical]
        matrix = np.concatenate([matrix for matrix, _ in matrices])
        begin = matrices[0][1]
        samples = lines[_mirrored_slice(begin, begin + matrix.shape[1], height)]
        band = matrix.astype(np.float32) @ samples.astype(np.float32)
        total = across.apply(band.reshape(len(terms), bottom - top, width, channels))
        total *= 1 / (_ONE * _ONE)
        total += 0.5
        np.clip(np.floor(total, out=total), 0, 255, out=total)
        result[top:bottom] = total.transpose(0, 2, 1)
    return result


def pick_nearest(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Keep for each pixel of the result the one pixel that lies there: as aliased as can be.

    Where the place lies between pixels, as at even factors, it takes the mean of the two on either
    side of it along the diagonal, halves up: one alone would move the picture by half a pixel, and
    four would smooth what is aliased.

    Args:
        image: (H, W, C).
        size: Size of the result.

    Returns:
        (height, width, C).
    """
    axes = list(zip(image.shape[:2], (size.height, size.width), strict=True))

    def picked(rounded: np.ufunc) -> NDArray[np.uint8]:
        places = (
            rounded((np.arange(target) + 0.5) * (length / target) - 0.5)
            .astype(np.intp)
            .clip(0, length - 1)
            for length, target in axes
        )
        return image[np.ix_(*places)]

    lower, upper = picked(np.floor), picked(np.ceil)
    return ((lower.astype(np.uint16) + upper + 1) // 2).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Across:
    """The horizontal pass: columns of the picture, mirrored beyond its border, to the result's."""

    bands: tuple[tuple[slice | NDArray[np.intp], NDArray[np.float64]], ...]

    @classmethod
    def of(cls, taps: Sequence[Taps], width: int) -> "_Across":
        """Prepare the weights of all terms, above each other, for each band of columns."""
        bands = []
        for left in range(0, len(taps[0].first), _BAND):
            matrices = [term.matrix(left, left + _BAND) for term in taps]
            begin, length = matrices[0][1], matrices[0][0].shape[1]
            columns = _mirrored_slice(begin, begin + length, width)
            bands.append((columns, np.concatenate([matrix.T for matrix, _ in matrices])))
        return cls(tuple(bands))

    def apply(self, band: NDArray[np.float32]) -> NDArray[np.float64]:
        """Filter (terms, rows, columns, C) to (rows, C, columns of the result), terms summed up."""
        rows, channels = band.shape[1], band.shape[3]
        planes = np.ascontiguousarray(band.transpose(1, 3, 0, 2), np.float64)
        parts = [
            planes[..., columns].reshape(rows * channels, -1) @ matrix
            for columns, matrix in self.bands
        ]
        whole = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return whole.reshape(rows, channels, -1)


def _mirrored_slice(start: int, stop: int, length: int) -> slice | NDArray[np.intp]:
    """Index samples that may lie beyond the picture; a slice, which copies nothing, where not."""
    if start >= 0 and stop <= length:
        return slice(start, stop)
    return mirrored(np.arange(start, stop), length)


@lru_cache(maxsize=64)
def resize_taps(kernel: Kernel | None, length: int, target: int) -> Taps:
    """List which samples of an axis make each sample of the result.

    Args:
        kernel: "cubic" (Keys, a = -1/2), "linear" and "lanczos" (three lobes) are widened when they
            shrink, as MATLAB's and Pillow's are; "bare-cubic" (a = -3/4) is not, as OpenCV's, so
            what it makes is aliased; "area" weighs by what a pixel covers; "stride" keeps every
            s-th sample, and where that lies between two it weighs them by how near they are, as
            OpenCV's linear. "nearest" is not one of these, see `pick_nearest`. None copies.
        length: Samples of the axis.
        target: Samples of the result.

    Returns:
        The taps; not to be written to.
    """
    if kernel is None:
        return Taps(np.arange(target), np.ones((1, 1)), 1)
    factor = length / target
    centre = (np.arange(target) + 0.5) * factor - 0.5
    stretch = 1.0 if kernel in _NOT_WIDENED else max(factor, 1.0)
    reach = _REACH[kernel] * stretch
    first = np.floor(centre - reach).astype(np.intp)
    is_even = length % target == 0
    index = first[: 1 if is_even else target, None] + np.arange(math.ceil(2 * reach) + 2)
    weights = _weigh(kernel, centre[: len(index), None] - index, stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    return Taps(first, weights, length // target if is_even else 0)


_REACH = {
    "cubic": 2.0,
    "bare-cubic": 2.0,
    "linear": 1.0,
    "area": 0.5,
    "lanczos": 3.0,
    "stride": 1.0,
}
_NOT_WIDENED = ("bare-cubic", "stride")


def _weigh(kernel: Kernel, distance: NDArray[np.float64], stretch: float) -> NDArray[np.float64]:
    if kernel == "area":
        covered = (stretch + 1) / 2 - np.abs(distance)
        return np.clip(covered, 0, 1)
    x = distance / stretch
    if kernel == "cubic":
        return cubic(x)
    if kernel == "bare-cubic":
        return cubic(x, -0.75)
    if kernel == "lanczos":
        weights: NDArray[np.float64] = np.sinc(x) * np.sinc(x / 3) * (np.abs(x) < 3)
        return weights
    return np.asarray(np.maximum(1 - np.abs(x), 0))
