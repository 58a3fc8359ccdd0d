"""Which patches may be trained on at all: a verdict with its reason for each."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FLAT_VARIANCE: Final = 1.0
"""Luma variance (squared 8-bit levels) below which a patch is nothing but one colour."""

KEPT: Final = ""
FLAT: Final = "flat"


def screen_patches(variance: NDArray[np.floating]) -> list[str]:
    """Judge patches by what was measured of them.

    Args:
        variance: Luma variance of each patch in squared 8-bit levels, (N,).

    Returns:
        For each patch the reason why it is rejected, or an empty string where it is kept.

    Example:
        >>> screen_patches(np.array([0.2, 300.0]))
        ['flat', '']
    """
    return [FLAT if v < FLAT_VARIANCE else KEPT for v in variance]
