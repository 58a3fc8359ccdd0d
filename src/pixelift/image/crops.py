"""LR crops made when they are needed: bit for bit those of the shrunk picture.

The weights of scales 2, 3 and 4 are whole numbers, and so small that float32 adds products with
8-bit samples up without any error: matrix products then give the very sums. libvips has no part in
it: with it, tests whose batches were loaded by forked processes hung; the cause was not traced.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box, Margins
from pixelift.image.mirror import Cuttable, cut_mirrored
from pixelift.image.resize import downscale
from pixelift.image.shrink import WEIGHTS

_REACH = 2
"""LR pixels around a crop that its kernels reach into."""


def downscale_crops(
    pictures: Sequence[Cuttable[np.uint8]], boxes: Sequence[Box], *, scale: int
) -> NDArray[np.uint8]:
    """Cut crops out of pictures and shrink them as if each picture had been shrunk as a whole.

    All crops are shrunk in one go, each with a margin that its kernels reach into; where the
    picture ends, the margin is its mirror image.

    Args:
        pictures: (H, W, C) each, memory-mapped or not; one for each box.
        boxes: Boxes of one size, inside of the pictures and on the scale's grid, in HR pixels.
        scale: HR pixels per LR pixel along each axis.

    Returns:
        (N, h / scale, w / scale, C), `downscale(picture, scale)[box.unscaled(scale).slices]` each.

    Raises:
        ValueError: A box does not lie on the grid of the scale.
    """
    margins = Margins.around(_REACH * scale)
    wide = boxes[0].grown(margins)
    tall = np.empty((len(boxes), wide.height, wide.width, pictures[0].shape[2]), np.uint8)
    for picture, box, place in zip(pictures, boxes, tall, strict=True):
        box.unscaled(scale)
        place[...] = cut_mirrored(picture, box.grown(margins))
    if scale in WEIGHTS:
        return _shrink(tall, scale)
    small = downscale(tall.reshape(-1, *tall.shape[2:]), scale)
    small = small.reshape(len(boxes), -1, *small.shape[1:])
    return small[:, _REACH:-_REACH, _REACH:-_REACH]


def _shrink(crops: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink (N, H, W, C) without its margins: rows first, rounded, then columns."""
    count, height, width, channels = crops.shape
    lines = crops.reshape(count, height, -1).astype(np.float32)
    lines = _rounded(_kernels(height, scale) @ lines, scale)
    across = lines.reshape(count, -1, width, channels).transpose(0, 3, 1, 2)
    small = _rounded(np.ascontiguousarray(across) @ _kernels(width, scale).T, scale)
    return np.ascontiguousarray(small.transpose(0, 2, 3, 1), np.uint8)


def _rounded(sums: NDArray[np.float32], scale: int) -> NDArray[np.float32]:
    """Divide by the sum of the weights and round; ties, of scales 2 and 4, are exact and go up."""
    sums *= np.float32(1 / sum(WEIGHTS[scale]))
    sums += np.float32(0.5)
    np.floor(sums, out=sums)
    return np.clip(sums, 0, 255, out=sums)


@lru_cache(maxsize=16)
def _kernels(length: int, scale: int) -> NDArray[np.float32]:
    """Weights, as whole numbers, that make of `length` samples those within the margins."""
    weights = WEIGHTS[scale]
    kernels = np.zeros((length // scale - 2 * _REACH, length), np.float32)
    first = _REACH * scale + scale // 2 - len(weights) // 2
    for number, kernel in enumerate(kernels):
        start = first + number * scale
        kernel[start : start + len(weights)] = weights
    return kernels
