"""What became of a picture before it got here, as far as it has a name: noise, compression, blur.

That decides which network fits it. The measures are those of `pixelift.patches.artefacts`, and one
more: the step that JPEG rounded frequencies to, which stays in the pixels after decoding.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelift.patches.artefacts import measure_artefacts
from pixelift.patches.luma import luma_of_floats

BLOCK: Final = 8

SIDE: Final = 768
"""Pixels of the middle of a picture that are looked at, along each side: more says no more."""

STEP_MIN: Final = 2.5
"""Step of JPEG's rounding in levels from which on a picture counts as compressed: quality 90."""

NOISE_MIN: Final = 1.5
"""Noise in levels of luma from which on a picture counts as noisy."""

BLOCKINESS_MIN: Final = 1.25
"""Steps at block borders against those inside, from which on a picture counts as compressed."""

SHARPNESS_MIN: Final = -17.0
"""Detail near Nyquist in decibels below which a picture counts as blurred."""

SHARPNESS_MAX: Final = 4.0
"""Detail near Nyquist in decibels from which on it counts as noise, whatever made it smooth."""

PLAIN_MIN: Final = 0.28
"""Share of neighbours of the very same colour from which on a picture may be drawn: text, a screen,
a chart, a comic."""

COLOURS_MAX: Final = 0.25
"""Different colours for each pixel, at most, of what is drawn. A night sky is plain too, and has
more; some black or white photos are taken for drawn, and left as they are."""

