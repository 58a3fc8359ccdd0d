"""Words drawn into a picture, by letters of 3 x 5 pixels: legends need no font on the machine."""

import numpy as np
from numpy.typing import NDArray

LETTER = (5, 3)
"""Height and width of a letter in pixels, before it is enlarged."""

# Rows of each letter from top to bottom, three pixels each, as octal digits.
_SHAPES = {
    " ": "00000", "a": "25755", "b": "65656", "c": "34443", "d": "65556", "e": "74647",
    "f": "74644", "g": "34553", "h": "55755", "i": "72227", "j": "11152", "k": "55655",
    "l": "44447", "m": "57755", "n": "65555", "o": "25552", "p": "65644", "q": "25573",
    "r": "65655", "s": "34216", "t": "72222", "u": "55557", "v": "55552", "w": "55775",
    "x": "55255", "y": "55222", "z": "71247", "0": "75557", "1": "26227", "2": "61247",
    "3": "61216", "4": "55711", "5": "74616", "6": "34652", "7": "71244", "8": "25252",
    "9": "25316", ".": "00002", ",": "00024", "-": "00700", "+": "02720", "%": "51245",
    ":": "02020", "/": "11244", "(": "12221", ")": "42224", "=": "07070", "_": "00007",
}  # fmt: skip


def draw_words(words: str, *, size: int = 3) -> NDArray[np.bool_]:
    """Draw one line of text.

    Args:
        words: Letters, digits and a few signs; what is not known is left blank, and capitals
            are drawn as small letters.
        size: Side of a letter's pixel in pixels of the picture.

    Returns:
        (5 * size, 4 * size * len(words)), true where there is ink.

    Example:
        >>> draw_words("l", size=1).astype(int)
        array([[1, 0, 0, 0],
               [1, 0, 0, 0],
               [1, 0, 0, 0],
               [1, 0, 0, 0],
               [1, 1, 1, 0]])
    """
    height, width = LETTER
    line = np.zeros((height, (width + 1) * max(1, len(words))), bool)
    for place, letter in enumerate(words.lower()):
        for row, bits in enumerate(_SHAPES.get(letter, _SHAPES[" "])):
            inked = [int(bits) >> (width - 1 - column) & 1 for column in range(width)]
            line[row, place * (width + 1) : place * (width + 1) + width] = inked
    return line.repeat(size, axis=0).repeat(size, axis=1)
