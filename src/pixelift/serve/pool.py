"""The workers and the queue before them: bounded, cancellable, and whole again after a crash."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pixelift.errors import ConfigError
from pixelift.serve.frames import Done, Failed, FromWorker, Order, Progress, Ready, Stop
from pixelift.serve.limits import Limits, Share
from pixelift.serve.problems import Problem
from pixelift.serve.process import GRACE_SECONDS, Worker, WorkerLostError
from pixelift.serve.worker import DECODED, TOO_MUCH_MEMORY

State = Literal["waiting", "running", "done", "failed", "cancelled"]

START_SECONDS = 120
"""Time for a worker to load its engine, on a slow and busy machine."""

PAUSE_SECONDS = 1.0
"""Time until a worker that failed to start is tried again."""

FIRST_GUESS = 1.0
"""Seconds that a picture takes, as long as none has been done."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One picture on its way through the pool."""

    order: Order
    data: bytes | bytearray | None
    """The picture's file, until a worker has it."""

    share: Share | None = None
    """What the file takes of the budget of bytes; given back with it."""

    state: State = "waiting"
    progress: float = 0.0
    done: Done | None = None
    result: bytes | None = None
    problem: Problem | None = None
    started: float | None = None
    seconds: float = 0.0
    """Time that a worker spent on it."""

    finished: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def drop_data(self) -> None:
        """Let go of the picture's file."""
        self.data = None
        if self.share is not None:
            self.share.give_back()


