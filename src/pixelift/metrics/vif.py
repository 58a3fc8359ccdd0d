"""Visual information fidelity: how much of what can be seen in the original is still there."""

import numpy as np
from numpy.typing import NDArray

from pixelift.metrics.protocol import Protocol

NOISE_VARIANCE = 2.0
"""Variance of the noise of the eye, in squared levels; the authors' choice."""

SCALES = 4
SMALLEST = 41
"""Pixels that must be left along each side, so that the coarsest scale has a window."""

_TINY = 1e-10


def vif(sr: NDArray[np.generic], hr: NDArray[np.generic], *, shave: int) -> float:
    """Measure how much of the information of `hr` is in `sr`; 1 for identical pictures.

    Args:
        sr: Super-resolved picture, (H, W, 3) RGB or (H, W, 1) or (H, W) grey; float32 in [0, 1],
            uint8 or uint16.
        hr: Reference picture, same shape, any of the same types.
        shave: Pixels cut from every edge before measuring, in HR pixels.

    Returns:
        A share, from 0; above 1 where the contrast was raised. More is better.

    Raises:
        ShapeError: The shapes differ, or fewer than 41x41 pixels are left after shaving.
        ConfigError: `shave` is negative.

    Paper: H. Sheikh and A. Bovik, "Image information and visual quality", IEEE Transactions on
        Image Processing 15(2), 2006, equation 17, in the authors' simpler form on pixels (vifp):
        Gaussian windows of 17, 9, 5 and 3 pixels. We measure BT.601 studio luma.
    """
    first, second = Protocol(shave).levels(sr, hr, smallest=SMALLEST, metric="VIF")
    return vif_of_planes(first[0], second[0])


def vif_of_planes(sr: NDArray[np.float64], hr: NDArray[np.float64]) -> float:
    """Measure two planes in 8-bit levels, see `vif`.

    Args:
        sr: (H, W).
        hr: (H, W).

    Returns:
        The share.
    """
    seen = there = 0.0
    for scale in range(SCALES):
        size = 2 ** (SCALES - scale) + 1
        if scale:
            sr, hr = (_blur(plane, size)[::2, ::2] for plane in (sr, hr))
        mean_sr, mean_hr = _blur(sr, size), _blur(hr, size)
        var_hr = np.maximum(_blur(hr * hr, size) - mean_hr**2, 0)
        var_sr = np.maximum(_blur(sr * sr, size) - mean_sr**2, 0)
        both = _blur(sr * hr, size) - mean_sr * mean_hr
        gain = both / (var_hr + _TINY)
        rest = var_sr - gain * both
        # As the authors do where a window is plain or the gain negative.
        gain = np.where(var_hr < _TINY, 0, gain)
        rest = np.where(var_hr < _TINY, var_sr, rest)
        var_hr = np.where(var_hr < _TINY, 0, var_hr)
        is_plain = var_sr < _TINY
        gain, rest = np.where(is_plain, 0, gain), np.where(is_plain, 0, rest)
        rest = np.maximum(np.where(gain < 0, var_sr, rest), _TINY)
        gain = np.maximum(gain, 0)
        seen += float(np.log10(1 + gain**2 * var_hr / (rest + NOISE_VARIANCE)).sum())
        there += float(np.log10(1 + var_hr / NOISE_VARIANCE).sum())
    return seen / there if there else 1.0


def _blur(plane: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Blur with a Gaussian window of sigma size / 5, keeping what needs no border."""
    offsets = np.arange(size) - size // 2
    taps = np.exp(-(offsets**2) / (2 * (size / 5) ** 2))
    taps /= taps.sum()
    height, width = (n - size + 1 for n in plane.shape)
    rows = sum(tap * plane[i : i + height] for i, tap in enumerate(taps))
    blurred: NDArray[np.float64] = sum(tap * rows[:, i : i + width] for i, tap in enumerate(taps))
    return blurred
