"""What a forked process may still do: libraries with threads of their own do not survive a fork.

The child of a fork has one thread, and every lock as it was. libvips waits there for its other
threads for ever once it was used before; an engine does so when it was at work in that moment, and
OpenVINO also when it compiles a network after another is gone. Who would hang is told instead what
to do.
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
            raise _refusal(self._name)
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


class Threads:
    """Threads that a library keeps for whoever needs some next, and misses after a fork."""

    def __init__(self, name: str) -> None:
        """None are kept yet.

        Args:
            name: What messages call the library.
        """
        self._name = name
        self._owners: set[int] = set()

    def owner(self) -> int:
        """Say whose the threads are that are made now."""
        return os.getpid()

    def leave(self, owner: int) -> None:
        """Note that threads are kept for others, since what had them is gone.

        Args:
            owner: What `owner` said when they were made.
        """
        self._owners.add(owner)

    def check(self) -> None:
        """Refuse what would take threads that may not be there.

        Raises:
            ForkError: Some that are kept were made by a process that this one was forked from.
        """
        if self._owners - {os.getpid()}:
            raise _refusal(self._name)


def _refusal(name: str) -> ForkError:
    return ForkError(
        f"{name} does not work in a process that was forked from one that had used it. "
        "Start processes afresh: multiprocessing.set_start_method('spawn'), or "
        "multiprocessing_context='spawn' for a DataLoader of torch"
    )


LIBVIPS = Library("libvips, which reads and writes pictures,", survives_idle=False)
ENGINES = Library("the engine that runs networks", survives_idle=True)
