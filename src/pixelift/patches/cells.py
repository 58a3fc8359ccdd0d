"""All measures of all patches of a picture in one pass, without a map of any of them.

The measures are those of `pixelift.patches.score`. Here they are summed up over the cells of a
grid, strip by strip, so that nothing in between leaves the processor's cache.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pixelift.image.resize import bicubic_taps, upscale
from pixelift.patches.luma import FRAME, framed_luma, luma_of_floats
from pixelift.patches.score import EDGE_THRESHOLD

# Sobel's gradient is divided by 8 to be in levels per pixel (see `gradient_magnitude`).
_STEEP = np.float32((8 * EDGE_THRESHOLD) ** 2)
# Squares about the middle of the range stay small, so float32 holds them well.
_MIDDLE = np.float32(125.5)
# Luma is rounded to 16 or 235 from this distance to the middle.
_CLIPPED = np.float32(109.0**2)
_STRIP_PIXELS = 48 << 10
_REACH = 2

_Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CellScores:
    """Measures of the cells of a picture: each (rows, columns) float64."""

    edge_density: NDArray[np.float64]
    """Share of pixels, 0 to 1, whose luma gradient exceeds `EDGE_THRESHOLD`."""
    variance: NDArray[np.float64]
    """Luma variance in squared 8-bit levels."""
    restoration_error: NDArray[np.float64]
    """Mean squared error of the bicubic restoration of the LR in squared 8-bit levels."""
    network_loss: NDArray[np.float64]
    """Mean squared error of a network's luma in squared 8-bit levels; NaN without a network."""
    clipped: NDArray[np.float64]
    """Share of pixels, 0 to 1, whose rounded luma is 16 or 235: as dark or bright as can be."""


