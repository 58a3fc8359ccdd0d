"""All measures of all patches of a picture in one pass, without a map of any of them.

The measures are those of `pixelift.patches.score`. Here they are summed up over the cells of a
grid, strip by strip, so that nothing in between leaves the processor's cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pixelift.image.resize import bicubic_taps, downscale, upscale
from pixelift.patches.luma import luma_of_floats
from pixelift.patches.score import EDGE_THRESHOLD

# Sobel's gradient is divided by 8 to be in levels per pixel (see `gradient_magnitude`).
_STEEP = np.float32((8 * EDGE_THRESHOLD) ** 2)
# Squares about the middle of the range stay small, so float32 holds them well.
_MIDDLE = np.float32(125.5)
# Luma is rounded to 16 or 235 from this distance to the middle.
_CLIPPED = np.float32(109.0**2)
_STRIP_PIXELS = 128 << 10
_REACH = 2
"""LR pixels on either side that the kernels reach into, both when shrinking and enlarging."""
_MARGIN = 3
"""LR pixels around a picture: the last one may begin within it and end beyond it."""

_Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CellScores:
    """Measures of the cells of a picture: each (rows, columns) float64."""

    edge_density: NDArray[np.float64]
    """Share of pixels, 0 to 1, whose luma gradient exceeds `EDGE_THRESHOLD`."""
    variance: NDArray[np.float64]
    """Luma variance in squared 8-bit levels."""
    restoration_error: NDArray[np.float64]
    """Mean squared error of the bicubic restoration in squared 8-bit levels."""
    network_loss: NDArray[np.float64]
    """Mean squared error of a network's luma in squared 8-bit levels; NaN without a network."""
    clipped: NDArray[np.float64]
    """Share of pixels, 0 to 1, whose rounded luma is 16 or 235: as dark or bright as can be."""


def framing(scale: int) -> int:
    """Say how many pixels around a picture its measures look at, in HR pixels."""
    return _MARGIN * scale


