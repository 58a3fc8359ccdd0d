import sys

import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.infer.kinds import OVERSHOOT, as_channels, checked_floats, pil_of, plain_pil


@pytest.mark.parametrize("tail", [(), (1,), (2,), (3,), (4,)])
def test_arrays_get_an_axis_of_channels(tail):
    array = np.zeros((3, 5, *tail), np.uint16)
    view = as_channels(array)
    assert view.shape == (3, 5, tail[0] if tail else 1)
    assert view.base is array or view is array


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((3, 4, 5, 1), np.uint8), "moveaxis"),
        (np.zeros((3, 0), np.uint8), "at least one pixel"),
        (np.zeros((4, 9, 9), np.uint8), "moveaxis"),
        (np.zeros((3, 3), np.int64), r"astype\(numpy.uint8\)"),
        (np.zeros((3, 3), bool), r"astype\(numpy.uint8\)"),
    ],
)
def test_other_arrays_are_refused_with_what_to_do(array, words):
    with pytest.raises(ShapeError, match=words):
        as_channels(array)


def test_floats_that_overshoot_a_little_are_clipped_and_others_refused():
    array = np.array([-OVERSHOOT, 0.5, 1 + OVERSHOOT])
    assert checked_floats(array).tolist() == [0, 0.5, 1]
    for wrong in (1.1, -0.1, np.nan, np.inf):
        with pytest.raises(ShapeError, match="Divide 8-bit values by 255"):
            checked_floats(np.array([0.5, wrong]))


def test_only_images_of_pil_are_taken_for_such(monkeypatch):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.new("P", (2, 2))
    assert pil_of(image) is image_module
    assert plain_pil(image).mode == "RGB"
    assert pil_of(np.zeros(3)) is None
    monkeypatch.delitem(sys.modules, "PIL.Image")
    assert pil_of(image) is None
