"""stdin, stdout and stderr that may be closed or full: work goes on, and the end tells of it."""

import errno
import io
import os
import sys
from typing import TextIO

# What stands in the place of a stream that is closed. Without it the next file that is opened, a
# picture, would have its number, and be written to by whatever prints. A closed stdin is put in
# place for writing and a closed stdout for reading: using them is an error, as it should be; what
# is told on a closed stderr nobody has asked for.
_IN_PLACE = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)


class Output(io.TextIOWrapper):
    """A stream that can be written to when it cannot: what is lost is noted, not raised."""

    problem: OSError | None = None
    """Why something was lost; None while nothing was."""

    ends_with_reader = False
    """Whether it is for whoever writes to stop when nobody reads any more, as in `... | head`."""

    def write(self, text: str, /) -> int:
        """Write, or note why that cannot be."""
        try:
            return super().write(text)
        except OSError as problem:
            self._give_up(problem)
            return len(text)

    def flush(self) -> None:
        """Hand on what was written, or note why that cannot be."""
        try:
            super().flush()
        except OSError as problem:
            self._give_up(problem)

    def _give_up(self, problem: OSError) -> None:
        if self.ends_with_reader and isinstance(problem, BrokenPipeError):
            raise problem
        self.problem = self.problem or problem
        # What waits in the buffer is tried again, at the latest when the interpreter ends.
        lead_nowhere(self)


def lead_nowhere(stream: TextIO) -> None:
    """Let what is written to a stream from now on, and what still waits in it, vanish.

    Args:
        stream: stdout or stderr.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def secure() -> None:
    """Make the three streams usable, however the program was started. Call it before all else."""
    for number, flags in enumerate(_IN_PLACE):
        try:
            os.fstat(number)
        except OSError:
            place = os.open(os.devnull, flags)
            if place != number:
                os.dup2(place, number)
                os.close(place)
            os.set_inheritable(number, True)  # noqa: FBT003 - it takes no names
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout = sys.__stdout__ = _output(sys.stdout, 1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _output(sys.stderr, 2)  # type: ignore[misc]
    sys.stdout.ends_with_reader = True


def _output(stream: TextIO | None, number: int) -> Output:
    # A file name may hold bytes that are no text, and a terminal may not know the dash of a table:
    # neither is a reason to stop in the middle of a batch.
    if isinstance(stream, io.TextIOWrapper):
        encoding, lines, through = stream.encoding, stream.line_buffering, stream.write_through
        return Output(
            stream.detach(),
            encoding=encoding,
            errors="backslashreplace",
            line_buffering=lines,
            write_through=through,
        )
    buffer = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    return Output(buffer, encoding="utf-8", errors="backslashreplace", line_buffering=number == 2)


def lost_output() -> str | None:
    """Say what was lost of what was to be printed.

    Returns:
        A message; None where nothing was lost.
    """
    stream = sys.stdout
    if not isinstance(stream, Output):
        return None
    stream.flush()
    if stream.problem is None:
        return None
    is_closed = stream.problem.errno == errno.EBADF
    reason = "it is closed" if is_closed else stream.problem.strerror
    return f"cannot write to stdout: {reason}. All else is done; to keep what is printed: > FILE"
