"""A folder that is looked at again and again, for pictures that come into it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixelift.batch.naming import Job

INTERVAL = 1.0
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class _State:
    """What shows that a file has changed."""

    size: int
    changed: int


def new_jobs(
    plan: Callable[[], list[Job]],
    *,
    wait: Callable[[], None] = lambda: time.sleep(INTERVAL),
) -> Iterator[list[Job]]:
    """Hand out pictures as they come, each once, until the caller has enough.

    A picture counts as there when it has not changed between two looks: one that is still being
    copied is left alone. A picture that could not be made is tried again when it has changed.

    Args:
        plan: Looks for what there is to do.
        wait: Waits between two looks.

    Yields:
        Jobs that are new; often none.
    """
    seen: dict[Path, _State] = {}
    done: dict[Path, _State] = {}
    while True:
        jobs = plan()
        now = {job.input: state for job in jobs if (state := _look(job.input)) is not None}
        ready = [
            job
            for job in jobs
            if (state := now.get(job.input)) is not None
            and seen.get(job.input) == state != done.get(job.input)
        ]
        done |= {job.input: now[job.input] for job in ready}
        seen = now
        yield ready
        wait()


def _look(path: Path) -> _State | None:
    try:
        found = path.stat()
    except OSError:  # gone again
        return None
    return _State(found.st_size, found.st_mtime_ns)
