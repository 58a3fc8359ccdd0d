"""Work that overlaps: what makes values runs in a thread of its own, a few values ahead."""

import os
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

NICENESS = 10
"""How far a thread that gives way stands back, on the scale of `nice`."""


def give_way() -> None:
    """Let the other threads go before the one that calls this, for the rest of its life.

    A network runs on all cores at once, and all of them wait for the last one after every layer: an
    encoder on one core would hold up the others too. In the gaps that it leaves there is room.
    """
    if sys.platform == "linux":  # elsewhere a niceness is that of the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Channel(Generic[T]):
    """Hands values from one thread to another and lets at most a few of them wait."""

    def __init__(self, capacity: int) -> None:
        """Make an empty channel.

        Args:
            capacity: Values that may wait, 1 or more.
        """
        self._values: deque[T] = deque()
        self._capacity = capacity
        self._is_closed = False
        self._change = threading.Condition()

    @property
    def is_closed(self) -> bool:
        """Whether no more values will come."""
        return self._is_closed

    def put(self, value: T) -> bool:
        """Hand a value over; waits while too many are waiting.

        Args:
            value: The value.

        Returns:
            Whether it was taken; False once the channel is closed.
        """
        with self._change:
            while len(self._values) >= self._capacity and not self._is_closed:
                self._change.wait()
            if not self._is_closed:
                self._values.append(value)
                self._change.notify_all()
            return not self._is_closed

    def take(self) -> T | None:
        """Take the next value; waits for it.

        Returns:
            The value; None when the channel is closed and empty.
        """
        with self._change:
            while not self._values and not self._is_closed:
                self._change.wait()
            value = self._values.popleft() if self._values else None
            self._change.notify_all()
            return value

    def close(self, *, drop: bool = False) -> None:
        """Say that no more values will come, or that no more are wanted.

        Args:
            drop: Forget those that wait.
        """
        with self._change:
            self._is_closed = True
            if drop:
                self._values.clear()
            self._change.notify_all()


def ahead(values: Iterable[T], *, count: int) -> Generator[T, None, None]:
    """Run what makes values in a thread of its own, so that the next ones are there in time.

    Args:
        values: What makes them; it runs in that thread alone.
        count: How many may wait.

    Yields:
        The same values; what goes wrong while they are made is raised here.
    """
    channel: Channel[T] = Channel(count)
    problems: list[BaseException] = []

    def run() -> None:
        try:
            for value in values:
                if not channel.put(value):
                    break
        except BaseException as problem:  # noqa: BLE001 - raised in the thread that takes values
            problems.append(problem)
        finally:
            channel.close()

    thread = threading.Thread(target=run, name="pixelift-ahead", daemon=True)
    thread.start()
    try:
        while (value := channel.take()) is not None:
            yield value
        if problems:
            raise problems[0]
    finally:
        channel.close(drop=True)
        thread.join()
