"""Everything that one running service consists of, put together and taken apart again."""

import asyncio
import contextlib
import sys
from dataclasses import dataclass, field

import msgspec

from pixelift.errors import ConfigError
from pixelift.machine import total_memory, usable_cores
from pixelift.serve.desk import Desk
from pixelift.serve.fields import offers_of
from pixelift.serve.gate import Access
from pixelift.serve.limits import ByteBudget, Limits
from pixelift.serve.metrics import Metrics
from pixelift.serve.pool import Pool
from pixelift.serve.worker import WorkerSettings
from pixelift.zoo.store import list_models

MAX_WORKERS = 256

WORKERS = 2
"""Workers by default. While one decodes or encodes, the other has its network run; each takes all
cores, so that somebody who is alone has the whole machine (docs/serving.md has both measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person may choose."""

    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Access)

    workers: int | None = None
    """Processes that work on pictures; None takes `WORKERS`, as far as memory allows."""

    threads: int | None = None
    """Threads of each worker; None gives all cores to each."""

    engine: str = "auto"
    precision: str = "auto"


class Service:
    """The parts of a service, for the routes to use."""

    def __init__(self, settings: Settings) -> None:
        """Put the parts together; nothing runs yet.

        Args:
            settings: What a person chose.

        Raises:
            ConfigError: A number of workers or threads that makes no sense.
            WeightsError: A model's card is damaged.
        """
        self.settings = settings
        self.limits = settings.limits
        self.cards = list_models()
        self.offers = offers_of(self.cards)
        self.budget = ByteBudget(self.limits.queue_bytes)
        self.metrics = Metrics(self._gauges)
        workers = settings.workers or default_workers(self.limits)
        if not 1 <= workers <= MAX_WORKERS:
            raise ConfigError(
                f"workers is {workers}; allowed are 1 to {MAX_WORKERS}, as --workers 2"
            )
        self.pool = Pool(
            worker_command(settings),
            workers=workers,
            limits=self.limits,
            on_finished=self.metrics.finished,
        )
        self.desk = Desk(self.pool, self.limits)
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the workers.

        Raises:
            ConfigError: They cannot be started.
        """
        await self.pool.start()
        self._sweeper = asyncio.create_task(self.desk.sweep())

    async def stop(self) -> None:
        """End the workers; what was waiting fails."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await self.pool.stop()

    def _gauges(self) -> dict[str, tuple[str, float]]:
        pool = self.pool
        return {
            "pixelift_queue_pictures": ("Pictures that wait for a worker.", pool.waiting),
            "pixelift_queue_bytes": ("Uploads arriving or waiting.", self.budget.taken),
            "pixelift_results_bytes": ("Results that are not fetched yet.", pool.held_bytes),
            "pixelift_jobs_remembered": ("Jobs that can be asked about.", len(self.desk)),
            "pixelift_workers": ("Workers that are ready.", pool.ready),
            "pixelift_workers_busy": ("Workers that are on a picture.", pool.busy),
            "pixelift_workers_lost": ("Workers that ended unexpectedly.", pool.lost),
            "pixelift_workers_resident_bytes": (
                "Memory of all workers after their last picture.",
                sum(pool.resident_bytes.values()),
            ),
        }


def default_workers(limits: Limits) -> int:
    """Choose how many workers there are.

    Args:
        limits: Say how much memory a worker may take.

    Returns:
        `WORKERS`, but no more than there are cores, and than find room in three quarters of the
        memory, all with the largest pictures.
    """
    most, memory = min(WORKERS, usable_cores()), total_memory()
    return most if memory is None else max(1, min(most, memory * 3 // 4 // limits.worker_bytes))


def worker_command(settings: Settings) -> list[str]:
    """Say how a worker is started.

    Args:
        settings: Threads, engine and precision.

    Returns:
        Program and arguments.
    """
    chosen = WorkerSettings(
        threads=settings.threads or usable_cores(),
        engine=settings.engine,
        precision=settings.precision,
        memory_bytes=settings.limits.worker_bytes,
    )
    # -P: the folder that the service is started in is no place to take modules from.
    return [
        sys.executable,
        *("-P", "-m", "pixelift.serve.worker"),
        msgspec.json.encode(chosen).decode(),
    ]
