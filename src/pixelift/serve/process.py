"""A worker as the server sees it: a process at the other end of two pipes."""

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec

from pixelift.serve.frames import HEAD, FromWorker, ToWorker, decode_answer, encode, lengths

GRACE_SECONDS = 1.0
"""Time for a worker to do by itself what it is told or about to do, before it is killed."""


class WorkerLostError(Exception):
    """The process of a worker has ended in the middle of something."""


class Worker:
    """A process, as the server sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take over a process that was just started.

        Args:
            process: Its standard input and output are pipes.
        """
        if process.stdin is None or process.stdout is None:
            raise ValueError("a worker needs pipes to be talked to")
        self._process = process
        self._inbox = process.stdin
        self._outbox = process.stdout
        self._hearing: asyncio.Task[tuple[FromWorker, bytes]] | None = None

    @classmethod
    async def start(cls, command: Sequence[str]) -> "Worker":
        """Start a process.

        Args:
            command: Program and arguments.

        Returns:
            The worker; it still has to say that it is ready.
        """
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe))

    async def send(self, message: ToWorker, payload: bytes | bytearray = b"") -> None:
        """Tell the worker something.

        Args:
            message: What to say.
            payload: A picture's file.

        Raises:
            WorkerLostError: It has gone.
        """
        try:
            self._inbox.write(encode(message, len(payload)))
            self._inbox.write(payload)
            await self._inbox.drain()
        except (ConnectionError, RuntimeError) as err:
            raise WorkerLostError from err

    async def receive(self) -> tuple[FromWorker, bytes]:
        """Wait for what the worker tells.

        Returns:
            The message and its payload.

        Raises:
            WorkerLostError: It has gone.
        """
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear())
        # Who gives up waiting must not leave half a frame in the pipe.
        told = await asyncio.shield(self._hearing)
        self._hearing = None
        return told

    async def end(self) -> int:
        """End the process at once.

        Returns:
            Its exit code; negative for a signal.
        """
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._inbox.close()
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        return await self._process.wait()

    async def exit_code(self) -> int:
        """Wait for a process that is ending by itself, but not for long.

        Returns:
            Its exit code; negative for a signal, also for the one with which it was helped along.
        """
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._process.wait(), GRACE_SECONDS)
        return await self.end()

    async def _hear(self) -> tuple[FromWorker, bytes]:
        try:
            message, payload = lengths(await self._outbox.readexactly(HEAD.size))
            answer = decode_answer(await self._outbox.readexactly(message))
            return answer, await self._outbox.readexactly(payload) if payload else b""
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
            ValueError,
            msgspec.DecodeError,
        ) as err:
            raise WorkerLostError from err
