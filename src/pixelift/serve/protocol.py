"""HTTP/1.1 with the patience of a clerk: nobody holds a connection by doing nothing.

Uvicorn waits for ever for the end of a header, and for ever for a client to read its answer.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0
"""Time for a client to send the whole header of a request."""

READ_SECONDS = 30.0
"""Time for a client to take the next part of an answer."""

BEAT_SECONDS = 1.0

MAX_CONNECTIONS = 512
"""Connections at the same time; a further one is closed at once."""


class PatientProtocol(H11Protocol):
    """Uvicorn's protocol, and a clock beside it."""

    header_seconds = HEADER_SECONDS
    read_seconds = READ_SECONDS
    max_connections = MAX_CONNECTIONS

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (uvicorn's own)
        """Start with all clocks stopped; see `H11Protocol`."""
        super().__init__(*arguments, **options)
        self._beat: asyncio.TimerHandle | None = None
        self._header_since: float | None = None
        self._stuck_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
            return
        self._header_since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._beat is not None:
            self._beat.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data, and note whether a header is still to be completed."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._header_since = None
        elif self._header_since is None:
            self._header_since = self.loop.time()

    def on_response_complete(self) -> None:
        """Stop the clock: now the time for keeping a connection alive runs."""
        self._header_since = None
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as it is sent to."""
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client has read."""
        self._stuck_since = None
        super().resume_writing()

    def _look(self) -> None:
        now = self.loop.time()
        if self._stuck_since is None and self.transport.is_closing():
            # Closed by us with something unsent: it is sent soon, or never.
            self._stuck_since = now
        if self._stuck_since is not None and now - self._stuck_since > self.read_seconds:
            self.transport.abort()
            return
        if self._header_since is not None and now - self._header_since > self.header_seconds:
            self.transport.abort()
            return
        self._beat = self.loop.call_later(BEAT_SECONDS, self._look)
