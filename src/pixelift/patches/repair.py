"""Gentle repair: a large photo that was compressed too much still makes a good small one."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelift.image.color import luma
from pixelift.image.resize import downscale
from pixelift.patches.artefacts import JPEG_BLOCK, blockiness
from pixelift.patches.screen import Limits

LARGE: Final = 1000
"""Shorter side, in pixels, from which a photo has pixels to spare."""

HALVED: Final = "halved"


def repair(
    rgb: NDArray[np.uint8], measures: Mapping[str, float], *, limits: Limits
) -> tuple[NDArray[np.uint8], str] | None:
    """Halve a large photo with JPEG blocks, if that brings it under the limit.

    Halving averages four pixels into one, and with them what compression did to each. Blocks of
    8 pixels become blocks of 4, so both sizes are measured afterwards.

    Args:
        rgb: (H, W, 3) uint8 RGB.
        measures: What `measure_artefacts` gave for it.
        limits: What is allowed.

    Returns:
        The halved photo, with sides rounded up, and the word for what was done; None where
        nothing is wrong, the photo is not large, or halving does not help.
    """
    if measures.get("blockiness", 1.0) <= limits.blockiness_max or min(rgb.shape[:2]) < LARGE:
        return None
    halved = downscale(rgb, 2)
    levels = luma(halved.astype(np.float32) / np.float32(255))
    left = max(blockiness(levels), blockiness(levels, block=JPEG_BLOCK // 2))
    return (halved, HALVED) if left <= limits.blockiness_max else None
