import dataclasses

import numpy as np
import pytest

from pixelift.errors import ShapeError
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture

RGB = np.zeros((4, 6, 3), np.float32)


def test_a_picture_of_pixels_alone_is_8_bits_without_anything_else():
    picture = Picture(RGB)
    assert (picture.depth, picture.alpha, picture.icc, picture.exif, picture.dpi) == (
        *(8, None, None, None),
        None,
    )
    assert picture.format is None


def test_size_is_height_first():
    assert Picture(RGB).size == Size(height=4, width=6)


def test_one_channel_is_grey():
    assert Picture(RGB[..., :1]).is_grey
    assert not Picture(RGB).is_grey


def test_replace_changes_only_what_is_named_and_shares_the_rest():
    picture = Picture(RGB, dpi=(300.0, 150.0), icc=b"profile")
    changed = picture.replace(depth=16, icc=None)
    assert changed.depth == 16
    assert changed.icc is None
    assert changed.dpi == (300.0, 150.0)
    assert changed.pixels is picture.pixels
    assert picture.depth == 8


def test_a_picture_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Picture(RGB).depth = 16


@pytest.mark.parametrize(
    "shape", [(4, 6), (4, 6, 2), (4, 6, 4), (0, 6, 3), (4, 0, 1), (1, 4, 6, 3)]
)
def test_pixels_that_are_no_grey_or_rgb_picture_are_refused(shape):
    with pytest.raises(ShapeError, match="allowed is"):
        Picture(np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_pixels_that_are_not_float32_are_refused(dtype):
    with pytest.raises(ShapeError, match=r"pixels are .*float32"):
        Picture(np.zeros((4, 6, 3), dtype))


def test_alpha_of_another_shape_or_type_is_refused():
    with pytest.raises(ShapeError, match="alpha has the shape"):
        Picture(RGB, np.zeros((4, 6, 1), np.float32))
    with pytest.raises(ShapeError, match="alpha are uint8"):
        Picture(RGB, np.zeros((4, 6), np.uint8))


def test_replace_checks_shapes_again():
    picture = Picture(RGB, np.ones((4, 6), np.float32))
    with pytest.raises(ShapeError):
        picture.replace(pixels=np.zeros((8, 12, 3), np.float32))
