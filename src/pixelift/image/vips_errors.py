"""What libvips says of a fault, told apart by file: it notes all faults of a process in one place.

Two pictures are in work at a time, so what is noted there may be about the other one, or somebody
else may have taken it away. Decoders take turns, and each keeps what was noted in its own; encoders
cannot, since they wait for rows. So what is left is read by what it begins with, and a fault of
which nothing is noted is looked for again: only a note tells whether a JPEG has lost pixels.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyvips

from pixelift.forks import LIBVIPS

# "truncated" would let a cut TIFF through, and "error" a cut JPEG whose end was put back on: a
# warning is all that libjpeg gives. Oddities that lose no pixel are warnings too, hence the second
# try, and in the other formats a warning may be about anything.
FAIL_ON = {"jpeg": ("warning", "error")}
"""How strict the tries at a file are, by format; one strict try for the others."""

LOST_PIXELS = "premature end"
"""What libjpeg's warning says when pixels are missing."""

_TEMPORARY = ("VipsImage: unable to write", "wbuffer_write: write failed")
_SYSTEM = "system error: "

AGAIN = 3
"""How often a fault is looked for of which nothing is noted."""

_BEGINNINGS = {
    "jpeg": ("VipsJpeg", "jpeg"),
    "png": ("vipspng", "png", "libspng", "libpng"),
    "webp": ("webp",),
    "tiff": ("tiff", "vips__tiff", "TIFF"),
    "avif": ("heif", "source"),
    "gif": ("gif",),
}

# What pyvips leaves there for a moment whenever it looks up an operation by name.
_LOOKED_UP = "no property named"

_turn = threading.RLock()


@contextmanager
def own_errors(notes: list[str]) -> Iterator[None]:
    """Take a turn at decoding: what libvips notes within is about this file, or from an encoder.

    Args:
        notes: What was noted of this try at the file so far; added to. libjpeg notes that pixels
            are missing when it finds out, which may be long before libvips raises it.

    Raises:
        pyvips.Error: What is raised within, with all notes.
        ForkError: libvips was used before this process was forked.
    """
    LIBVIPS.use()
    with _turn:
        pyvips.vips_lib.vips_error_clear()
        try:
            yield
        except pyvips.Error as problem:
            problem.detail = "".join([*notes, problem.detail])
            raise
        finally:
            if left := pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()):
                notes.append(left.decode(errors="replace"))
                pyvips.vips_lib.vips_error_clear()


def lines_about(problem: pyvips.Error, format: str) -> list[str]:
    """Take those lines of a note that can be about a file.

    Args:
        problem: What libvips raised.
        format: Name of the file's format.

    Returns:
        The lines, without those that begin as another format's do, and those that are about none.
    """
    own = _BEGINNINGS[format]
    others = tuple(word for words in _BEGINNINGS.values() for word in words if word not in own)
    lines = (line.strip() for line in problem.detail.splitlines())
    about = (line for line in lines if line and _LOOKED_UP not in line)
    return [line for line in about if line.startswith(own) or not line.startswith(others)]


def fault_of_temporary(lines: list[str]) -> str | None:
    """Find out that it is not the file that is at fault, but the place for a temporary one.

    Args:
        lines: What `lines_about` gave.

    Returns:
        What the system has against that place; None where nothing is wrong with it.
    """
    if not any(line.startswith(_TEMPORARY) for line in lines):
        return None
    told = (line.removeprefix(_SYSTEM) for line in lines if line.startswith(_SYSTEM))
    return next(told, "it cannot be written")


class Tries:
    """How strictly a file is decoded, one try after the other."""

    def __init__(self, format: str) -> None:
        """Begin with the strictest.

        Args:
            format: Name of the file's format.
        """
        self._format = format
        self._left = list(FAIL_ON.get(format, ("error",)))
        self._again = AGAIN

    def after(self, problem: pyvips.Error | None) -> str | None:
        """Say how strict the next try is.

        Args:
            problem: What ended the one before; None for the first.

        Returns:
            What libvips takes as `fail_on`; None when there is no use in a further try.
        """
        if problem is not None:
            lines = lines_about(problem, self._format)
            if any(LOST_PIXELS in line for line in lines):
                return None
            if not lines and self._again:
                self._again -= 1
            else:
                self._left.pop(0)
        return self._left[0] if self._left else None
