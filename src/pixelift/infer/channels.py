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

# Grey goes from 0 to 1, studio luma from 16/255 to 235/255.
GREY_SPAN = np.float32(STUDIO_MATRIX[0].sum() / 255)
GREY_BLACK = np.float32(STUDIO_OFFSET[0] / 255)

NEIGHBOURHOOD = 2
"""Reach of bicubic interpolation in pixels: so far a pixel's colour is felt."""

FAINT = 4
"""A pixel less opaque than its most opaque neighbour by this factor counts as hidden in part.

Of 1, 2, 4 and 8 the smallest that lost no detail of soft edges (photo-like textures shrunk and
enlarged again by 4, laid on black, white and green).
"""

STEPS = (1, 3, 9)
"""Three sums of three pixels, that far apart, one of the other: windows of 3, 9 and 27 pixels."""

SPREAD_REACH = sum(STEPS)
"""How far visible colours are spread in pixels: so much more halo a tile with alpha needs."""

TRACE = np.float32(1 / 1024)
"""Alpha so close to none or to all is taken for it: a quarter of a level of 8 bits."""

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
    colour: Image, alpha: NDArray[np.float32], enlarge: Enlarge
) -> tuple[Image, NDArray[np.float32]]:
    """Enlarge colour and alpha so that hidden colours never shine through at an edge.

    What a file holds under transparent pixels is arbitrary, often black. So every pixel is first
    covered by the visible colours around it (averaged as premultiplied colour), as far as it is
    much less opaque than its neighbours; then colour is enlarged as if all of it were visible.
    One colour stays that colour under every alpha, whatever the network is. Alpha goes through the
    network as grey does, so that its edges are as sharp as those of the colour. Even transparency
    changes no colour at all, and an alpha of 1 all over costs nothing.

    Args:
        colour: (H, W, C), straight, not premultiplied.
        alpha: (H, W) in [0, 1].
        enlarge: Enlarges grey and colour, with a result in [0, 1].

    Returns:
        Straight colour and alpha of the enlarged picture, both in [0, 1].
    """
    if alpha.min() >= 1:
        sr = enlarge(colour)
        return sr, np.ones(sr.shape[:2], np.float32)
    if alpha.max() > 0:
        cover = alpha[..., None]
        share: Image = np.minimum(FAINT * cover / np.maximum(_highest_near(cover), SMALLEST), 1)
        colour = colour * share + _spread(colour, cover) * (1 - share)
    sr_alpha = enlarge(alpha[..., None])[..., 0]
    # Where all or nothing is covered the network is off by a trace, which would be seen as noise.
    sr_alpha[sr_alpha > 1 - TRACE] = 1
    sr_alpha[sr_alpha < TRACE] = 0
    return enlarge(colour), sr_alpha


def network_planes(colour: Image, *, channels: str) -> Image:
    """Bring grey or RGB to what a network takes.

    Args:
        colour: (H, W, 1) grey or (H, W, 3) RGB in [0, 1].
        channels: What the network takes, "rgb" or "y".

    Returns:
        (H, W, 3) RGB, or (H, W, 1) studio luma, in [0, 1].
    """
    is_grey = colour.shape[2] == 1
    if channels == "rgb":
        return np.repeat(colour, 3, axis=2) if is_grey else colour
    if is_grey:
        return colour * GREY_SPAN + GREY_BLACK
    return np.ascontiguousarray(rgb_to_ycbcr(colour)[..., :1])


def _grey_by_rgb(grey: Image, network: Enlarge) -> Image:
    # A network may answer grey with a trace of colour. Luma, and not the mean, makes PSNR-Y of
    # the grey result the same as that of the coloured one.
    sr: Image = network(network_planes(grey, channels="rgb")) @ LUMA_WEIGHTS
    return sr[..., None]


def _grey_by_luma(grey: Image, network: Enlarge) -> Image:
    return (network(network_planes(grey, channels="y")) - GREY_BLACK) / GREY_SPAN


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


def _spread(colour: Image, cover: Image) -> Image:
    """Give every pixel the visible colour of its surroundings, the nearer the better.

    Paper: after S. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (pull-push); with
        windows around each pixel in the place of a pyramid, so that where a picture is cut into
        tiles makes no difference.
    """
    sums = [np.concatenate([colour * cover, cover], axis=2)]
    for step in STEPS:
        sums.append(_sum_of_three(_sum_of_three(sums[-1], step, axis=0), step, axis=1))
    # Out of reach of all that is visible a pixel keeps its own colour, which nobody sees.
    spread = colour
    for total in reversed(sums):
        seen = total[..., -1:]
        share = np.minimum(seen, 1)
        mean = total[..., :-1] / np.maximum(seen, SMALLEST)
        spread = mean * share + spread * (1 - share)
    return spread


def _sum_of_three(image: Image, step: int, *, axis: int) -> Image:
    total = image.copy()
    ahead, behind = np.moveaxis(total, axis, 0), np.moveaxis(image, axis, 0)
    if step < len(behind):
        ahead[step:] += behind[:-step]
        ahead[:-step] += behind[step:]
    return total
