"""What lies beyond a picture's border: its mirror image, the border sample repeated.

The line of samples goes on for ever in both directions, ... 1 0 | 0 1 2 | 2 1 ..., as MATLAB's
imresize has it; numpy calls it "symmetric".
"""

from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box, Size

T_co = TypeVar("T_co", bound=np.generic, covariant=True)


class Cuttable(Protocol[T_co]):
    """A picture to cut out of: an array, or what makes the pixels only where they are cut out."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C)."""

    def __getitem__(self, place: tuple[slice, slice], /) -> NDArray[T_co]:
        """Cut rows and columns out: (height, width, C)."""


def mirrored(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Bring places beyond the border back into the picture, the border sample repeated.

    Args:
        index: Places along an axis, any shape, also negative.
        length: Samples of the axis.

    Returns:
        Places from 0 to length - 1.

    Example:
        >>> mirrored(np.arange(-2, 5), 3)
        array([1, 0, 0, 1, 2, 2, 1])
    """
    folded = index % (2 * length)
    return np.minimum(folded, 2 * length - 1 - folded)


def cut_mirrored(picture: Cuttable[T_co], box: Box) -> NDArray[T_co]:
    """Cut a box out of a picture that is mirrored at its borders.

    Args:
        picture: (H, W, C), each at least 1.
        box: What is cut out, in pixels; may reach out of the picture, by any distance.

    Returns:
        (box.height, box.width, C); a view where the box lies inside of an array.

    Example:
        >>> cut_mirrored(np.arange(3).reshape(1, 3, 1), Box(0, -2, 1, 7)).ravel().tolist()
        [1, 0, 0, 1, 2, 2, 1]
    """
    height, width = picture.shape[:2]
    whole = Box.whole(Size(height, width))
    inside = box.intersect(whole)
    above, left = inside.top - box.top, inside.left - box.left
    below, right = box.bottom - inside.bottom, box.right - inside.right
    if max(above, below) <= inside.height and max(left, right) <= inside.width:
        # Each side is mirrored out of what is inside: a twentieth of the time.
        cut = picture[inside.slices]
        if inside == box:
            return cut
        return np.pad(cut, ((above, below), (left, right), (0, 0)), mode="symmetric")
    rows = mirrored(np.arange(box.top, box.bottom), height)
    columns = mirrored(np.arange(box.left, box.right), width)
    return picture[whole.slices][np.ix_(rows, columns)]
