import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.geometry import Box
from pixelift.image.mirror import cut_mirrored, mirrored


class OnDemand:
    """A picture that is made where it is cut, and only there."""

    def __init__(self, pixels):
        self._pixels, self.shape = pixels, pixels.shape

    def __getitem__(self, place):
        assert all(
            part.start >= 0 and part.stop <= n for part, n in zip(place, self.shape, strict=False)
        )
        return self._pixels[place]


@given(st.integers(-70, 70), st.integers(0, 90), st.integers(1, 9))
def test_the_line_goes_on_as_numpy_pads_it(start, count, length):
    row = np.arange(length)
    padded = np.pad(row, 200, mode="symmetric")
    index = mirrored(np.arange(start, start + count), length)
    assert np.array_equal(row[index], padded[200 + start : 200 + start + count])


@pytest.mark.parametrize(
    "box",
    [
        Box(2, 1, 3, 4),
        Box(-3, -5, 12, 17),  # more than the picture, on all sides
        Box(-7, 6, 5, 2),  # only what is mirrored
        Box(3, -1, 20, 3),  # further than the picture is high
        Box(5, 7, 40, 60),
    ],
)
def test_a_box_is_cut_out_of_the_mirrored_picture(box):
    image = np.arange(6 * 8 * 2).reshape(6, 8, 2)
    rows = mirrored(np.arange(box.top, box.bottom), 6)
    columns = mirrored(np.arange(box.left, box.right), 8)
    expected = image[np.ix_(rows, columns)]
    assert np.array_equal(cut_mirrored(image, box), expected)
    assert np.array_equal(cut_mirrored(OnDemand(image), box), expected)


def test_a_box_inside_is_a_view():
    image = np.zeros((6, 8, 3), np.uint8)
    assert cut_mirrored(image, Box(0, 0, 6, 8)).base is image
