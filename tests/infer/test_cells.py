"""Cells and blocks of a picture, and where one network fades into another."""

import numpy as np
import pytest

from pixelift.image.geometry import Box, Size
from pixelift.infer.cells import (
    BLOCK,
    CELL,
    FADE,
    block_size,
    cells_of,
    faded,
    plan_blocks,
    with_neighbours,
)


def test_blocks_cover_every_pixel_once_from_the_corner_on():
    size = Size(500, 260)
    times = np.zeros((500, 260), int)
    for block in plan_blocks(size, block_size(size)):
        assert block.top % CELL == block.left % CELL == 0
        assert max(block.height, block.width) <= BLOCK * CELL
        times[block.slices] += 1
    assert (times == 1).all()


@pytest.mark.parametrize("length", [1, CELL - 1, CELL, 5 * CELL, 5 * CELL + 1, 1000])
def test_blocks_are_whole_cells_in_even_shares_and_not_larger_than_the_picture(length):
    size = block_size(Size(length, length))
    assert size.height == size.width == length or size.height % CELL == 0
    count = -(-length // (BLOCK * CELL))
    assert len(plan_blocks(Size(length, length), size)) == count**2


def test_cells_beyond_the_picture_s_border_go_on():
    cells = np.array([[True, False], [False, True]])
    around = with_neighbours(cells, Box(0, 0, 2 * CELL, 2 * CELL))
    assert around.shape == (4, 4)
    assert np.array_equal(around, np.pad(cells, 1, mode="edge"))


def test_weights_rise_inside_of_a_cell_and_are_1_where_no_other_is_near():
    cells = np.zeros((3, 4), bool)
    cells[1, 1:3] = True
    weights = faded(cells, Size(CELL, 2 * CELL))
    assert weights.shape == (CELL, 2 * CELL)
    assert (weights[FADE:-FADE, FADE:-FADE] == 1).all()
    middle = weights[CELL // 2]
    assert (np.diff(middle[: FADE + 1]) > 0).all()
    assert 0 < middle[0] < 1
    assert not faded(np.zeros((3, 4), bool), Size(CELL, 2 * CELL)).any()


def test_single_cells_come_row_by_row():
    assert list(cells_of(Box(1, 2, 1, 2))) == [Box(1, 2, 1, 1), Box(1, 3, 1, 1)]
