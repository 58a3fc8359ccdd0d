"""Two processes on one folder: each result is made by one of them, also after one was killed."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import IO

from pixelift.atomic import hidden_stem

fcntl: ModuleType | None
try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # Windows: there a second process does the work twice, and right
    fcntl = None


@contextmanager
def claim(output: Path) -> Iterator[bool]:
    """Claim a result while it is made, and clear away what a killed process left of it.

    The claim is a lock on a hidden file beside the result. The system gives it back when the
    process ends, however it ends.

    Args:
        output: The result; its folder exists.

    Yields:
        Whether nobody else is making it. Also true where the folder knows no locks.
    """
    lock = output.with_name(f"{hidden_stem(output)}.lock")
    try:
        file = lock.open("ab")
    except OSError:
        # The folder can not be written: making the result will tell.
        yield True
        return
    with file:
        is_ours = _lock(file)
        try:
            if is_ours:
                _clear(output)
            yield is_ours
        finally:
            if is_ours:
                with suppress(OSError):
                    lock.unlink()


def _lock(file: IO[bytes]) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _clear(output: Path) -> None:
    for left in output.parent.glob(f"{hidden_stem(output)}-*"):
        with suppress(OSError):
            left.unlink()
