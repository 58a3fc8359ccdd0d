"""What the person at the terminal sees while pictures are made: how far, how fast, how long yet."""

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelift.batch.jobs import Outcome
    from pixelift.batch.naming import Job

MEGA = 1_000_000


class Bar:
    """A bar below the lines that tell what was made."""

    def __init__(self, jobs: "list[Job]") -> None:
        """Weigh the work; nothing is drawn yet.

        Args:
            jobs: All of them. How many pixels one has shows only when it is opened; till then the
                sizes of the files, which are known at once, say how much work it is.
        """
        self._weights = {job.input: _bytes_of(job.input) for job in jobs}
        self._shares: dict[Path, float] = {}
        self._pixels = 0
        self._done = 0
        self._lock = threading.Lock()
        self._start = time.perf_counter()
        self._progress: Any = None
        self._task: Any = None

    def __enter__(self) -> "Bar":
        """Draw it."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            # Lines printed to the same terminal are put above the bar; those that go to a file
            # stay away.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._progress.add_task("", total=sum(self._weights.values()))
        self._draw()
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._progress.stop()

    def watch(self, job: "Job", rows: int, all_rows: int) -> None:
        """Take notice of rows that are made; called from several threads.

        Args:
            job: Whose rows.
            rows: How many of them are made.
            all_rows: How many there will be.
        """
        with self._lock:
            self._shares[job.input] = rows / all_rows
            self._draw()

    def finish(self, outcome: "Outcome") -> None:
        """Take notice of a picture that is done, or will not be.

        Args:
            outcome: What came of it.
        """
        with self._lock:
            self._shares[Path(outcome.input)] = 1
            self._done += 1
            self._pixels += (outcome.out_width or 0) * (outcome.out_height or 0)
            self._draw()

    def describe(self) -> str:
        """Say how many pictures are done, and how fast."""
        speed = self._pixels / MEGA / max(time.perf_counter() - self._start, 1e-3)
        rate = f", {speed:.1f} MP/s" if self._pixels else ""
        return f"{self._done} of {len(self._weights)} pictures{rate}"

    def _draw(self) -> None:
        done = sum(self._weights.get(path, 0) * share for path, share in self._shares.items())
        self._progress.update(self._task, completed=done, description=self.describe())


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # making it will tell
        return 1
