"""What a forked process may still do: libraries with threads of their own do not survive a fork.

The child of a fork has one thread, and every lock as it was. libvips waits there for its other
threads for ever once it was used before, and so may an engine, even if no network ran in that
moment. Who would hang is told instead what to do.
"""

import os

from pixelift.errors import ForkError


class Library:
    """A library written in C, or several, as far as forks are concerned."""

    def __init__(self, name: str) -> None:
        """Nothing was done yet.

        Args:
            name: What messages call it.
        """
        self._name = name
        self._was_used = False
        self._is_lost = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def use(self) -> None:
        """Note that it is used; to be called before any lock is waited for.

        Raises:
            ForkError: It would hang: this process was forked from one that had used it.
        """
        if self._is_lost:
            raise ForkError(
                f"{self._name} does not work in a process that was forked from one that had used "
                "it. Start processes afresh: multiprocessing.set_start_method('spawn'), or "
                "multiprocessing_context='spawn' for a DataLoader of torch"
            )
        self._was_used = True

    def _forked(self) -> None:
        self._is_lost = self._was_used


LIBVIPS = Library("libvips, which reads and writes pictures,")
ENGINES = Library("the engine that runs networks")
