"""Names and numbers as people read them."""

import numpy as np

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Replace what cannot be seen: line breaks, bytes that are not UTF-8, marks that turn the text.

    Args:
        text: Anything, as the name of a file may be.

    Returns:
        The text; each such character is a replacement character. It is not escaped.

    Example:
        >>> printable("two" + chr(10) + "lines")
        'two�lines'
    """
    if text.isprintable():  # as pictures are, which are long
        return text
    return "".join(c if c.isprintable() else _UNPRINTABLE for c in text)


def format_number(value: float) -> str:
    """Write a measured number: three digits, no exponent where none is needed.

    Args:
        value: Any number; not finite is written as a dash.

    Returns:
        The text.

    Example:
        >>> [format_number(v) for v in (0.01234, 1.0, 31.26, 20417, float("nan"))]
        ['0.0123', '1', '31.3', '20,417', '–']
    """
    if not np.isfinite(value):
        return "–"
    digits = f"{abs(value):,.0f}" if abs(value) >= 100 else f"{abs(value):.3g}"
    return f"−{digits}" if value < 0 else digits
