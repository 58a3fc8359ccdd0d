"""What a forked process may still do: libraries with threads of their own do not survive a fork.

The child of a fork has one thread, and every lock as it was. libvips waits there for its other
threads for ever once it was used before; an engine does so when it was at work in that moment. Who
would hang is told instead what to do.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pixelift.errors import ForkError


class Library:
    """A library written in C, or several, as far as forks are concerned."""

    def __init__(self, name: str, *, survives_idle: bool) -> None:
        """Nothing was done yet.

        Args:
            name: What messages call it.
            survives_idle: Whether it still works in the child when nothing was under way.
        """
        self._name = name
        self._survives_idle = survives_idle
        self._was_used = False
        self._is_lost = False
        self._under_way: set[object] = set()
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

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Note that it is at work; see `use`.

        Raises:
            ForkError: See `use`.
        """
        self.use()
        mark = object()
        self._under_way.add(mark)
        try:
            yield
        finally:
            self._under_way.discard(mark)

    def _forked(self) -> None:
        if self._was_used and not (self._survives_idle and not self._under_way):
            self._is_lost = True


LIBVIPS = Library("libvips, which reads and writes pictures,", survives_idle=False)
ENGINES = Library("the engine that runs networks", survives_idle=True)
