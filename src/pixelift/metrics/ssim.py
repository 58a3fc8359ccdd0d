"""Structural similarity, as papers on super-resolution measure it."""

import numpy as np
from numpy.typing import NDArray

from pixelift.metrics.protocol import PEAK, Channel, Protocol

WINDOW = 11
SIGMA_PX = 1.5
K1, K2 = 0.01, 0.03
STRIP_ROWS = 48
"""Rows of the map made at a time: what is in work stays in the processor's cache."""


def ssim(
    sr: NDArray[np.generic], hr: NDArray[np.generic], *, shave: int, channel: Channel = "y"
) -> float:
    """Measure how alike the structure of `sr` and `hr` is, 1 for identical pictures.

    Only windows that lie wholly inside the shaved picture count, as in the authors' MATLAB code;
    their optional shrinking of large pictures is not done, nor do papers on super-resolution.

    Args:
        sr: Super-resolved picture, (H, W, 3) RGB or (H, W, 1) or (H, W) grey; float32 in [0, 1],
            uint8 or uint16.
        hr: Reference picture, same shape, any of the same types.
        shave: Pixels cut from every edge before measuring, in HR pixels. Papers use the scale.
        channel: "y" measures BT.601 studio-range luma (SSIM-Y); "rgb" takes the channels' mean.

    Returns:
        Mean of the similarity map, at most 1.

    Raises:
        ShapeError: The shapes differ, or fewer than 11x11 pixels are left after shaving.
        ConfigError: `shave` is negative or `channel` is neither "y" nor "rgb".

    Paper: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
        structural similarity", IEEE Transactions on Image Processing 13(4), 2004, equation 13:
        11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03.

    Example:
        >>> grey = np.full((15, 15, 3), 128, np.uint8)
        >>> ssim(grey, grey, shave=2)
        1.0
    """
    protocol = Protocol(shave, channel)
    sr_levels, hr_levels = protocol.levels(sr, hr, smallest=WINDOW, metric="SSIM")
    height, width = sr_levels.shape[1:]
    planes = zip(sr_levels, hr_levels, strict=True)
    total = sum((_similarity_sum(x, y) for x, y in planes), start=0.0)
    windows = (height - WINDOW + 1) * (width - WINDOW + 1)
    return float(total / (windows * len(sr_levels)))


def _similarity_sum(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Sum the similarity map of two planes (H, W), strip by strip."""
    total = 0.0
    for top in range(0, x.shape[0] - WINDOW + 1, STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS + WINDOW - 1)
        total += float(_similarity(x[rows], y[rows]).sum())
    return total


def _similarity(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make the similarity map of two strips; (H - 10, W - 10), the paper's equation 13."""
    c1, c2 = (K1 * PEAK) ** 2, (K2 * PEAK) ** 2
    # x^2 + y^2 is blurred as one plane, because only the sum of the variances is needed.
    mean_x, mean_y, squares, product = _blur(np.stack([x, y, x * x + y * y, x * y]))
    mean_xy, mean_xx_yy = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    luminance = (2 * mean_xy + c1) / (mean_xx_yy + c1)
    structure = (2 * (product - mean_xy) + c2) / (squares - mean_xx_yy + c2)
    return np.asarray(luminance * structure)


def _blur(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur (N, H, W) with the Gaussian window, keeping what needs no border."""
    taps = _gaussian()
    height, width = planes.shape[1] - WINDOW + 1, planes.shape[2] - WINDOW + 1
    half = WINDOW // 2
    # The window is symmetric: two samples are added before they are weighed.
    rows = planes[:, half : half + height] * taps[half]
    for i in range(half):
        pair = planes[:, i : i + height] + planes[:, WINDOW - 1 - i : WINDOW - 1 - i + height]
        pair *= taps[i]
        rows += pair
    blurred: NDArray[np.float64] = rows[:, :, half : half + width] * taps[half]
    for i in range(half):
        pair = rows[:, :, i : i + width] + rows[:, :, WINDOW - 1 - i : WINDOW - 1 - i + width]
        pair *= taps[i]
        blurred += pair
    return blurred


def _gaussian() -> NDArray[np.float64]:
    offsets = np.arange(WINDOW) - WINDOW // 2
    taps = np.exp(-(offsets**2) / (2 * SIGMA_PX**2))
    return np.asarray(taps / taps.sum())
