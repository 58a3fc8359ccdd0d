"""Looking at a picture before it is enlarged: what tells which network fits it is in its middle."""

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError
from pixelift.image.depth import to_float
from pixelift.image.rows import Rows, Samples
from pixelift.image.soften import MOST
from pixelift.patches.condition import BLOCK, SIDE, Condition, judge
from pixelift.zoo.store import list_models

AUTO = "auto"
"""What to call it in place of a model, or of a share to soften by."""

Softening = float | Literal["auto"]
"""Share that each pixel gives to its neighbours first, or "auto" to look at each picture."""

PHOTO_MODEL = "photo"
"""The network for pictures that are noisy, compressed or blurred."""


def has_photo_model() -> bool:
    """Tell whether the network for degraded pictures is there."""
    return any(card.name == PHOTO_MODEL for card in list_models())


def softening_of(soften: Softening | None, *, is_named: bool) -> Softening:
    """Choose how much is softened where nothing was said, and refuse what makes no sense.

    Args:
        soften: What was asked for.
        is_named: Whether a model was named.

    Returns:
        The share, or "auto".

    Raises:
        ConfigError: It is neither "auto" nor from 0 to `MOST`.
    """
    if soften is None:
        return 0.0 if is_named else "auto"
    if soften != AUTO and not (isinstance(soften, int | float) and 0 <= soften <= MOST):
        told = f"{soften:g}" if isinstance(soften, int | float) else f'"{soften}"'
        raise ConfigError(f'soften is {told}; allowed are 0 to {MOST}, or "auto". Choose 0.1')
    return soften


def look(rows: Rows) -> Condition:
    """Judge a picture by its middle.

    Args:
        rows: The picture; taken down to its middle.

    Returns:
        What became of it.
    """
    return judge(_middle(rows))


def look_and_keep(rows: Rows) -> tuple[Condition, Rows]:
    """Judge a picture that passes by; what lies above its middle waits in memory.

    Args:
        rows: The picture; used up by what is returned.

    Returns:
        What became of it, and all of its rows.
    """
    bands, seen = iter(rows.bands), []

    def kept() -> Iterator[Samples]:
        for band in bands:
            seen.append(band)
            yield band

    condition = look(Rows(rows.header, kept()))
    return condition, Rows(rows.header, itertools.chain(seen, bands))


def refuse_auto(model: object, what: str) -> None:
    """Refuse to look at each picture where all have to get the same network.

    Args:
        model: What was asked for.
        what: What is made with it, as in "a film".

    Raises:
        ConfigError: It is "auto".
    """
    if model == AUTO:
        raise ConfigError(
            f'model "{AUTO}" looks at each picture, and {what} takes one network for all. '
            "Name one: pixelift models"
        )


def _middle(rows: Rows) -> NDArray[np.float32]:
    """Take the rows around the middle, beginning on the grid of blocks, and no row below them."""
    top = max(0, (rows.header.size.height - SIDE) // 2) // BLOCK * BLOCK
    taken, passed = [], 0
    for band in rows.bands:
        part = band[max(0, top - passed) : max(0, top + SIDE - passed), :, : rows.header.channels]
        passed += len(band)
        if part.size:
            taken.append(np.array(to_float(part)))
        if passed >= top + SIDE:
            break
    return np.concatenate(taken)
