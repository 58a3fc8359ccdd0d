"""RGB to YCbCr and back by ITU-R BT.601 in studio range, as MATLAB's rgb2ycbcr defines it."""

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError

# Rows give Y, Cb and Cr in 8-bit levels for R, G, B in [0, 1] (ITU-R BT.601-7, section 2.5.3).
STUDIO_MATRIX = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]
)
STUDIO_OFFSET = np.array([16.0, 128.0, 128.0])


def luma(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take the BT.601 studio luma, not rounded.

    Args:
        rgb: (H, W, 3) RGB in [0, 1], or (H, W, 1) grey, which is taken as equal R, G and B.

    Returns:
        (H, W) float64 in 8-bit levels: black is 16, white 235.

    Raises:
        ShapeError: The array is not (H, W, 1) or (H, W, 3).

    Example:
        >>> luma(np.ones((1, 1, 3), np.float32))
        array([[235.]])
    """
    _require_channels(rgb)
    if rgb.shape[2] == 1:
        level: NDArray[np.float64] = rgb[..., 0] * STUDIO_MATRIX[0].sum() + STUDIO_OFFSET[0]
        return level.astype(np.float64, copy=False)
    levels: NDArray[np.float64] = rgb.astype(np.float64) @ STUDIO_MATRIX[0] + STUDIO_OFFSET[0]
    return levels


def rgb_to_ycbcr(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn RGB into studio-range YCbCr.

    Args:
        rgb: (H, W, 3) RGB in [0, 1].

    Returns:
        (H, W, 3) Y, Cb, Cr, float32, as 8-bit levels divided by 255 (Y from 16/255 to 235/255).

    Raises:
        ShapeError: The array is not (H, W, 3).
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ShapeError(f"rgb is {rgb.shape}; allowed is (H, W, 3). Stack three channels.")
    levels = rgb @ STUDIO_MATRIX.T.astype(np.float32) + STUDIO_OFFSET.astype(np.float32)
    return (levels / np.float32(255)).astype(np.float32, copy=False)


def ycbcr_to_rgb(ycbcr: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn studio-range YCbCr back into RGB, the inverse of `rgb_to_ycbcr`.

    Args:
        ycbcr: (H, W, 3) as `rgb_to_ycbcr` returns it.

    Returns:
        (H, W, 3) RGB float32; not clipped, since YCbCr holds colours that RGB does not.

    Raises:
        ShapeError: The array is not (H, W, 3).
    """
    if ycbcr.ndim != 3 or ycbcr.shape[2] != 3:
        raise ShapeError(f"ycbcr is {ycbcr.shape}; allowed is (H, W, 3). Stack three channels.")
    inverse = np.linalg.inv(STUDIO_MATRIX).T
    levels = ycbcr.astype(np.float64) * 255 - STUDIO_OFFSET
    rgb: NDArray[np.float64] = levels @ inverse
    return rgb.astype(np.float32)


def _require_channels(rgb: NDArray[np.floating]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] not in (1, 3):
        raise ShapeError(
            f"picture is {rgb.shape}; allowed are (H, W, 1) and (H, W, 3). Add a channel axis."
        )
