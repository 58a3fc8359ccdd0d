import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.geometry import Box, Margins, Size

small = st.integers(0, 50)
boxes = st.builds(Box, small, small, small, small)
margins = st.builds(Margins, small, small, small, small)


def test_size_prints_width_first_as_people_do():
    assert str(Size(270, 480)) == "480x270"
    assert Size(270, 480).pixels == 129600
    assert Size(2, 3).scaled(4) == Size(8, 12)


def test_slices_cut_the_box_out_of_an_array():
    array = np.arange(20).reshape(4, 5)
    assert array[Box(1, 2, 2, 3).slices].tolist() == [[7, 8, 9], [12, 13, 14]]


def test_a_box_that_starts_outside_gives_no_slices():
    with pytest.raises(IndexError, match="outside"):
        _ = Box(-1, 0, 2, 2).slices


def test_unscaling_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="grid of scale 4"):
        Box(0, 2, 4, 4).unscaled(4)


@given(boxes, margins)
def test_growing_then_shrinking_changes_nothing(box, margin):
    assert box.grown(margin).shrunk(margin) == box


@given(boxes, st.integers(1, 8))
def test_scaling_then_unscaling_changes_nothing(box, scale):
    assert box.scaled(scale).unscaled(scale) == box


@given(boxes, boxes)
def test_intersection_is_commutative_and_lies_in_both(a, b):
    both = a.intersect(b)
    assert both == b.intersect(a)
    if both.height and both.width:
        assert both.intersect(a) == both
        assert both.bottom <= b.bottom
        assert both.right <= b.right


@given(boxes, margins, st.integers(1, 4))
def test_margins_scale_with_their_box(box, margin, scale):
    assert box.grown(margin).scaled(scale) == box.scaled(scale).grown(margin.scaled(scale))


def test_whole_and_shifted_boxes():
    assert Box.whole(Size(3, 4)).shifted(1, 2) == Box(1, 2, 3, 4)
    assert Margins.around(2) == Margins(2, 2, 2, 2)
    assert Box(1, 2, 3, 4).size == Size(3, 4)
