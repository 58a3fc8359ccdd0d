import itertools

import numpy as np
import pytest

from pixelift.infer.cover import CALL_PIXELS, cover


def cost(boxes, cell, halo):
    return sum(
        (b.height * cell + 2 * halo) * (b.width * cell + 2 * halo) + CALL_PIXELS for b in boxes
    )


@pytest.mark.parametrize("halo", [0, 6, 40])
def test_marked_cells_are_covered_once_and_no_cell_twice(rng, halo):
    for share in (0.1, 0.3, 0.6, 0.9):
        marked = rng.random((5, 4)) < share
        times = np.zeros(marked.shape, int)
        for box in cover(marked, cell=48, halo=halo):
            times[box.slices] += 1
        assert times.max(initial=0) <= 1
        assert (times[marked] == 1).all()


def test_nothing_and_everything_need_no_search():
    assert cover(np.zeros((5, 5), bool), cell=48, halo=4) == []
    (box,) = cover(np.ones((5, 3), bool), cell=48, halo=4)
    assert (box.top, box.left, box.height, box.width) == (0, 0, 5, 3)


def test_cells_far_apart_are_done_one_by_one_and_near_ones_together():
    marked = np.zeros((5, 5), bool)
    marked[0, 0] = marked[4, 4] = True
    assert len(cover(marked, cell=48, halo=4)) == 2
    checks = np.indices((4, 4)).sum(axis=0) % 2 == 0
    assert len(cover(checks, cell=8, halo=10)) == 1


def test_no_two_halves_are_cheaper_than_what_was_chosen():
    # A second opinion: all ways to cut a small grid, by plain recursion.
    def least(marked):
        if not marked.any():
            return 0
        h, w = marked.shape
        whole = (h * 16 + 12) * (w * 16 + 12) + CALL_PIXELS
        cuts = [np.split(marked, [i], axis=a) for a in (0, 1) for i in range(1, marked.shape[a])]
        return min([whole, *(least(a) + least(b) for a, b in cuts)])

    for seed in range(20):
        marked = np.random.default_rng(seed).random((3, 4)) < 0.4
        assert cost(cover(marked, cell=16, halo=6), 16, 6) == least(marked)


def test_the_order_is_that_of_reading(rng):
    marked = rng.random((5, 5)) < 0.3
    boxes = cover(marked, cell=48, halo=4)
    assert boxes == cover(marked.copy(), cell=48, halo=4)
    assert all(a != b for a, b in itertools.pairwise(boxes))
