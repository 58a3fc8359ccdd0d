"""Ctrl-C and the system's wish to end, taken in at the next good moment."""

import signal
import threading
from types import FrameType
from typing import Self


class Interrupt:
    """Notes the first SIGINT or SIGTERM; at a second one the program ends at once."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.number = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Listen; elsewhere than in the main thread, Python allows nobody to."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the signals to whoever had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def exit_code(self) -> int:
        """What a shell shows of a program that a signal ended: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number

    def _note(self, number: int, _: FrameType | None) -> None:
        if self.number:
            raise KeyboardInterrupt
        self.number = number
