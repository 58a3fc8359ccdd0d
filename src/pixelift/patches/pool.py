"""Photos to worker processes: how many, and how they end when something goes wrong."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from pixelift.errors import DatasetError
from pixelift.machine import free_memory, usable_cores

T = TypeVar("T")
R = TypeVar("R")

BYTES_PER_WORKER = 1 << 30
"""Free memory that each process is counted with. Preparing a photo needs about 16 bytes a pixel,
so this is enough for photos of 60 megapixels in all processes at once."""

_ALONE = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "VIPS_CONCURRENCY": "1",
    # The memory of one photo is kept for the next (glibc): to give it back and to be given it
    # again, page by page, takes a sixth of the time that preparing takes.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""Environment of the workers, each of which is one of many."""

_WAITING_PER_WORKER = 4


def default_workers(tasks: int) -> int:
    """Choose the number of processes: as many as there are cores, photos, and memory for.

    Args:
        tasks: Photos.

    Returns:
        At least 1; no more than processor cores that this process may use, than photos, and than
        `BYTES_PER_WORKER` fit into the free memory.
    """
    counts = [usable_cores(), tasks]
    free = free_memory()
    if free is not None:
        counts.append(free // BYTES_PER_WORKER)
    return max(1, min(counts))


def run_all(work: Callable[[T], R], tasks: Iterable[T], *, workers: int) -> Iterator[R]:
    """Do all tasks; results come in the order of the tasks.

    Only a few tasks are ahead of the one whose result is waited for, so memory does not depend on
    their number.

    Args:
        work: What to do; a function of a module, and not of a class or a function.
        tasks: What to do it with; can be pickled.
        workers: Processes; 1 does all in this one.

    Yields:
        The result of each task.

    Raises:
        DatasetError: A process was killed.
    """
    if workers == 1:
        yield from map(work, tasks)
        return
    # "spawn" keeps workers free of the parent's threads. Ctrl-C ends them at once and without a
    # word: an unfinished picture is done again.
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        waiting = iter(tasks)
        with _interrupts_ignored(), _single_threaded():
            ahead = islice(waiting, _WAITING_PER_WORKER * workers)
            window = [pool.submit(work, task) for task in ahead]
        while window:
            yield window.pop(0).result()
            window += [pool.submit(work, task) for task in islice(waiting, 1)]
    except BrokenProcessPool as error:
        raise DatasetError(
            f"one of {workers} processes was killed, as happens when memory runs out. What is "
            "prepared is kept; go on with fewer, as --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that are deaf to Ctrl-C while they start.

    A terminal sends it to all of them, and each would tell about it at length.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Start processes that have one thread each: there are as many of them as cores.

    The environment is read when a process starts, before a worker could set anything itself.
    """
    before = {name: os.environ.get(name) for name in _ALONE}
    os.environ.update(_ALONE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
