"""Words and numbers as HTML: names of files are not trusted, and numbers are written for people."""

from collections.abc import Iterable, Mapping
from html import escape

import numpy as np

_UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """Make a text harmless inside an element or a quoted attribute.

    Names of files may hold markup, quotes, line breaks, bytes that are no UTF-8, and marks that
    turn the direction of all that follows.

    Args:
        text: Anything.

    Returns:
        The text, escaped; each character that cannot be seen is a replacement character.

    Example:
        >>> clean('<b onclick="x">')
        '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return escape("".join(c if c.isprintable() else _UNPRINTABLE for c in text))


def format_number(value: float) -> str:
    """Write a measured number as people read it: three digits, no exponent where none is needed.

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


def facts(pairs: Mapping[str, str]) -> str:
    """List names with what belongs to them.

    Args:
        pairs: Plain text; both sides are made harmless here.

    Returns:
        A description list.
    """
    rows = (f"<div><dt>{clean(k)}</dt><dd>{clean(v)}</dd></div>" for k, v in pairs.items())
    return f"<dl>{''.join(rows)}</dl>"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Set a table that a narrow screen can scroll sideways.

    Args:
        head: Titles of the columns, plain text.
        rows: The cells, already HTML.

    Returns:
        The table.
    """
    titles = "".join(f'<th scope="col">{clean(title)}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
