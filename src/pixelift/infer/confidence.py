"""Where a network had to invent: a map of how far its eight answers are apart."""

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box
from pixelift.image.picture import Picture
from pixelift.image.rows import Samples
from pixelift.infer.channels import network_planes
from pixelift.infer.engine import Engine
from pixelift.infer.ensemble import EnsembleEngine, SpreadEngine
from pixelift.infer.legend import with_legend
from pixelift.infer.tiling import DEFAULT_TILE, run_tiled

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
        OutOfMemoryError: Memory is too small even for the smallest tile, or for the map.
    """
    if isinstance(engine, EnsembleEngine):
        engine = engine.inner
    card, both = engine.card, SpreadEngine(engine)

    def restore(planes: Samples, keep: Box) -> Samples:
        made = both(np.ascontiguousarray(planes.transpose(2, 0, 1)[None], np.float32))
        spread: NDArray[np.float32] = made[0, -1][keep.slices] * np.float32(255)
        return spread[..., None]

    spread = run_tiled(
        restore,
        network_planes(colour, channels=card.channels),
        scale=card.scale,
        halo=card.radius,
        tile=tile,
        channels=1,
    )
    return spread[..., 0].astype(np.float32, copy=False)


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
