"""Looking at a picture before it is enlarged: what tells which network fits it is in its middle.

The network for photos mends what it enlarges. So what it makes of a clean picture, shrunk again, is
that picture; of one that was sharpened, compressed, resized or is noisy it is another. How far the
two are apart says of any damage that network knows whether it is there, without a name for it.
"""

import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError
from pixelift.image.depth import to_float
from pixelift.image.geometry import Box, Size
from pixelift.image.resize import downscale
from pixelift.image.rows import Rows, Samples
from pixelift.infer.network import Network
from pixelift.patches.condition import BLOCK, SIDE, Condition, judge
from pixelift.zoo.store import list_models

AUTO = "auto"
"""What to call it in place of a model."""

PHOTO_MODEL = "photo"
"""The network for pictures that are not as networks for clean pictures know them."""

CHANGED_MAX: Final = 0.135
"""Share of a picture's contrast that the network for photos may change of a clean one. Set on
photos/train by experiments/006-choice: few decibels are lost by taking the wrong network."""

_WINDOWS = 4
_WINDOW = 64
_STEP = 40
"""Pixels from one window to the next that may be chosen."""
_SURROUNDINGS = 6
"""One part in so many of a window, on each side, only gives the rest its surroundings."""


def has_photo_model() -> bool:
    """Tell whether the network for degraded pictures is there."""
    return any(card.name == PHOTO_MODEL for card in list_models())


def look(pixels: NDArray[np.float32], network: Network | None) -> Condition:
    """Judge a picture by its middle.

    Args:
        pixels: (H, W, 3) RGB or (H, W, 1) grey, in [0, 1]; see `middle_of`.
        network: The one for photos; without it only what has a name is seen: JPEG, noise, blur.

    Returns:
        What became of it.
    """
    known = judge(pixels)
    if known.is_degraded or network is None:
        return known
    share = changed_share(pixels, network)
    told = f"{PHOTO_MODEL} would change {share:.0%} of its contrast"
    if share > CHANGED_MAX:
        return Condition(is_degraded=True, reason=told)
    return Condition(is_degraded=False, reason=f"{known.reason}, {told}")


def changed_share(pixels: NDArray[np.float32], network: Network) -> float:
    """Measure what a network changes of a picture that it enlarges.

    Up to four windows of 64 x 64 pixels are looked at, from those with the most detail to plain
    ones: as many pixels in a large picture as in a small one.

    Args:
        pixels: (H, W, C) in [0, 1].
        network: What enlarges.

    Returns:
        The mean difference between the picture and the enlarged one, shrunk as by MATLAB's bicubic,
        against the mean difference between neighbouring pixels; 0 for a plain picture.
    """
    windows = _windows(pixels)
    count, height, width, channels = windows.shape
    # One below the other, as one picture: a call of a network costs more than some pixels.
    strip = windows.reshape(count * height, width, channels)
    whole = Box.whole(Size(*strip.shape[:2]).scaled(network.card.scale))
    sr = network.restore(strip, whole, has_alpha=False, dtype=np.dtype(np.float32))
    small = downscale(np.ascontiguousarray(sr, np.float32), network.card.scale)
    again: NDArray[np.float32] = small.reshape(windows.shape)
    # What lies next to another window was seen with the wrong surroundings.
    margin = tuple(
        slice(n, -n) if (n := side // _SURROUNDINGS) else slice(None) for side in (height, width)
    )
    kept, made = windows[:, *margin], again[:, *margin]
    # A mean of nothing where the picture is one pixel wide.
    steps = [
        d.mean(dtype=np.float64) for axis in (1, 2) if (d := np.abs(np.diff(kept, axis=axis))).size
    ]
    contrast = float(np.mean(steps)) if steps else 0.0
    changed = float(np.abs(kept - made).mean(dtype=np.float64))
    return changed / contrast if contrast else 0.0


def _windows(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Choose windows by their rank in detail: (N, h, w, C)."""
    height, width = (min(_WINDOW, n) for n in pixels.shape[:2])
    places = [
        (top, left)
        for top in range(0, pixels.shape[0] - height + 1, _STEP)
        for left in range(0, pixels.shape[1] - width + 1, _STEP)
    ]
    windows = [pixels[top : top + height, left : left + width] for top, left in places]
    detail = [
        float(np.abs(np.diff(window, axis=1)).mean()) if width > 1 else 0.0 for window in windows
    ]
    ranked = np.argsort(detail, kind="stable")
    count = min(_WINDOWS, len(windows))
    chosen = ranked[((np.arange(count) + 0.5) * len(windows) / count).astype(int)]
    return np.stack([windows[n] for n in chosen])


def middle_of(rows: Rows) -> NDArray[np.float32]:
    """Take the rows around the middle of a picture, beginning on the grid of JPEG's blocks.

    Args:
        rows: The picture; taken down to its middle.

    Returns:
        (H, W, C) colours in [0, 1], H and W at most `SIDE`.
    """
    size = rows.header.size
    top, left = (max(0, (n - SIDE) // 2) // BLOCK * BLOCK for n in (size.height, size.width))
    taken, passed = [], 0
    for band in rows.bands:
        part = band[
            max(0, top - passed) : max(0, top + SIDE - passed),
            left : left + SIDE,
            : rows.header.channels,
        ]
        passed += len(band)
        if part.size:
            taken.append(np.array(to_float(part)))
        if passed >= top + SIDE:
            break
    return np.concatenate(taken)


def middle_and_all(rows: Rows) -> tuple[NDArray[np.float32], Rows]:
    """Take the middle of a picture that passes by; what lies above it waits in memory.

    Args:
        rows: The picture; used up by what is returned.

    Returns:
        Its middle, and all of its rows.
    """
    bands, seen = iter(rows.bands), []

    def kept() -> Iterator[Samples]:
        for band in bands:
            seen.append(band)
            yield band

    middle = middle_of(Rows(rows.header, kept()))
    return middle, Rows(rows.header, itertools.chain(seen, bands))


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
