"""Rectangles that cover the cells a network has to do in a block, at the least cost."""

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box

CALL_PIXELS = 1000
"""What a call costs beside its pixels, in pixels.

A shape that is new to an engine took it some 2 ms (balanced x4, OpenVINO, one core), in which it
enlarges about as many LR pixels.
"""


def cover(cells: NDArray[np.bool_], *, cell: int, halo: int) -> list[Box]:
    """Cover the marked cells of a block with rectangles that do not overlap.

    Every rectangle is later computed with a halo around it, so that many small ones cost more
    than a large one with some idle cells. Of all ways to cut the block in two, and the parts in
    two again, the cheapest is taken; the work grows with the cube of the block's side.

    Args:
        cells: (rows, columns), true where something has to be computed.
        cell: Side of a cell in LR pixels.
        halo: Context that each rectangle needs on each side, in LR pixels.

    Returns:
        Boxes in cells, in a fixed order.

    Example:
        >>> marked = np.zeros((3, 3), bool)
        >>> marked[0, 0] = marked[2, 1:] = True
        >>> cover(marked, cell=48, halo=4)
        [Box(top=0, left=0, height=1, width=1), Box(top=2, left=1, height=1, width=2)]
    """
    if not cells.any():
        return []
    if cells.all():
        return [Box(0, 0, *cells.shape)]
    return _Search(cells, cell, halo).cut(Box(0, 0, *cells.shape))


class _Search:
    """The least cost of every rectangle of cells, small ones first: each is whole or two parts."""

    def __init__(self, cells: NDArray[np.bool_], cell: int, halo: int) -> None:
        rows, columns = cells.shape
        counts = np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        # Each holds, by height and width of a rectangle, an array over its places.
        self._whole: dict[tuple[int, int], NDArray[np.intp]] = {}
        self._least: dict[tuple[int, int], NDArray[np.intp]] = {}
        for h in range(1, rows + 1):
            for w in range(1, columns + 1):
                inside = counts[h:, w:] - counts[:-h, w:] - counts[h:, :-w] + counts[:-h, :-w]
                price = (h * cell + 2 * halo) * (w * cell + 2 * halo) + CALL_PIXELS
                self._whole[h, w] = np.where(inside > 0, price, 0)
                self._least[h, w] = self._cheapest(h, w)

    def cut(self, box: Box) -> list[Box]:
        """List the rectangles of the cheapest way to cover the marked cells in a box."""
        least = self._least_in(box)
        if least == 0:
            return []
        for first, second in _halvings(box):
            if self._least_in(first) + self._least_in(second) == least:
                return self.cut(first) + self.cut(second)
        return [box]

    def _least_in(self, box: Box) -> int:
        return int(self._least[box.height, box.width][box.top, box.left])

    def _cheapest(self, h: int, w: int) -> NDArray[np.intp]:
        cost, least = self._least, self._whole[h, w]
        for at in range(1, h):
            least = np.minimum(least, cost[at, w][: at - h] + cost[h - at, w][at:])
        for at in range(1, w):
            least = np.minimum(least, cost[h, at][:, : at - w] + cost[h, w - at][:, at:])
        return least


def _halvings(box: Box) -> list[tuple[Box, Box]]:
    top, left, height, width = box.top, box.left, box.height, box.width
    across = [
        (Box(top, left, at, width), Box(top + at, left, height - at, width))
        for at in range(1, height)
    ]
    along = [
        (Box(top, left, height, at), Box(top, left + at, height, width - at))
        for at in range(1, width)
    ]
    return across + along
