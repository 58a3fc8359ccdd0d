"""Jobs that are submitted, asked about, fetched or cancelled; forgotten when nobody asks."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from pixelift.serve.limits import Limits
from pixelift.serve.pool import Pool, State, Ticket
from pixelift.serve.problems import Problem, ProblemBody

SWEEP_SECONDS = 1.0

MAX_JOBS = 1000
"""Jobs that are remembered; the results among them are bounded by their bytes."""


class ResultBody(msgspec.Struct, kw_only=True):
    """What the result of a job is."""

    href: str
    """Where to fetch it, from the root of the service."""

    format: str
    width: int
    height: int
    bytes: int
    model: str = ""
    """The network that made it."""

    why: str = ""
    """What was seen of the picture; empty where the model was named."""


class JobBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is told about a job."""

    id: str
    state: State
    progress: float
    """Share that is done, 0 to 1."""

    place: int
    """How many pictures are before it in the queue."""

    model: str
    scale: int | float | None
    """Factor that was asked for; null where a size was."""

    seconds: float
    """Time that a worker spent on it; 0 until it is done."""

    result: ResultBody | None = None
    problem: ProblemBody | None = None


@dataclass(slots=True)
class Job:
    """A ticket that is remembered under a name nobody can guess."""

    id: str
    name: str
    """What the client calls its file."""

    ticket: Ticket
    asked: float = field(default_factory=time.monotonic)
    """When somebody last asked about it."""


class Desk:
    """Remembers jobs."""

    def __init__(self, pool: Pool, limits: Limits) -> None:
        """Start with no job.

        Args:
            pool: Does the work.
            limits: How long jobs and results are kept, and how many bytes.
        """
        self._pool = pool
        self._limits = limits
        self._jobs: dict[str, Job] = {}

    def __len__(self) -> int:
        """Count the jobs that are remembered."""
        return len(self._jobs)

    def open(self, ticket: Ticket, name: str) -> Job:
        """Remember a picture that was submitted.

        Args:
            ticket: What the pool gave for it.
            name: What the client calls its file.

        Returns:
            The job.
        """
        job = Job(secrets.token_urlsafe(16), name, ticket)
        self._jobs[job.id] = job
        self._make_room()
        return job

    def find(self, name: str) -> Job:
        """Find a job and note that it is still wanted.

        Args:
            name: Its name.

        Returns:
            The job.

        Raises:
            Problem: There is none, or none any more.
        """
        job = self._jobs.get(name)
        if job is None:
            raise Problem(
                "no-job",
                "There is no such job. Results are kept for "
                f"{self._limits.keep_seconds:g} seconds, and jobs that nobody asks about are "
                f"given up after {self._limits.lease_seconds:g}. Submit the picture again.",
            )
        job.asked = time.monotonic()
        return job

    def close(self, job: Job) -> None:
        """Give a job up and forget it.

        Args:
            job: The job.
        """
        self._jobs.pop(job.id, None)
        self._pool.cancel(job.ticket)

    def describe(self, job: Job) -> JobBody:
        """Tell about a job.

        Args:
            job: The job.

        Returns:
            What a client is told.
        """
        ticket = job.ticket
        result = None
        if ticket.done is not None and ticket.result is not None:
            result = ResultBody(
                href=f"/v1/jobs/{job.id}/result",
                format=ticket.done.format,
                width=ticket.done.out_width,
                height=ticket.done.out_height,
                bytes=len(ticket.result),
                model=ticket.done.model,
                why=ticket.done.why,
            )
        return JobBody(
            id=job.id,
            state=ticket.state,
            progress=round(ticket.progress, 3),
            place=self._pool.place(ticket),
            model=ticket.order.model,
            scale=ticket.order.scale,
            seconds=round(ticket.seconds, 3),
            result=result,
            problem=ticket.problem.body() if ticket.problem else None,
        )

    async def sweep(self) -> None:
        """Forget what nobody wants any more; runs until it is cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for job in list(self._jobs.values()):
                is_done = job.ticket.finished.is_set()
                limit = self._limits.keep_seconds if is_done else self._limits.lease_seconds
                if now - job.asked > limit:
                    self.close(job)
            self._make_room()

    def _make_room(self) -> None:
        for job in self._oldest_finished():
            is_full = self._pool.held_bytes > self._limits.results_bytes // 2
            if len(self._jobs) <= MAX_JOBS and not (is_full and job.ticket.result):
                continue
            self.close(job)

    def _oldest_finished(self) -> Iterator[Job]:
        return iter([job for job in self._jobs.values() if job.ticket.finished.is_set()])