# The first frequencies along both axes: rows and columns of the transform, and their places in the
# standard's luma table, where they are rounded to much the same step (10 to 14 at quality 50).
_FREQUENCIES = ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2))
_STEPS = np.arange(2, 64)
_FEWEST = 40  # frequencies that are not nothing, to tell a step by
_CLIPPED = 3.0
# How much alike the remainders must be, 1 being the same; rounding to pixels blurs small steps.
_PERIODIC = 0.85
_BLURRED = 6.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What became of a picture."""

    is_degraded: bool
    reason: str
    """A few words for people, with the number that decided."""


def judge(pixels: NDArray[np.float32]) -> Condition:
    """Say whether a picture is noisy, compressed or blurred.

    Args:
        pixels: (H, W, 3) RGB or (H, W, 1) grey, in [0, 1].

    Returns:
        The verdict; a picture too small to tell is taken for clean, and so is damage of other kinds
        (`pixelift.infer.auto.look` sees those).
    """
    middle = _middle(pixels)
    rgb = np.repeat(middle, 3, axis=2) if middle.shape[2] == 1 else middle
    luma = luma_of_floats(rgb)
    found = measure_artefacts(luma)
    detail = found.get("sharpness", SHARPNESS_MIN)
    blocks = found.get("blockiness", 1.0)
    if plain := plain_share(middle):
        # Lines and letters are as crisp as they were meant to be, and may lie on a grid: what tells
        # of a photo that it was sharpened or has blocks tells nothing of them.
        detail, blocks = min(detail, 0.0), 1.0
    step = quantisation_step((luma - 16) * np.float32(255 / 219))
    reason = _degradation(step, found.get("noise_sigma", 0.0), blocks, detail)
    if reason:
        return Condition(is_degraded=True, reason=reason)
    reason = f"noise of {found.get('noise_sigma', 0.0):.1f} levels, no blocks"
    if plain:
        reason = f"drawn, {plain:.0%} of it plain"
    return Condition(is_degraded=False, reason=reason)


def _degradation(step: float, noise: float, blocks: float, detail: float) -> str | None:
    """Say what degraded a picture, if anything did."""
    if step >= STEP_MIN:
        return f"JPEG rounded it to steps of {step:.0f} levels"
    if noise >= NOISE_MIN:
        return f"noise of {noise:.1f} levels"
    if blocks >= BLOCKINESS_MIN:
        return f"steps at block borders {blocks:.2f} times those inside"
    if not SHARPNESS_MIN <= detail < SHARPNESS_MAX:
        return f"fine detail {detail:+.0f} dB against that of photos"
    return None


def plain_share(pixels: NDArray[np.float32]) -> float:
    """Measure how much of a drawn picture is plain.

    Args:
        pixels: (H, W, C) in [0, 1].

    Returns:
        The share of pixels of the very same 8-bit colour as their neighbour, along the axis that
        has fewer; 0 where the picture is not drawn (`PLAIN_MIN`, `COLOURS_MAX`) or has one row.
    """
    levels = np.rint(pixels * 255).astype(np.int32)
    colour = levels @ (1 << 8 * np.arange(levels.shape[2], dtype=np.int32))
    if min(colour.shape) < 2:
        return 0.0
    along = (colour[:, 1:] == colour[:, :-1]).mean(), (colour[1:] == colour[:-1]).mean()
    share = float(min(along))
    is_drawn = share >= PLAIN_MIN and len(np.unique(colour)) <= COLOURS_MAX * colour.size
    return share if is_drawn else 0.0


def quantisation_step(luma: NDArray[np.floating]) -> float:
    """Find the step that JPEG rounded the lowest frequencies to.

    Only a grid that begins at the first pixel is looked for: that of a file as it was saved.

    Args:
        luma: (H, W) full-range luma in 8-bit levels, 0 to 255.

    Returns:
        Levels, the median over five frequencies; 1 where there is no such step: the picture was
        never compressed, or changed since.

    Paper: Z. Fan and R. de Queiroz, "Identification of bitmap compression history: JPEG detection
        and quantizer estimation", IEEE Transactions on Image Processing 12(2), 2003: frequencies
        that were rounded lie at multiples of the step. We take the mean of cos(2 pi f / step) over
        frequencies f beyond half a step instead of a likelihood.
    """
    height, width = (n - n % BLOCK for n in luma.shape)
    if min(height, width) < 2 * BLOCK:
        return 1.0
    whole = np.asarray(luma[:height, :width], np.float32)
    lines = whole.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    blocks = lines.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    # Where the decoder clipped, what is left is no multiple of anything.
    low, high = blocks.min(axis=(1, 2)), blocks.max(axis=(1, 2))
    blocks = blocks[(low > _CLIPPED) & (high < 255 - _CLIPPED)]
    steps = [_step_of(_frequency(blocks, row, column)) for row, column in _FREQUENCIES]
    return float(np.median(steps))


def _frequency(blocks: NDArray[np.float32], row: int, column: int) -> NDArray[np.float32]:
    down, right = _cosine(row), _cosine(column)
    values: NDArray[np.float32] = ((blocks @ right) @ down).astype(np.float32, copy=False)
    return values


def _cosine(frequency: int) -> NDArray[np.float32]:
    place = np.arange(BLOCK)
    norm = math.sqrt((1 if frequency == 0 else 2) / BLOCK)
    wave = norm * np.cos((2 * place + 1) * frequency * math.pi / (2 * BLOCK))
    return np.asarray(wave, np.float32)


def _step_of(values: NDArray[np.float32]) -> float:
    """Find the largest step that the values beyond half of it are multiples of."""
    largest = 1.0
    magnitudes = np.abs(values)
    for step in _STEPS:
        counted = magnitudes[magnitudes > 0.5 * step]
        if counted.size < _FEWEST:
            break
        likeness = float(np.cos(counted * np.float32(2 * math.pi / step)).mean())
        if likeness > _PERIODIC * math.exp(-_BLURRED / int(step) ** 2):
            largest = float(step)
    return largest


def _middle(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the middle out, on the grid of blocks."""
    tops = [max(0, (n - SIDE) // 2) // BLOCK * BLOCK for n in pixels.shape[:2]]
    return pixels[tops[0] : tops[0] + SIDE, tops[1] : tops[1] + SIDE]