def measure_cells(
    luma: _Map,
    lr: NDArray[np.uint8],
    *,
    scale: int,
    side: int,
    sr: _Map | None = None,
) -> CellScores:
    """Measure the cells of a grid; what is left over at the right and below is not measured.

    The restoration error is that of the 8-bit LR, which training sees. Its rounding adds about
    0.1 squared levels to `restoration_error_map`, which does not round.

    Args:
        luma: (H + 2, W + 2) `framed_luma` of the HR picture; H and W are multiples of the scale.
        lr: (H / scale, W / scale, 3) RGB: its LR.
        scale: LR to HR factor.
        side: Side of a cell in HR pixels.
        sr: (H, W, 3) RGB in [0, 1]: what a network makes of the LR.

    Returns:
        The scores, (H // side, W // side).
    """
    rows, columns = ((n - 2 * FRAME) // side for n in luma.shape)
    sums = np.zeros((6, rows, columns))
    strips = _Strips(luma.shape[1], side, columns)
    restorer = _Restorer(lr, scale=scale, side=side, columns=columns)
    restored = np.zeros((side, luma.shape[1]), np.float32)
    for row in range(rows):
        band = luma[row * side : (row + 1) * side + 2 * FRAME]
        sums[:4, row] = strips.measure(band)
        restorer.restore(row, restored)
        sums[4, row] = strips.squared_error(band, restored)
        if sr is not None:
            made = sr[row * side : (row + 1) * side, : columns * side]
            restored[:, : columns * side] = luma_of_floats(made)
            sums[5, row] = strips.squared_error(band, restored)
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

    def __init__(self, width: int, side: int, columns: int) -> None:
        self._width, self._side, self._columns = width, side, columns
        self._lines = min(side, max(1, _STRIP_PIXELS // width))
        shape = (3, (self._lines + 2 * FRAME) * width)
        self._first, self._second, self._third = np.zeros(shape, np.float32)
        self._mask = np.zeros(self._lines * width, np.bool_)

    def measure(self, band: _Map) -> NDArray[np.float64]:
        """Sum up (side + 2, width): steep pixels, values and squares about the middle, clipped."""
        sums = np.zeros((4, self._columns))
        for top in range(0, self._side, self._lines):
            strip = band[top : top + self._lines + 2 * FRAME].reshape(-1)
            size = strip.size - 2 * FRAME * self._width
            mask, centred = self._mask[:size], self._third[:size]
            np.greater(self._steepness(strip), _STEEP, out=mask)
            sums[0] += self._fold(mask)
            np.subtract(self._inner(strip), _MIDDLE, out=centred)
            sums[1] += self._fold(centred)
            centred *= centred
            sums[2] += self._fold(centred)
            np.greater_equal(centred, _CLIPPED, out=mask)
            sums[3] += self._fold(mask)
        return sums

    def squared_error(self, band: _Map, restored: _Map) -> NDArray[np.float64]:
        """Sum up squared differences to (side, width) without a frame at the left and above."""
        sums = np.zeros(self._columns)
        for top in range(0, self._side, self._lines):
            strip = band[top : top + self._lines + 2 * FRAME].reshape(-1)
            size = strip.size - 2 * FRAME * self._width
            made = restored[top : top + self._lines].reshape(-1)
            error = np.subtract(made, self._inner(strip), out=self._first[:size])
            error *= error
            sums += self._fold(error)
        return sums

    def _inner(self, strip: _Map) -> _Map:
        """Take the pixels themselves: the first line and the first pixel are frame."""
        start = FRAME * self._width + FRAME
        return strip[start : start + strip.size - 2 * FRAME * self._width]

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
        return third[: size - 2 * width]

    def _fold(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        lines = values.reshape(-1, self._width)
        counted = lines.view(np.uint8) if lines.dtype == np.bool_ else lines
        kind = np.uint16 if lines.dtype == np.bool_ else np.float32
        total = np.add.reduce(counted, axis=0, dtype=kind)
        cells = total[: self._columns * self._side].reshape(self._columns, self._side)
        folded: NDArray[np.float64] = cells.sum(axis=1, dtype=np.float64)
        return folded


class _Restorer:
    """Enlarges the luma of the LR by bicubic interpolation, a row of cells at a time."""

    def __init__(self, lr: NDArray[np.uint8], *, scale: int, side: int, columns: int) -> None:
        self._scale, self._side, self._columns = scale, side, columns
        luma = framed_luma(lr)[FRAME:-FRAME, FRAME:-FRAME]
        # Cells that do not begin on a pixel of the LR have no kernels in common.
        self._whole = upscale(luma, scale) if side % scale else None
        self._padded = np.pad(luma, _REACH, mode="symmetric")

    def restore(self, row: int, into: _Map) -> None:
        """Enlarge a row of cells into (side, columns * side or more)."""
        side, columns = self._side, self._columns
        if self._whole is not None:
            band = self._whole[row * side : (row + 1) * side]
            into[:, : columns * side] = band[:, : columns * side]
            return
        step = side // self._scale
        kernels = _kernels(step, self._scale)
        taps = kernels.shape[1]
        tall = kernels @ self._padded[row * step : row * step + taps]
        down, right = tall.strides
        # Each cell with the columns around it that its kernels reach.
        windows = as_strided(tall, (columns, side, taps), (step * right, down, right))
        cells = as_strided(into, (columns, side, side), (side * into.itemsize, *into.strides))
        np.matmul(windows, kernels.T, out=cells)


@lru_cache(maxsize=8)
def _kernels(step: int, scale: int) -> _Map:
    """Weights that make `step * scale` samples of `step` ones and two more on either side."""
    length = step + 4 * _REACH
    index, weight = bicubic_taps(length, length * scale, Fraction(scale))
    inside = slice(2 * _REACH * scale, (2 * _REACH + step) * scale)
    kernels = np.zeros((step * scale, length), np.float32)
    np.put_along_axis(kernels, index[inside], weight[inside].astype(np.float32), axis=1)
    return np.ascontiguousarray(kernels[:, _REACH:-_REACH])
