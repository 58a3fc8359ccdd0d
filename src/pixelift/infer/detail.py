"""How much there is to restore in each part of a picture, seen from the small picture alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Size
from pixelift.image.mirror import mirrored
from pixelift.infer.channels import LUMA_WEIGHTS

TAPS = (1, 4, 6, 4, 1)
REACH = len(TAPS) // 2
"""Pixels on each side that the energy of a pixel depends on."""

BAND = 256
"""Rows that are measured at a time."""


@dataclass(frozen=True, slots=True)
class Detail:
    """What was measured of a picture."""

    cells: NDArray[np.float64]
    """(rows, columns): mean energy of each cell, in squared 8-bit levels; cells at the right and
    lower border may be smaller than the others."""
    size: Size
    """Size of the picture, in LR pixels."""


def fine_energy(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure per pixel what is lost when the picture itself is halved and enlarged again.

    This is the restoration error that training draws its crops by (`pixelift.patches.score`),
    one octave lower, since the picture in hand is LR and its HR is not known. Smoothing by the
    kernel of the Gaussian pyramid stands for shrinking and enlarging: it is many times as fast
    and errs alike at every pixel, not by a grid of every second one. Of the measures compared it
    tells as well as any where a larger network pays (trials in experiments/LOG.md).

    Args:
        planes: (C, H, W) in [0, 1], RGB or a single plane, H and W at least 5.

    Returns:
        (H - 4, W - 4) float32 in squared 8-bit levels: 2 pixels are lost on each side.

    Paper: P. Burt and E. Adelson, "The Laplacian pyramid as a compact image code", 1983, with
        a = 3/8; here one level of it, at full size and squared.
    """
    luma = _luma(planes) if len(planes) == 3 else planes[0] * np.float32(255)
    smooth = _smooth(_smooth(luma).T).T
    high = luma[REACH:-REACH, REACH:-REACH] - smooth / np.float32(sum(TAPS) ** 2)
    return np.square(high, out=high)


def measure_cells(bands: Iterable[NDArray[np.float32]], *, cell: int) -> Detail:
    """Average `fine_energy` over the cells of a picture, which may come in bands of rows.

    The border is mirrored. How the rows are cut into bands makes no difference, to the last bit.

    Args:
        bands: (H, W, C) arrays in [0, 1], from top to bottom, at least one row in all.
        cell: Side of a cell in pixels.

    Returns:
        The means.
    """
    rows: list[NDArray[np.float64]] = []
    width = 1
    for band in _with_context(bands):
        width = band.shape[1]
        columns = mirrored(np.arange(-REACH, width + REACH), width)
        energy = fine_energy(np.ascontiguousarray(band.transpose(2, 0, 1)[:, :, columns]))
        starts = np.arange(0, width, cell)
        rows += list(np.add.reduceat(energy, starts, axis=1, dtype=np.float64))
    sums = np.add.reduceat(np.array(rows), np.arange(0, len(rows), cell), axis=0)
    size = Size(len(rows), width)
    return Detail(sums / cell_areas(size, cell=cell), size)


def beyond_share(
    cells: NDArray[np.float64], areas: NDArray[np.intp], *, spared: float
) -> NDArray[np.bool_]:
    """Mark all cells but those of the least detail that together hold a share of it.

    Args:
        cells: Detail of each cell, for each pixel.
        areas: Pixels of each; see `cell_areas`.
        spared: The share, 0 to 1.

    Returns:
        True for the cells that are not spared.
    """
    order = np.argsort(cells, axis=None, kind="stable")
    held = np.cumsum((cells * areas).ravel()[order])
    marked = np.ones(cells.shape, bool)
    marked.flat[order[held <= spared * held[-1]]] = False
    return marked


def cell_areas(size: Size, *, cell: int) -> NDArray[np.intp]:
    """Count the pixels of each cell; those at the right and lower border may be smaller.

    Args:
        size: Size of the picture in pixels.
        cell: Side of a cell in pixels.

    Returns:
        (rows, columns) of cells.
    """
    tall, wide = (
        np.diff([*range(0, length, cell), length]) for length in (size.height, size.width)
    )
    return np.outer(tall, wide)


def _with_context(bands: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Cut rows into bands of at most `BAND`, each with the rows before and behind that it needs."""
    held: NDArray[np.float32] | None = None
    has_top = False
    for band in bands:
        held = band if held is None else np.concatenate([held, band])
        if not has_top:
            if len(held) < REACH:
                continue  # the mirror image above needs its rows to be there
            held = np.concatenate([held[:REACH][::-1], held])
            has_top = True
        yield from _cut(held)
        held = held[max(0, len(held) - 2 * REACH) :]
    if held is None:
        raise ValueError("no rows to measure")
    if not has_top:  # a picture of a single row
        yield held[mirrored(np.arange(-REACH, len(held) + REACH), len(held))]
        return
    yield from _cut(np.concatenate([held, held[-REACH:][::-1]]))


def _cut(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    context = 2 * REACH
    for top in range(0, len(rows) - context, BAND):
        yield rows[top : top + BAND + context]


def _luma(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    weights = LUMA_WEIGHTS * np.float32(255)
    red: NDArray[np.float32] = planes[0] * weights[0]
    red += planes[1] * weights[1]
    red += planes[2] * weights[2]
    return red


def _smooth(values: NDArray[np.float32]) -> NDArray[np.float32]:
    length = len(values) - 2 * REACH
    parts = [values[at : at + length] for at in range(len(TAPS))]
    total: NDArray[np.float32] = parts[1] + parts[3]
    total *= np.float32(4)
    total += parts[0]
    total += parts[4]
    total += parts[2] * np.float32(6)
    return total
