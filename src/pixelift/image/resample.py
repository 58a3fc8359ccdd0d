"""Careful antialiased resizing of rows that pass by: the last step to a size between the scales."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.depth import to_float
from pixelift.image.geometry import Size
from pixelift.image.mirror import mirrored
from pixelift.image.rows import Rows, Samples, Window, as_type

LOBES = 3
"""Half the width of the kernel, in pixels of the smaller picture."""

_FLOAT = np.dtype(np.float32)

BLOCK = 64
"""Results of one matrix product: few enough that most of the matrix is not zero."""


def resize_rows(rows: Rows, size: Size, dtype: np.dtype[Any]) -> Rows:
    """Resize a picture that passes by, with Lanczos' kernel of three lobes.

    The kernel is symmetric, so nothing moves; when shrinking it is as wide as the smaller pixels
    are, so nothing finer than them is left to alias. Colour is weighed by alpha. Beyond the border
    the picture is mirrored.

    Args:
        rows: The picture; used up by what is returned.
        size: Size of the result, exact.
        dtype: Type of its samples: uint8, uint16 or float32.

    Returns:
        The resized picture.

    Paper: C. Duchon, "Lanczos filtering in one and two dimensions", Journal of Applied Meteorology
        18(8), 1979.
    """
    return Rows(rows.header.resized(size), _bands(rows, size, dtype))


def _bands(rows: Rows, size: Size, dtype: np.dtype[Any]) -> Iterator[Samples]:
    header = rows.header
    narrow = (_resize_columns(weighed(b, has_alpha=header.has_alpha), size) for b in rows.bands)
    window = Window(narrow)
    for top in range(0, size.height, BLOCK):
        first, weights = _matrix(header.size.height, size.height, top)
        source = window.rows(first, first + weights.shape[1])
        flat = as_type(source, _FLOAT).reshape(len(source), -1)
        band = (weights @ flat).reshape(len(weights), *source.shape[1:])
        yield as_type(straight(band, has_alpha=header.has_alpha), dtype)


def _resize_columns(band: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    height, width, channels = band.shape
    planar = np.ascontiguousarray(band.transpose(0, 2, 1)).reshape(height * channels, width)
    result = np.empty((height * channels, size.width), np.float32)
    for left in range(0, size.width, BLOCK):
        first, weights = _matrix(width, size.width, left)
        np.matmul(
            planar[:, first : first + weights.shape[1]],
            weights.T,
            out=result[:, left : left + BLOCK],
        )
    planes = result.reshape(height, channels, size.width)
    return np.ascontiguousarray(planes.transpose(0, 2, 1))


@lru_cache(maxsize=4096)
def _matrix(in_length: int, out_length: int, start: int) -> tuple[int, NDArray[np.float32]]:
    """Make the weights of up to `BLOCK` results from `start` on, and the first sample they need."""
    scale = Fraction(out_length, in_length)
    stretch = min(float(scale), 1.0)
    out = np.arange(start, min(start + BLOCK, out_length))
    centre = (out + 0.5) / float(scale) - 0.5
    reach = LOBES / stretch
    index = np.floor(centre - reach).astype(np.intp)[:, None] + np.arange(int(2 * reach) + 3)
    weight = _lanczos(stretch * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    inside = mirrored(index, in_length)
    inside[weight == 0] = inside[0, weight[0] != 0][0]
    first = int(inside.min())
    matrix = np.zeros((len(out), int(inside.max()) + 1 - first))
    np.add.at(matrix, (np.arange(len(out))[:, None], inside - first), weight)
    result = matrix.astype(np.float32)
    result.flags.writeable = False
    return first, result


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < LOBES, np.sinc(x) * np.sinc(x / LOBES), 0.0)


def weighed(band: Samples, *, has_alpha: bool) -> NDArray[np.float32]:
    """Weigh colours by alpha, so that what is hidden has no share in sums.

    Args:
        band: (H, W, C), uint8, uint16 or float32 in [0, 1].
        has_alpha: Whether the last channel is alpha.

    Returns:
        (H, W, C) in [0, 1].
    """
    values = to_float(band)
    if not has_alpha:
        return values
    return np.concatenate([values[..., :-1] * values[..., -1:], values[..., -1:]], axis=2)


def straight(band: NDArray[np.float32], *, has_alpha: bool) -> NDArray[np.float32]:
    """Take the weights of `weighed` out again, and clip.

    Args:
        band: (H, W, C), colours weighed by alpha.
        has_alpha: Whether the last channel is alpha.

    Returns:
        (H, W, C) in [0, 1]; colours that nothing of is seen are black.
    """
    if has_alpha:
        cover = np.clip(band[..., -1:], 0, 1)
        colour = np.zeros_like(band[..., :-1])
        np.divide(band[..., :-1], cover, out=colour, where=cover > 1 / 1024)
        band = np.concatenate([colour, cover], axis=2)
    return np.clip(band, 0, 1)
