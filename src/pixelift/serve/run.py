"""The service on a socket, from the first worker's start to the last one's end."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable

import uvicorn

from pixelift.errors import ConfigError
from pixelift.serve.app import make_app
from pixelift.serve.protocol import PatientProtocol
from pixelift.serve.service import Service, Settings

STOP_SECONDS = 5
"""Time for requests in progress when the service is told to stop."""


def open_socket(host: str, port: int) -> socket.socket:
    """Open the socket that requests arrive at.

    Args:
        host: Name or address of this machine; one that only it can reach, unless told otherwise.
        port: 0 takes any that is free.

    Returns:
        The socket, bound and not yet listening.

    Raises:
        ConfigError: The address is not this machine's, or the port is taken.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(
            f'cannot serve on "{host}", port {port}: allowed are 0 to 65535. Try --port 8000'
        )
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )
        opened = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as err:
        raise ConfigError(
            f'cannot serve on "{host}", port {port}: {_reason(err)}. Try --host 127.0.0.1'
        ) from err
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as err:
        opened.close()
        raise ConfigError(
            f'cannot serve on "{host}", port {port}: {_reason(err)}. '
            "Try another port: --port 0 takes any that is free"
        ) from err
    return opened


def address_of(opened: socket.socket) -> str:
    """Write the address of a socket as a person types it into a browser.

    Args:
        opened: A bound socket.

    Returns:
        An URL. For "all addresses" that of this machine itself.
    """
    host, port, *_ = opened.getsockname()
    if ipaddress.ip_address(host).is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def is_local(opened: socket.socket) -> bool:
    """Say whether only this machine can reach a socket.

    Args:
        opened: A bound socket.
    """
    return ipaddress.ip_address(opened.getsockname()[0]).is_loopback


class Running(uvicorn.Server):
    """Uvicorn's server, which tells when it is up."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        """Prepare it.

        Args:
            config: Uvicorn's own.
            on_ready: Called once requests are taken.
        """
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests; see `uvicorn.Server`."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


async def run_service(
    settings: Settings,
    opened: socket.socket,
    *,
    on_ready: Callable[["Running"], None],
) -> None:
    """Serve until told to stop, by a signal or by `should_exit`.

    Args:
        settings: What a person chose.
        opened: Where requests arrive.
        on_ready: Called with the server once requests are taken.

    Raises:
        ConfigError: The workers cannot be started.
    """
    service = Service(settings)
    await service.start()
    config = uvicorn.Config(
        make_app(service),
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = Running(config, lambda: on_ready(server))
    try:
        await server.serve(sockets=[opened])
    finally:
        # The usual end has stopped it already; this is for an end in the middle of something.
        await asyncio.shield(service.stop())


def _reason(err: Exception) -> str:
    return getattr(err, "strerror", None) or str(err)
