"""A picture of which part of a picture got which network."""

import numpy as np

from pixelift.image.depth import to_float
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.rows import Samples
from pixelift.infer.cells import CELL
from pixelift.infer.legend import Colour, with_legend
from pixelift.infer.route import Router

CHEAP: Colour = (0.35, 0.55, 0.95)
BEST: Colour = (0.95, 0.55, 0.15)
"""Blue and orange, which people who do not tell red from green still tell apart."""

TINT = 0.4
"""Share of the colour; the rest is the picture in grey."""


def explain(router: Router, colour: Samples) -> Picture:
    """Draw the decision over the picture, in grey, with a legend.

    Args:
        router: The networks.
        colour: (H, W, 1) or (H, W, 3) of any depth: the small picture without its alpha.

    Returns:
        RGB picture: cells of the best network orange, of the cheapest blue.
    """
    decision = router.decide(colour)
    size = Size(colour.shape[0], colour.shape[1])
    grey = to_float(colour).mean(axis=2, keepdims=True)
    is_best = decision.is_best.repeat(CELL, axis=0).repeat(CELL, axis=1)
    is_best = is_best[: size.height, : size.width]
    tint = np.where(is_best[..., None], np.array(BEST), np.array(CHEAP))
    drawn = grey * (1 - TINT) + tint * TINT
    edges = np.zeros(is_best.shape, bool)
    edges[:-1] |= is_best[:-1] != is_best[1:]
    edges[:, :-1] |= is_best[:, :-1] != is_best[:, 1:]
    drawn[edges] = 1
    share = round(100 * decision.share)
    entries = [
        (CHEAP, f"{router.cheap.card.name} {100 - share} %"),
        (BEST, f"{router.best.card.name} {share} %"),
        ((1.0, 1.0, 1.0), f"{router.cheap.card.name}: at most {router.spared:.0%} of the detail"),
    ]
    return Picture(with_legend(drawn.astype(np.float32), entries))
