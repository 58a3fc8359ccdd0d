"""Cells of a picture, blocks of cells, and how one network fades into another at their borders."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box, Size
from pixelift.infer.tiling import even_share

CELL = 48
"""Side of a cell in LR pixels. Of 16, 32, 48, 64 and 96 the one with the least work for the same
PSNR: smaller ones cost too much context, larger ones know too little (trials in
experiments/LOG.md)."""

BLOCK = 5
"""Side of a block in cells: 240 LR pixels, about `pixelift.infer.tiling.DEFAULT_TILE`."""

FADE = 4
"""Pixels inside the border of a cell over which the best network fades in."""

Weights = NDArray[np.float32]
"""(H, W) in LR pixels: share of the best network, 0 to 1."""


def block_size(size: Size, *, side: int = BLOCK) -> Size:
    """Choose the size of a picture's blocks: even shares of it, in whole cells.

    Args:
        size: Size of the picture in LR pixels.
        side: Largest side of a block in cells.

    Returns:
        The size in LR pixels, not larger than the picture.
    """
    tall, wide = (
        min(even_share(-(-length // CELL), side) * CELL, length)
        for length in (size.height, size.width)
    )
    return Size(tall, wide)


def plan_blocks(size: Size, block: Size) -> list[Box]:
    """Cut a picture into blocks, from its corner on.

    Args:
        size: Size of the picture in LR pixels.
        block: Size of a block.

    Returns:
        Boxes in LR pixels, row by row; those at the right and lower border may be smaller.
    """
    whole = Box.whole(size)
    return [
        Box(top, left, block.height, block.width).intersect(whole)
        for top in range(0, size.height, block.height)
        for left in range(0, size.width, block.width)
    ]


def cells_of(box: Box) -> Iterator[Box]:
    """List the single cells of some, row by row.

    Args:
        box: In cells.

    Yields:
        Boxes of one cell.
    """
    for top in range(box.top, box.bottom):
        for left in range(box.left, box.right):
            yield Box(top, left, 1, 1)


def with_neighbours(cells: NDArray[np.bool_], block: Box) -> NDArray[np.bool_]:
    """Cut a block's cells out, with one more on each side; beyond the border they go on.

    Args:
        cells: Those of the picture.
        block: In LR pixels.

    Returns:
        (rows + 2, columns + 2) of cells.
    """
    rows, columns = (
        np.arange(start // CELL - 1, -(-stop // CELL) + 1).clip(0, count - 1)
        for start, stop, count in (
            (block.top, block.bottom, cells.shape[0]),
            (block.left, block.right, cells.shape[1]),
        )
    )
    cut: NDArray[np.bool_] = cells[np.ix_(rows, columns)]
    return cut


def faded(cells: NDArray[np.bool_], size: Size) -> Weights:
    """Draw cells as weights that rise from 0 outside of them to 1 inside, over `FADE` pixels.

    Args:
        cells: Those of the block and one more on each side.
        size: Size of the block in LR pixels.

    Returns:
        (height, width) in [0, 1]; exactly 0 outside of the cells, and 1 where none but they are.
    """
    drawn = cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
    start = CELL - FADE
    drawn = drawn[start : CELL + size.height + FADE, start : CELL + size.width + FADE]
    inner = drawn.astype(np.uint8)
    for join in (np.minimum, np.add):
        for _ in range(2):  # rows, then columns
            inner = _windows(inner, join).T
    weights: Weights = inner.astype(np.float32) / np.float32((FADE + 1) ** 2)
    return weights


def _windows(
    values: NDArray[np.uint8], join: Callable[..., NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Join every row with the `FADE` rows below it, so that as many rows less are left."""
    length = len(values) - FADE
    joined = values[:length]
    for at in range(1, FADE + 1):
        joined = join(joined, values[at : at + length])
    return joined
