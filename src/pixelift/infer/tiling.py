"""Pictures of any size through a network in bounded memory: equal tiles with a mirrored halo."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelift.errors import OutOfMemoryError
from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.mirror import cut_mirrored
from pixelift.image.rows import Samples
from pixelift.zoo.card import Card

DEFAULT_TILE = 256
"""Core of a tile in LR pixels, without its halo.

With a halo of 10 the halo's share of the work is 16 %. Twice the side would save half of that for
four times the memory of the engine: a 512x512 picture at x4 through 8 layers of 32 channels in
bf16 took 290 MB at the peak of the whole process with 256, and 491 MB with 512.
"""


ENGINE_BYTES = 80_000_000
"""What a tile with its halo may take inside of an engine, by the estimate of `suitable_tile`."""

LEAN_TILE = 512
"""Where the engine takes samples as they are, and needs little memory for them: largest width."""

LEAN_PIXELS = 512 * 288
"""And the LR pixels of a core: those of a 480x270 picture and some more."""


MINIMUM_TILE = 16
"""Below this a smaller tile hardly needs less memory, since its halo stays."""

NO_CONTEXT = Margins()

Restore = Callable[[Samples, Box], Samples]
"""(H, W, C) samples, and the part of the enlarged result that is kept, to that part."""

Progress = Callable[[float], None]
"""Is told after each tile which share is done, from 0 to 1; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One call of the engine: what it sees and what of its result is kept."""

    source: Box
    """What the engine sees, in LR pixels: core and halo; mirrored where it leaves the picture."""
    core: Box
    """What is kept, in LR pixels; always inside the picture."""


def plan_tiles(size: Size, *, tile: int, halo: int) -> list[Tile]:
    """Divide a picture into tiles whose cores cover every pixel once.

    The sources of all tiles have the same size, so that an engine plans its memory once: rows are
    divided evenly, and the last source reaches into the mirrored picture where they do not come
    out even.

    Args:
        size: Size of the picture in LR pixels.
        tile: Largest side of a core in LR pixels; the engine sees `2 * halo` more.
        halo: Context on each side in LR pixels.

    Returns:
        The tiles, row by row.

    Raises:
        ValueError: `tile` is below 1, `halo` below 0, or the picture is empty.

    Example:
        >>> [t.core.left for t in plan_tiles(Size(1, 10), tile=4, halo=2)]
        [0, 4, 8]
    """
    if tile < 1 or halo < 0 or size.height < 1 or size.width < 1:
        raise ValueError(f"no tiles for a picture of {size}, tile {tile} and halo {halo}")
    whole = Box.whole(size)
    margins = Margins.around(halo)
    height, width = even_share(size.height, tile), even_share(size.width, tile)
    cores = [
        Box(top, left, height, width)
        for top in range(0, size.height, height)
        for left in range(0, size.width, width)
    ]
    return [Tile(core.grown(margins), core.intersect(whole)) for core in cores]


def suitable_tile(card: Card) -> int:
    """Choose a tile for a network: smaller where it is wide, so that memory stays what it is.

    An engine holds what goes into a convolution and what comes out, and four times the enlarged
    pixels (residual, base, their sum and the result), all in float32.

    Args:
        card: What the network promises.

    Returns:
        Side of a tile's core in LR pixels, `DEFAULT_TILE` or less.
    """
    pixel_bytes = _layer_bytes(card) + 16 * card.planes * card.scale**2
    side = math.isqrt(int(ENGINE_BYTES / pixel_bytes)) - 2 * card.radius
    return max(MINIMUM_TILE, min(DEFAULT_TILE, side))


def lean_pixels(card: Card) -> int:
    """Choose the size of a tile for a network whose engine holds no more than two layers.

    Args:
        card: What the network promises.

    Returns:
        LR pixels of a tile's core, `LEAN_PIXELS` or less.
    """
    return max(MINIMUM_TILE**2, min(LEAN_PIXELS, int(ENGINE_BYTES / max(1, _layer_bytes(card)))))


def _layer_bytes(card: Card) -> float:
    """Estimate what a pixel takes before and behind a convolution, from work and depth."""
    width = math.sqrt(card.macs_per_pixel / (9 * max(1, card.radius)))
    return 4 * 2 * width


def run_tiled(  # noqa: PLR0913 - what a tile is, and what is made of it, in numbers
    restore: Restore,
    image: Samples,
    *,
    scale: int,
    halo: int,
    tile: int = DEFAULT_TILE,
    dtype: np.dtype[Any] | None = None,
    channels: int | None = None,
    context: Margins = NO_CONTEXT,
    progress: Progress | None = None,
) -> Samples:
    """Enlarge a picture tile by tile, as if it had been enlarged at once.

    The result equals that of the whole picture when the halo is at least the radius of the
    network. Outside of the picture the network sees it mirrored, the border pixel repeated, as
    bicubic interpolation does too. When memory runs out, everything is made again with tiles of
    half the side, so that no tile of a failed attempt can stay in the result.

    Args:
        restore: Enlarges one tile; raises MemoryError when it is too large.
        image: (H, W, C), of any type that `restore` takes.
        scale: HR pixels per LR pixel along each axis.
        halo: Context on each side in LR pixels.
        tile: Side of the square of LR pixels that one call contributes, without the halo.
        dtype: Type of what `restore` returns; None for that of the image.
        channels: Channels of what `restore` returns; None for those of the image.
        context: What of the image is only there to be seen by its neighbours, in LR pixels: a band
            cut out of a picture has `halo` of it where the picture goes on.
        progress: Told after each tile; starts again when memory ran out.

    Returns:
        (scale * H, scale * W, channels) for H and W without the context.

    Raises:
        OutOfMemoryError: Memory is too small even for the smallest tile, or for the result.
    """
    core = Box.whole(Size(image.shape[0], image.shape[1])).shrunk(context)
    size = core.size
    shape = (size.height * scale, size.width * scale, channels or image.shape[2])
    try:
        result: Samples = np.empty(shape, image.dtype if dtype is None else dtype)
    except MemoryError as err:
        raise OutOfMemoryError(
            f"no memory for a result of {size.scaled(scale)}. "
            f"Cut the picture into parts, or use a smaller scale."
        ) from err
    # A tile larger than the picture would make the first halvings repeat what has just failed.
    side = min(tile, max(size.height, size.width))
    while True:
        try:
            parts = plan_tiles(size, tile=side, halo=halo)
            for done, part in enumerate(parts, start=1):
                lr = cut_mirrored(image, part.source.shifted(core.top, core.left))
                kept = part.core.shifted(-part.source.top, -part.source.left).scaled(scale)
                sr = restore(lr, kept)
                if sr.shape == shape and sr.dtype == result.dtype and sr.flags.owndata:
                    result = sr  # one tile is all of it
                else:
                    result[part.core.scaled(scale).slices] = sr
                if progress is not None:
                    progress(done / len(parts))
        except MemoryError as err:
            if side <= MINIMUM_TILE:
                raise OutOfMemoryError(
                    f"out of memory even with tiles of {side} pixels, for a picture of {size} "
                    f"({err}). Close other programs, or use a smaller model."
                ) from err
            side = max(side // 2, MINIMUM_TILE)
        else:
            return result


def even_share(length: int, most: int) -> int:
    """Divide a length into as few shares as can be, and these evenly.

    Args:
        length: What is divided.
        most: Largest share.

    Returns:
        The share; the last one may be smaller.

    Example:
        >>> even_share(10, 4)
        4
        >>> even_share(9, 5)
        5
    """
    count = -(-length // most)
    return -(-length // count)
