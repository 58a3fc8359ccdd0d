"""The eight flips and rotations of a picture, for augmentation and for self-ensembles."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

DIHEDRAL = range(8)
"""Codes of the eight transforms: bit 0 flips rows, bit 1 flips columns, bit 2 transposes (last)."""


def transform(picture: NDArray[T], code: int) -> NDArray[T]:
    """Flip or rotate a picture; a view, nothing is copied.

    Args:
        picture: (H, W, ...) array.
        code: One of `DIHEDRAL`; 0 changes nothing.

    Returns:
        (H, W, ...) or, where the code transposes, (W, H, ...).
    """
    if code & 1:
        picture = picture[::-1]
    if code & 2:
        picture = picture[:, ::-1]
    return picture.swapaxes(0, 1) if code & 4 else picture


def inverse(picture: NDArray[T], code: int) -> NDArray[T]:
    """Undo `transform` with the same code; a view, nothing is copied.

    Args:
        picture: What `transform` returned, (H, W, ...).
        code: The code that was used.

    Returns:
        The picture as it was.
    """
    if code & 4:
        picture = picture.swapaxes(0, 1)
    if code & 2:
        picture = picture[:, ::-1]
    return picture[::-1] if code & 1 else picture
