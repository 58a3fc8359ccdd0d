"""Several pictures at a time, so that decoding and encoding overlap with the network."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from pixelift.batch.jobs import Outcome, Settings, Watch, run_job
from pixelift.batch.naming import Job
from pixelift.infer.upscaler import Upscaler

WORKERS = 2
"""Pictures in work at once. The network runs for one of them, on all cores; meanwhile the other is
decoded or encoded, in what the network leaves of the processor (`pixelift.image.ahead.give_way`). A
third would only take more memory."""


def run_jobs(
    jobs: Iterable[Job],
    upscaler: Upscaler,
    *,
    settings: Settings,
    watch: Watch | None = None,
    workers: int = WORKERS,
) -> Iterator[Outcome]:
    """Make pictures; one that cannot be made costs only itself.

    Args:
        jobs: What to make.
        upscaler: The opened model.
        settings: What holds for all pictures.
        watch: Told as the work goes on, from several threads.
        workers: Pictures in work at once.

    Yields:
        What came of each, in the order of the jobs. When this is closed, or interrupted, what is
        in work is given up without a trace.
    """
    stop = threading.Event()
    waiting: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="pixelift-job")
    try:
        for job in jobs:
            waiting.append(
                pool.submit(run_job, job, upscaler, settings=settings, watch=watch, stop=stop)
            )
            # A little more than is in work, so that no worker waits for whoever takes outcomes.
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
