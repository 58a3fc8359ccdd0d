"""The processes that carry out one training together, one thread each."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class Workers:
    """`pixelift train` in several processes, as `torchrun` starts them.

    Not by torchrun itself, whose processes lead groups of their own: these stay in the group of
    whoever starts them, so that one `kill -STOP` pauses all.
    """

    def __init__(self, arguments: Sequence[str], *, count: int, log: Path, lock: int) -> None:
        """Start them.

        Args:
            arguments: What follows `pixelift`.
            count: How many.
            log: File that what they say is added to.
            lock: Descriptor of a lock that they hold too, for as long as they live.
        """
        shared = os.environ | {
            "OMP_NUM_THREADS": "1",
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(_free_port()),
        }
        with log.open("ab") as stream:
            self._processes = [
                subprocess.Popen(
                    [sys.executable, "-m", "pixelift", *arguments],
                    env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    pass_fds=(lock,),
                    preexec_fn=_end_with_parent,
                )
                for rank in range(count)
            ]

    def wait(self, seconds: float) -> int | None:
        """Wait until all have ended, or a while has passed; when one fails, end the others.

        Args:
            seconds: How long at most.

        Returns:
            The exit code, that of the first that failed; None while they work.
        """
        for process in self._processes:
            try:
                process.wait(seconds / len(self._processes))
            except subprocess.TimeoutExpired:
                continue
        codes = [process.poll() for process in self._processes]
        failed = next((code for code in codes if code), None)
        if failed is not None:
            self.stop()
            return failed
        return None if None in codes else 0

    def stop(self) -> None:
        """Let them save and end, and wait for it."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                # One whose fellow was killed waits for it for ever.
                process.kill()
                process.wait()


def _end_with_parent() -> None:
    """Have the system end this process when its parent is killed; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
