"""Grey, RGB and transparency through a network that takes RGB or luma: one function each."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET, rgb_to_ycbcr, ycbcr_to_rgb
from pixelift.image.resize import upscale

Image = NDArray[np.float32]

Enlarge = Callable[[Image], Image]
"""(H, W, C) in [0, 1] to (scale * H, scale * W, C): a network with its tiles, not clipped."""

LUMA_WEIGHTS = (STUDIO_MATRIX[0] / STUDIO_MATRIX[0].sum()).astype(np.float32)
"""BT.601 weights of R, G and B, of sum 1."""

NEIGHBOURHOOD = 2
"""Reach of bicubic interpolation in pixels: so far a pixel's colour is felt."""

FAINT = 4
"""A pixel less opaque than its most opaque neighbour by this factor counts as hidden in part.

Of 1, 2, 4 and 8 the smallest that lost no detail of soft edges (photo-like textures shrunk and
enlarged again by 4, laid on black, white and green).
"""

SMALLEST = np.float32(1e-30)
"""Stands for no cover at all where it is divided by."""


def enlarge_colour(colour: Image, network: Enlarge, *, channels: str, scale: int) -> Image:
    """Enlarge grey or RGB with a network of either kind.

    Args:
        colour: (H, W, 1) grey or (H, W, 3) RGB in [0, 1].
        network: Takes (H, W, 3) when `channels` is "rgb", and (H, W, 1) when it is "y".
        channels: What the network takes, as on its card.
        scale: HR pixels per LR pixel along each axis.

    Returns:
        Array with as many channels as were given, in [0, 1].
    """
    is_grey = colour.shape[2] == 1
    if channels == "rgb":
        result = _grey_by_rgb(colour, network) if is_grey else network(colour)
    else:
        result = _grey_by_luma(colour, network) if is_grey else _rgb_by_luma(colour, network, scale)
    return np.clip(result, 0, 1, out=result)


def enlarge_transparent(
    colour: Image, alpha: NDArray[np.float32], enlarge: Enlarge, *, scale: int
) -> tuple[Image, NDArray[np.float32]]:
    """Enlarge colour and alpha so that hidden colours never shine through at an edge.

    What a file holds under transparent pixels is arbitrary, often black. So every pixel is first
    covered by the visible colours around it (averaged as premultiplied colour), as far as it is
    much less opaque than its neighbours; then colour is enlarged as if all of it were visible, and
    alpha by bicubic interpolation. Even transparency changes no colour at all, and an alpha of 1
    all over costs nothing.

    Args:
        colour: (H, W, C), straight, not premultiplied.
        alpha: (H, W) in [0, 1].
        enlarge: Enlarges colour, with a result in [0, 1].
        scale: HR pixels per LR pixel along each axis.

    Returns:
        Straight colour and alpha of the enlarged picture, both in [0, 1].
    """
    if alpha.min() >= 1:
        sr = enlarge(colour)
        return sr, np.ones(sr.shape[:2], np.float32)
    if alpha.max() > 0:
        cover = alpha[..., None]
        share: Image = np.minimum(FAINT * cover / np.maximum(_highest_near(cover), SMALLEST), 1)
        colour = colour * share + _spread(colour * cover, cover) * (1 - share)
    sr_alpha: NDArray[np.float32] = np.clip(upscale(alpha, scale), 0, 1)
    return enlarge(colour), sr_alpha


def _grey_by_rgb(grey: Image, network: Enlarge) -> Image:
    # A network may answer grey with a trace of colour. Luma, and not the mean, makes PSNR-Y of
    # the grey result the same as that of the coloured one.
    sr: Image = network(np.repeat(grey, 3, axis=2)) @ LUMA_WEIGHTS
    return sr[..., None]


def _grey_by_luma(grey: Image, network: Enlarge) -> Image:
    # Grey goes from 0 to 1, studio luma from 16/255 to 235/255.
    span = np.float32(STUDIO_MATRIX[0].sum() / 255)
    black = np.float32(STUDIO_OFFSET[0] / 255)
    return (network(grey * span + black) - black) / span


def _rgb_by_luma(rgb: Image, network: Enlarge, scale: int) -> Image:
    ycbcr = rgb_to_ycbcr(rgb)
    luma = network(np.ascontiguousarray(ycbcr[..., :1]))
    return ycbcr_to_rgb(np.concatenate([luma, upscale(ycbcr[..., 1:], scale)], axis=2))


def _highest_near(cover: Image) -> Image:
    for axis, length in enumerate(cover.shape[:2]):
        reach = np.arange(-NEIGHBOURHOOD, length + NEIGHBOURHOOD).clip(0, length - 1)
        spread = cover.take(reach, axis=axis)
        windows = np.lib.stride_tricks.sliding_window_view(spread, 2 * NEIGHBOURHOOD + 1, axis)
        cover = windows.max(axis=-1)
    return cover


def _spread(premultiplied: Image, cover: Image) -> Image:
    """Give every pixel the visible colour of its surroundings, the nearer the better.

    Paper: S. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push), with boxes
        of 2x2 pixels.
    """
    height, width = cover.shape[:2]
    if height == width == 1:
        divisor: Image = np.maximum(cover, SMALLEST)
        return premultiplied / divisor
    half, half_cover = _halve(premultiplied), _halve(cover)
    # Four pixels can cover more than a whole one; what is more than whole is scaled down.
    surplus: Image = np.maximum(half_cover, 1)
    half, half_cover = half / surplus, half_cover / surplus
    coarse = half + _spread(half, half_cover) * (1 - half_cover)
    return coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def _halve(image: Image) -> Image:
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)))
    halved: Image = even.reshape(-(-height // 2), 2, -(-width // 2), 2, -1).sum(axis=(1, 3))
    return halved
