"""Where a network had to invent: a map of how far its eight answers are apart."""

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.mirror import cut_mirrored
from pixelift.image.picture import Picture
from pixelift.infer.channels import enlarge_colour
from pixelift.infer.engine import Engine
from pixelift.infer.ensemble import EnsembleEngine, SpreadEngine
from pixelift.infer.legend import with_legend
from pixelift.infer.tiling import DEFAULT_TILE

FULL = 8.0
"""Spread in 8-bit levels that is drawn in the last colour."""

# Dark and blue for sure, bright and yellow for invented: lightness grows evenly from end to end.
# Five points of a ramp of our own, in RGB.
RAMP = np.array(
    [(0.05, 0.05, 0.20), (0.30, 0.10, 0.50), (0.70, 0.20, 0.45), (0.95, 0.50, 0.25), (1, 0.95, 0.6)]
)

MARKS = (0, 1, 2, 4, 8)
"""Spreads that the legend names, in 8-bit levels."""


def measure_spread(
    colour: NDArray[np.float32], engine: Engine, *, tile: int = DEFAULT_TILE
) -> NDArray[np.float32]:
    """Ask a network eight times, and measure how far the answers are apart.

    The map is held in memory.

    Args:
        colour: (H, W, 1) or (H, W, 3) in [0, 1].
        engine: The network; of an ensemble the one that it asks.
        tile: Side of a tile's core in LR pixels.

    Returns:
        (scale * H, scale * W): the standard deviation of the eight lumas in 8-bit levels.

    Raises:
        OutOfMemoryError: Memory is too small for a tile.
    """
    if isinstance(engine, EnsembleEngine):
        engine = engine.inner
    spreads: list[NDArray[np.float32]] = []
    both = SpreadEngine(engine)

    def network(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        made = _tiled(both, planes, tile=tile)
        spreads.append(made[..., -1] * np.float32(255))
        return made[..., :-1]

    enlarge_colour(colour, network, channels=engine.card.channels, scale=engine.card.scale)
    return spreads[0]


def draw_spread(spread: NDArray[np.float32]) -> Picture:
    """Draw a spread in colours, with a legend.

    The scale is that of the square root: what is below one level is told apart too.

    Args:
        spread: (H, W) in 8-bit levels.

    Returns:
        RGB picture.
    """
    colours = ramp(np.array(MARKS, np.float32)).tolist()
    entries = [
        ((red, green, blue), f"{mark}{'+' if mark == FULL else ''}")
        for (red, green, blue), mark in zip(colours, MARKS, strict=True)
    ]
    entries.append(((1.0, 1.0, 1.0), "spread in 8-bit levels"))
    return Picture(with_legend(ramp(spread), entries))


def ramp(spread: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give each spread its colour.

    Args:
        spread: Any shape, in 8-bit levels.

    Returns:
        RGB in [0, 1], one axis more.
    """
    place = np.sqrt(np.clip(spread / np.float32(FULL), 0, 1))
    at = np.linspace(0, 1, len(RAMP))
    return np.stack([np.interp(place, at, RAMP[:, c]) for c in range(3)], axis=-1).astype(
        np.float32
    )


def _tiled(engine: Engine, planes: NDArray[np.float32], *, tile: int) -> NDArray[np.float32]:
    halo, scale = engine.card.radius, engine.card.scale
    size = Size(planes.shape[0], planes.shape[1])
    shape = (size.height * scale, size.width * scale, planes.shape[2] + 1)
    result = np.empty(shape, np.float32)
    whole = Box.whole(size)
    for top in range(0, size.height, tile):
        for left in range(0, size.width, tile):
            core = Box(top, left, tile, tile).intersect(whole)
            source = core.grown(Margins.around(halo))
            lr = cut_mirrored(planes, source).transpose(2, 0, 1)[None]
            kept = Box(halo, halo, core.height, core.width).scaled(scale)
            sr = engine(np.ascontiguousarray(lr))[0].transpose(1, 2, 0)
            result[core.scaled(scale).slices] = sr[kept.slices]
    return result