class Pool:
    """All workers. Belongs to one event loop; nothing here waits for a processor."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        workers: int,
        limits: Limits,
        on_finished: Callable[[Ticket], None] = lambda _: None,
    ) -> None:
        """Note how to start workers; none is started yet.

        Args:
            command: Program and arguments of a worker.
            workers: How many there are.
            limits: Length of the queue, time for a picture, bytes of results.
            on_finished: Called with each ticket when it is finished, well or not.
        """
        self._command = command
        self._limits = limits
        self._on_finished = on_finished
        self.size = workers
        self._waiting: deque[Ticket] = deque()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self.busy = 0
        """Workers that are on a picture."""
        self.ready = 0
        """Workers that are alive and have their network loaded."""
        self.lost = 0
        """Workers that ended without having been told to."""
        self.held_bytes = 0
        """Bytes of results that are to be fetched or being sent."""
        self.resident_bytes: dict[int, int] = {}
        """Memory of each worker after its last picture."""
        self._usual_seconds = FIRST_GUESS

    @property
    def waiting(self) -> int:
        """Pictures that wait for a worker."""
        return len(self._waiting)

    async def start(self) -> None:
        """Start the workers and wait for the first one.

        Raises:
            ConfigError: Workers cannot be started; the message is theirs.
        """
        first = await self._hire()
        self.ready += 1
        for slot in range(self.size):
            worker = first if slot == 0 else None
            self._tasks.append(asyncio.create_task(self._keep_busy(slot, worker)))

    async def stop(self) -> None:
        """End all workers; what was waiting fails."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._waiting:
            self._fail(self._waiting.popleft(), _stopping())

    def retry_after(self) -> int:
        """Guess when there is room in the queue again.

        Returns:
            Seconds, from 1 to 60.
        """
        rounds = (len(self._waiting) + self.busy) / self.size
        return max(1, min(60, round(rounds * self._usual_seconds / 2)))

    def check_room(self) -> None:
        """Refuse a picture that would find the queue full, before it is uploaded.

        Raises:
            Problem: The queue is full, or the service is about to stop.
        """
        if self._is_stopping:
            raise _stopping()
        if len(self._waiting) >= self._limits.queue_length:
            raise Problem(
                "busy",
                f"{len(self._waiting)} pictures are waiting; no more are taken. Try again later.",
                retry_after=self.retry_after(),
            )

    def submit(self, order: Order, data: bytes | bytearray, *, share: Share | None) -> Ticket:
        """Put a picture into the queue.

        Args:
            order: What to make.
            data: The picture's file.
            share: What it takes of the budget of bytes; the pool gives it back.

        Returns:
            The ticket, on which everything that happens is noted.

        Raises:
            Problem: See `check_room`.
        """
        self.check_room()
        ticket = Ticket(order, data, share)
        self._waiting.append(ticket)
        self._news.set()
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Give up a picture: out of the queue, or out of the hands of its worker.

        Args:
            ticket: Whatever has become of it.
        """
        ticket.stop.set()
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            self._fail(ticket, _cancelled())
        self.release(ticket)

    def release(self, ticket: Ticket) -> None:
        """Let go of a result: it was sent, or nobody wants it.

        Args:
            ticket: May have no result.
        """
        if ticket.result is not None:
            self.held_bytes -= len(ticket.result)
            ticket.result = None
            self._news.set()

    def place(self, ticket: Ticket) -> int:
        """Tell how many are before a picture.

        Args:
            ticket: A ticket.

        Returns:
            0 when it is not waiting, or is the next.
        """
        return self._waiting.index(ticket) if ticket in self._waiting else 0

    async def _hire(self) -> Worker:
        worker = await Worker.start(self._command)
        try:
            answer, _ = await asyncio.wait_for(worker.receive(), START_SECONDS)
        except (WorkerLostError, TimeoutError) as err:
            await worker.end()
            raise ConfigError(
                "a worker cannot be started; its own words are above. "
                "Try on the command line: pixelift upscale"
            ) from err
        except BaseException:
            await worker.end()
            raise
        if not isinstance(answer, Ready):
            await worker.end()
            raise ConfigError(answer.detail if isinstance(answer, Failed) else "no worker")
        return worker

    async def _keep_busy(self, slot: int, worker: Worker | None) -> None:
        """Keep one worker alive and give it one picture after the other."""
        try:
            while True:
                if worker is None:
                    worker = await self._rehire()
                ticket = await self._next()
                self.busy += 1
                try:
                    is_whole = await self._work(worker, ticket)
                finally:
                    self.busy -= 1
                if ticket.done is not None:
                    self.resident_bytes[slot] = ticket.done.resident_bytes
                if not is_whole:
                    self.ready -= 1
                    await worker.end()
                    worker = None
        finally:
            if worker is not None:
                self.ready -= 1
                await worker.end()

    async def _rehire(self) -> Worker:
        while True:
            try:
                worker = await self._hire()
            except (ConfigError, OSError):
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                self.ready += 1
                return worker

    async def _next(self) -> Ticket:
        while not self._waiting or self.held_bytes > self._limits.results_bytes:
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    async def _work(self, worker: Worker, ticket: Ticket) -> bool:
        """Have one picture made; tell whether the worker can go on."""
        ticket.state = "running"
        ticket.started = time.monotonic()
        try:
            async with asyncio.timeout(self._limits.job_seconds):
                return await self._talk(worker, ticket)
        except TimeoutError:
            is_whole = await self._call_off(worker)
            self._fail(
                ticket,
                Problem(
                    "too-long",
                    f"The picture took more than {self._limits.job_seconds:g} seconds. "
                    "Make it smaller, or choose a smaller scale.",
                ),
            )
            return is_whole
        except WorkerLostError:
            self.lost += 1
            self._fail(ticket, _loss(await worker.exit_code(), ticket.progress))
            return False
        except asyncio.CancelledError:
            self._fail(ticket, _stopping())
            raise
        finally:
            if ticket.done is not None:
                self._usual_seconds += 0.2 * (ticket.seconds - self._usual_seconds)

    async def _talk(self, worker: Worker, ticket: Ticket) -> bool:
        await worker.send(ticket.order, ticket.data or b"")
        ticket.drop_data()
        stopped = asyncio.create_task(ticket.stop.wait())
        heard = asyncio.create_task(worker.receive())
        try:
            while True:
                await asyncio.wait({stopped, heard}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    break
                answer, payload = heard.result()
                if not isinstance(answer, Progress):
                    self._note(ticket, answer, payload)
                    return True
                ticket.progress = max(ticket.progress, answer.share)
                heard = asyncio.create_task(worker.receive())
        finally:
            stopped.cancel()
            heard.cancel()
            await asyncio.gather(stopped, heard, return_exceptions=True)
        is_whole = await self._call_off(worker)
        self._fail(ticket, _cancelled())
        return is_whole

    async def _call_off(self, worker: Worker) -> bool:
        """Make a worker stop, one way or the other; tell whether it can go on."""
        try:
            async with asyncio.timeout(GRACE_SECONDS):
                await worker.send(Stop())
                while True:
                    answer, _ = await worker.receive()
                    if isinstance(answer, Done | Failed):
                        return True
        except (WorkerLostError, TimeoutError):
            return False

    def _note(self, ticket: Ticket, answer: FromWorker, payload: bytes) -> None:
        if isinstance(answer, Failed):
            self._fail(ticket, Problem(answer.kind, answer.detail))
        elif not isinstance(answer, Done):
            raise WorkerLostError("it answers what nobody asked")
        elif ticket.stop.is_set():
            self._fail(ticket, _cancelled())
        else:
            ticket.state, ticket.progress = "done", 1.0
            ticket.done, ticket.result = answer, payload
            self.held_bytes += len(payload)
            self._finish(ticket)

    def _fail(self, ticket: Ticket, problem: Problem) -> None:
        if ticket.finished.is_set():
            return
        ticket.drop_data()
        ticket.state = "cancelled" if problem.kind == "cancelled" else "failed"
        ticket.problem = problem
        self._finish(ticket)

    def _finish(self, ticket: Ticket) -> None:
        if ticket.started is not None:
            ticket.seconds = time.monotonic() - ticket.started
        ticket.finished.set()
        self._on_finished(ticket)


def _loss(code: int, progress: float) -> Problem:
    if code == TOO_MUCH_MEMORY:
        return Problem(
            "out-of-memory",
            "The picture needs more memory than a worker may take. "
            "Make it smaller, or choose a smaller scale.",
        )
    if progress < DECODED:
        return Problem("bad-picture", "The picture's file makes its decoder crash. Save it anew.")
    return Problem("failed", f"A worker ended unexpectedly ({code}). Try again.")


def _stopping() -> Problem:
    return Problem("stopping", "The service is about to stop. Try again later.", retry_after=5)


def _cancelled() -> Problem:
    return Problem("cancelled", "The job was cancelled. Submit the picture again.")
