"""Peak signal-to-noise ratio, as papers on super-resolution measure it."""

import math

import numpy as np
from numpy.typing import NDArray

from pixelift.metrics.protocol import PEAK, Channel, Protocol


def psnr(
    sr: NDArray[np.generic], hr: NDArray[np.generic], *, shave: int, channel: Channel = "y"
) -> float:
    """Measure how close `sr` comes to `hr`, in decibels.

    Both pictures are first rounded to 8 bits, because a saved file is what a reader sees; the
    luma made from them is not rounded (see `Protocol`).

    Args:
        sr: Super-resolved picture, (H, W, 3) RGB or (H, W, 1) or (H, W) grey; float32 in [0, 1],
            uint8 or uint16.
        hr: Reference picture, same shape, any of the same types.
        shave: Pixels cut from every edge before measuring, in HR pixels. Papers use the scale.
        channel: "y" measures BT.601 studio-range luma (PSNR-Y); "rgb" all channels together.

    Returns:
        Decibels below a peak of 255; `inf` when the 8-bit pictures are identical.

    Raises:
        ShapeError: The shapes differ, or `shave` leaves no pixels.
        ConfigError: `shave` is negative or `channel` is neither "y" nor "rgb".

    Example:
        >>> grey = np.full((8, 8, 3), 128, np.uint8)
        >>> round(psnr(grey + np.uint8(1), grey, shave=2), 6)
        49.452725
    """
    sr_levels, hr_levels = Protocol(shave, channel).levels(sr, hr)
    difference = (sr_levels - hr_levels).ravel()
    mse = float(difference @ difference) / difference.size
    return math.inf if mse == 0 else 10 * math.log10(PEAK**2 / mse)
