"""How the name of a file is told to people: whatever it holds, one line that does nothing."""

import os
import re

# Control characters move the cursor, change colours or ring; marks of direction turn what follows
# them around; the surrogates stand for bytes that are no text, and no terminal takes them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(name: str | os.PathLike[str]) -> str:
    r"""Write a name, or a message that holds one, so that it can be printed anywhere.

    Args:
        name: A path or a text.

    Returns:
        The same, with what cannot be seen as Python writes it.

    Example:
        >>> print(shown("a\nb\x1b[31m.png"))
        a\nb\x1b[31m.png
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], os.fspath(name))


def quoted(name: str | os.PathLike[str]) -> str:
    """Write a name as `shown` does, in quotes: how messages of reading and writing tell it.

    Args:
        name: A path or a text.

    Returns:
        The name in quotes.
    """
    return f'"{shown(name)}"'


def as_text(name: str | os.PathLike[str]) -> str:
    """Write a name for a file that holds text, as JSON: bytes that are no text are spelled out.

    Args:
        name: A path or a text.

    Returns:
        The name itself, unless it holds such bytes.
    """
    return os.fsencode(name).decode(errors="backslashreplace")


def told(error: OSError) -> str:
    """Say what the system has against a file, without its number.

    Args:
        error: What was raised.

    Returns:
        The file, where it is known, and the reason.

    Example:
        >>> told(PermissionError(13, "Permission denied", "a/b.png"))
        '"a/b.png": permission denied'
    """
    if not error.strerror:
        return str(error)
    reason = error.strerror[:1].lower() + error.strerror[1:]
    return reason if error.filename is None else f"{quoted(os.fsdecode(error.filename))}: {reason}"