def measure_cells(luma: _Map, *, scale: int, side: int, sr: _Map | None = None) -> CellScores:
    """Measure the cells of a grid; what is left over at the right and below is not measured.

    Args:
        luma: (H, W) HR with a margin of `framing` pixels, as `framed_luma` makes it.
        scale: LR to HR factor.
        side: Side of a cell in HR pixels.
        sr: (H, W, 3) or larger, RGB in [0, 1]: what a network makes of the LR.

    Returns:
        The scores, (H // side, W // side).
    """
    margin = framing(scale)
    rows, columns = ((n - 2 * margin) // side for n in luma.shape)
    sums = np.zeros((6, rows, columns))
    strips = _Strips(luma, margin, side=side, columns=columns)
    restorer = _Restorer(luma, scale=scale, side=side, columns=columns)
    restored = np.zeros((side, luma.shape[1]), np.float32)
    for row in range(rows):
        sums[:4, row] = strips.measure(row)
        restorer.restore(row, restored)
        sums[4, row] = strips.squared_error(row, restored)
        if sr is not None:
            made = sr[row * side : (row + 1) * side, : columns * side]
            restored[:, : columns * side] = luma_of_floats(made)
            sums[5, row] = strips.squared_error(row, restored)
    sums /= side * side
    return CellScores(
        edge_density=sums[0],
        variance=np.maximum(sums[2] - sums[1] ** 2, 0),
        restoration_error=sums[4],
        network_loss=sums[5] if sr is not None else np.full((rows, columns), np.nan),
        clipped=sums[3],
    )


class _Strips:
    """Takes a row of cells in strips of a few lines and sums up over the cells.

    Lines are taken as one long vector with their frames: neighbours are then a shift of it, which
    is several times as fast as a window. What this puts into the frames is not looked at.
    """

    def __init__(self, luma: _Map, margin: int, *, side: int, columns: int) -> None:
        self._width, self._side, self._columns = luma.shape[1], side, columns
        # Begins one line and one pixel before the picture.
        self._pixels = luma.reshape(-1)[(margin - 1) * (self._width + 1) :]
        self._lines = min(side, max(1, _STRIP_PIXELS // self._width))
        shape = (3, (self._lines + 2) * self._width)
        self._first, self._second, self._third = np.zeros(shape, np.float32)
        self._mask = np.zeros(self._lines * self._width, np.bool_)

    def measure(self, row: int) -> NDArray[np.float64]:
        """Sum up steep pixels, values and squares about the middle, and clipped pixels."""
        sums = np.zeros((4, self._columns))
        for _, strip in self._strips(row):
            inner = self._inner(strip)
            mask, centred = self._mask[: inner.size], self._third[: inner.size]
            np.greater(self._steepness(strip), _STEEP, out=mask)
            sums[0] += self._fold(mask)
            np.subtract(inner, _MIDDLE, out=centred)
            sums[1] += self._fold(centred)
            centred *= centred
            sums[2] += self._fold(centred)
            np.greater_equal(centred, _CLIPPED, out=mask)
            sums[3] += self._fold(mask)
        return sums

    def squared_error(self, row: int, restored: _Map) -> NDArray[np.float64]:
        """Sum up squared differences to (side, width), which begins where the picture does."""
        sums = np.zeros(self._columns)
        for top, strip in self._strips(row):
            inner = self._inner(strip)
            made = restored[top : top + self._lines].reshape(-1)
            error = np.subtract(made, inner, out=self._first[: inner.size])
            error *= error
            sums += self._fold(error)
        return sums

    def _strips(self, row: int) -> Iterator[tuple[int, _Map]]:
        """Go through a row of cells: first line of a strip, and its pixels with a frame."""
        for top in range(0, self._side, self._lines):
            lines = min(self._lines, self._side - top)
            start = (row * self._side + top) * self._width
            yield top, self._pixels[start : start + (lines + 2) * self._width]

    def _inner(self, strip: _Map) -> _Map:
        """Take the pixels themselves: the first line and the first pixel are frame."""
        start = self._width + 1
        return strip[start : start + strip.size - 2 * self._width]

    def _steepness(self, strip: _Map) -> _Map:
        """Take 64 times the squared gradient by Sobel's operator, as `gradient_magnitude`."""
        width, size = self._width, strip.size
        first, second, third = self._first, self._second, self._third
        # (1, 2, 1) is (1, 1) after (1, 1).
        pairs = np.add(strip[:-width], strip[width:], out=first[: size - width])
        smooth = np.add(pairs[:-width], pairs[width:], out=second[: size - 2 * width])
        across = np.subtract(smooth[2:], smooth[:-2], out=third[: size - 2 * width - 2])
        rise = np.subtract(strip[2 * width :], strip[: -2 * width], out=first[: size - 2 * width])
        pairs = np.add(rise[1:], rise[:-1], out=second[: rise.size - 1])
        down = np.add(pairs[1:], pairs[:-1], out=first[: rise.size - 2])
        across *= across
        down *= down
        across += down
        # The last two lie in the frame.
        steepness: _Map = third[: size - 2 * width]
        return steepness

    def _fold(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        lines = values.reshape(-1, self._width)
        counted = lines.view(np.uint8) if lines.dtype == np.bool_ else lines
        kind = np.uint16 if lines.dtype == np.bool_ else np.float32
        total = np.add.reduce(counted, axis=0, dtype=kind)
        cells = total[: self._columns * self._side].reshape(self._columns, self._side)
        folded: NDArray[np.float64] = cells.sum(axis=1, dtype=np.float64)
        return folded


class _Restorer:
    """Shrinks the luma and enlarges it again, by bicubic interpolation, as matrix products."""

    def __init__(self, luma: _Map, *, scale: int, side: int, columns: int) -> None:
        self._scale, self._side, self._columns = scale, side, columns
        if side % scale:
            # Cells that do not begin on a pixel of the LR have no kernels in common.
            margin = framing(scale)
            hr = luma[margin:-margin, margin:-margin]
            self._whole = upscale(downscale(hr, scale), scale)
        else:
            self._padded = np.pad(_shrunk(luma, scale, side // scale), _REACH, mode="symmetric")

    def restore(self, row: int, into: _Map) -> None:
        """Restore a row of cells into (side, columns * side or more)."""
        side, columns = self._side, self._columns
        if side % self._scale:
            band = self._whole[row * side : (row + 1) * side]
            into[:, : columns * side] = band[:, : columns * side]
            return
        step = side // self._scale
        kernels = _enlarging(step, self._scale)
        tall = kernels @ self._padded[row * step : (row + 1) * step + 2 * _REACH]
        cells = as_strided(into, (columns, side, side), (side * into.itemsize, *into.strides))
        np.matmul(_windows(tall, columns, step, kernels.shape[1]), kernels.T, out=cells)


def _shrunk(luma: _Map, scale: int, step: int) -> _Map:
    """Shrink a framed luma, `step` rows and columns of the result at a time."""
    height, width = (-(-n // scale) - 2 * _MARGIN for n in luma.shape)
    skip = (_MARGIN - _REACH) * scale
    small = np.empty((height, width), np.float32)
    kernels = _shrinking(step, scale)
    columns = width // step
    rest = width - columns * step
    for top in range(0, height, step):
        count = min(step, height - top)
        needed = (count + 2 * _REACH) * scale
        first = top * scale + skip
        tall = kernels[:count, :needed] @ luma[first : first + needed, skip:]
        band = small[top : top + count]
        down, right = band.strides
        cells = as_strided(band, (columns, count, step), (step * right, down, right))
        windows = _windows(tall, columns, step * scale, kernels.shape[1])
        np.matmul(windows, kernels.T, out=cells)
        if rest:
            needed = (rest + 2 * _REACH) * scale
            first = columns * step * scale
            band[:, -rest:] = tall[:, first : first + needed] @ kernels[:rest, :needed].T
    return small


def _windows(lines: _Map, count: int, step: int, wide: int) -> _Map:
    """Look at `count` windows that begin `step` columns apart: (count, rows, wide)."""
    down, right = lines.strides
    return as_strided(lines, (count, len(lines), wide), (step * right, down, right))


@lru_cache(maxsize=8)
def _enlarging(step: int, scale: int) -> _Map:
    """Weights that make `step * scale` samples of `step` ones and two more on either side."""
    length = step + 4 * _REACH
    index, weight = bicubic_taps(length, length * scale, Fraction(scale))
    inside = slice(2 * _REACH * scale, (2 * _REACH + step) * scale)
    kernels = np.zeros((step * scale, length), np.float32)
    np.put_along_axis(kernels, index[inside], weight[inside].astype(np.float32), axis=1)
    return np.ascontiguousarray(kernels[:, _REACH:-_REACH])


@lru_cache(maxsize=8)
def _shrinking(step: int, scale: int) -> _Map:
    """Weights that make `step` samples of `scale` times as many and two times `scale` around."""
    length = step + 4 * _REACH
    index, weight = bicubic_taps(length * scale, length, Fraction(1, scale))
    inside = slice(2 * _REACH, 2 * _REACH + step)
    kernels = np.zeros((step, length * scale), np.float32)
    np.put_along_axis(kernels, index[inside], weight[inside].astype(np.float32), axis=1)
    return np.ascontiguousarray(kernels[:, _REACH * scale : -_REACH * scale])
