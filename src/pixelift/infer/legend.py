"""A strip below a picture that says what its colours mean."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pixelift.image.label import draw_words

Colour = tuple[float, float, float]
"""R, G and B in [0, 1]."""

PAPER, INK = 1.0, 0.1
MARGIN = 9


def with_legend(
    picture: NDArray[np.float32], entries: Sequence[tuple[Colour, str]]
) -> NDArray[np.float32]:
    """Put a legend below a picture.

    Args:
        picture: (H, W, 3) RGB in [0, 1].
        entries: Colours and what they mean, from left to right and line by line.

    Returns:
        (H + lines, max(W, widest entry), 3): the picture at the top left, on white.
    """
    drawn = [_entry(colour, words) for colour, words in entries]
    width = max(picture.shape[1], *(part.shape[1] + 2 * MARGIN for part in drawn))
    lines: list[list[NDArray[np.float32]]] = [[]]
    for part in drawn:
        used = MARGIN + sum(other.shape[1] + MARGIN for other in lines[-1])
        if lines[-1] and used + part.shape[1] + MARGIN > width:
            lines.append([])
        lines[-1].append(part)
    tall = drawn[0].shape[0]
    height = picture.shape[0] + MARGIN + len(lines) * (tall + MARGIN)
    sheet = np.full((height, width, 3), PAPER, np.float32)
    sheet[: picture.shape[0], : picture.shape[1]] = picture
    top = picture.shape[0] + MARGIN
    for line in lines:
        left = MARGIN
        for part in line:
            sheet[top : top + tall, left : left + part.shape[1]] = part
            left += part.shape[1] + MARGIN
        top += tall + MARGIN
    return sheet


def _entry(colour: Colour, words: str) -> NDArray[np.float32]:
    ink = draw_words(words)
    side = ink.shape[0]
    entry = np.full((side, side + side // 2 + ink.shape[1], 3), PAPER, np.float32)
    entry[:, :side] = colour
    entry[:, side + side // 2 :][ink] = INK
    return entry
