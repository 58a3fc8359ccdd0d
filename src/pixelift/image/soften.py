"""Softening a picture that passes by: a share of each pixel goes to its neighbours.

Networks learn from pictures that were shrunk by a kernel as wide as the smaller pixels are. What
was sharpened since, or shrunk without such a kernel, has more contrast between neighbours than
anything they saw; they take it for detail, and draw hatches. Softened, it is as they know it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.resample import straight, weighed
from pixelift.image.rows import Rows, Samples, Window, as_type

MOST = 0.2
"""Largest share: with a quarter, the finest stripes would vanish."""

_BAND = 64
"""Rows that are softened at once: they stay in a processor's cache."""

_ONE = 256
"""Weights of whole numbers, in parts of this: 8 bits pass the first sum in 16."""


def soften_rows(rows: Rows, share: float) -> Rows:
    """Let each pixel give a share to either neighbour, along rows and along columns.

    The finest stripes keep (1 - 4 share) of their contrast, wide ones all of it. Colour is weighed
    by alpha, which is softened too. Beyond the border the picture is mirrored.

    Args:
        rows: The picture; used up by what is returned.
        share: 0 to `MOST`, in steps of 1/256.

    Returns:
        The softened picture: samples of the same type, rounded once where they are integers.
    """
    part = round(share * _ONE)
    return Rows(rows.header, _bands(rows, part)) if part else rows


def _bands(rows: Rows, part: int) -> Iterator[Samples]:
    height, has_alpha = rows.header.size.height, rows.header.has_alpha
    window = Window(rows.bands)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        band = window.rows(max(0, top - 1), min(height, bottom + 1))
        band = np.pad(band, ((top == 0, bottom == height), (1, 1), (0, 0)), mode="edge")
        if not has_alpha:
            yield _soften(band, part)
            continue
        soft = straight(_floats(weighed(band, has_alpha=True), part), has_alpha=True)
        yield as_type(soft, band.dtype)


def _soften(band: Samples, part: int) -> Samples:
    """Soften (h + 2, w + 2, C) to (h, w, C)."""
    if band.dtype == np.float32:
        return _floats(band.astype(np.float32, copy=False), part)
    # Each sum adds 8 bits: those of 8 bits fit into 16 and then 24, those of 16 into 24 and 32.
    is_short = band.dtype == np.uint8
    sums = _down(band.astype(np.uint16 if is_short else np.uint32), part)
    total = _right(sums.astype(np.uint32 if is_short else np.uint64), part)
    total += total.dtype.type(_ONE * _ONE // 2)
    total >>= total.dtype.type(16)
    return total.astype(band.dtype)


def _floats(band: NDArray[np.float32], part: int) -> NDArray[np.float32]:
    result: NDArray[np.float32] = _right(_down(band, part), part) * np.float32(1 / (_ONE * _ONE))
    return result


def _down(band: NDArray[Any], part: int) -> NDArray[Any]:
    return _weigh(band[:-2], band[1:-1], band[2:], part)


def _right(band: NDArray[Any], part: int) -> NDArray[Any]:
    return _weigh(band[:, :-2], band[:, 1:-1], band[:, 2:], part)


def _weigh(before: NDArray[Any], at: NDArray[Any], behind: NDArray[Any], part: int) -> NDArray[Any]:
    one = at.dtype.type
    result: NDArray[Any] = at * one(_ONE - 2 * part)
    result += before * one(part)
    result += behind * one(part)
    return result
