"""What every request passes before anything looks at it, and what every answer is given to wear."""

import asyncio
import hmac
import ipaddress
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixelift.serve.metrics import Metrics
from pixelift.serve.problems import MEDIA_TYPE, Problem

PUBLIC = frozenset(
    {"/", "/page.css", "/page.js", "/service.js", "/compare.js", "/zip.js", "/icon.svg"}
    | {"/health", "/openapi.json"}
)
"""Paths that need no token: they tell nothing and cost nothing."""

UNCHANGING = frozenset({"GET", "HEAD", "OPTIONS"})

DRAIN_SECONDS = 3.0
DRAIN_BYTES = 128 * 2**20
"""What is still read of a body that nobody wants. A client that is cut off in the middle of its
upload often does not get to see why."""

SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

_HOST = re.compile(
    r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/@\[\]]+))(?::(?P<port>[0-9]*))?", re.ASCII
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in."""

    hosts: frozenset[str] = frozenset()
    """Names of this service beside "localhost" and addresses, in lower case and without a port."""

    token: str | None = None
    """What a request has to show; None lets all in that can reach the address."""


def check_host(host: str | None, access: Access) -> None:
    """Refuse a request that was sent to another name.

    A page of a stranger can make its own name point to this machine and then talk to it as to
    itself (DNS rebinding). An address cannot be made to point elsewhere, hence is always fine.

    Args:
        host: The header.
        access: The names that are known.

    Raises:
        Problem: The name is not known.
    """
    name = host_name(host or "")
    if name == "localhost" or name in access.hosts or _is_address(name):
        return
    raise Problem(
        "wrong-host",
        f'This service is not known as "{name[:60]}". '
        "Use its address, or start it with: pixelift serve --allow-host NAME",
    )


def check_origin(headers: Headers) -> None:
    """Refuse what a page of another site has a browser send.

    Args:
        headers: Headers of a request that changes something.

    Raises:
        Problem: The browser says that it comes from elsewhere.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    is_own = origin is None or _is_same_site(origin, headers.get("host", ""))
    if not is_own or site in ("cross-site", "same-site"):
        raise Problem(
            "cross-origin",
            "The request comes from a page of another site. Send it from a program, "
            "or from the page of this service.",
        )


def check_token(headers: Headers, access: Access) -> None:
    """Refuse who cannot show the token.

    Args:
        headers: Headers of the request.
        access: The token.

    Raises:
        Problem: It is missing or wrong.
    """
    if access.token is None:
        return
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    is_right = hmac.compare_digest(shown.strip().encode(), access.token.encode())
    if scheme.lower() != "bearer" or not is_right:
        raise Problem(
            "no-token",
            'A token is needed. Send the header "Authorization: Bearer TOKEN".',
            headers={"www-authenticate": 'Bearer realm="pixelift"'},
        )


def host_name(host: str) -> str:
    """Take the name out of a Host header.

    Args:
        host: Name or address, with or without a port.

    Returns:
        The name in lower case, an IPv6 address without brackets.

    Example:
        >>> host_name("LOCALHOST:8000"), host_name("[::1]:80"), host_name("a.example.:443")
        ('localhost', '::1', 'a.example')
    """
    return _name_and_port(host)[0]


def _name_and_port(host: str) -> tuple[str, str]:
    """Take a Host header apart; all of it is the name where it is none as RFC 9110 has it."""
    found = _HOST.fullmatch(host)
    if found is None:
        return host, ""
    # A dot at the end says that the name is whole, and means the same name.
    name = (found["address"] or found["name"].removesuffix(".")).lower()
    return name, found["port"] or ""


def _is_same_site(origin: str, host: str) -> bool:
    """Compare what a browser says it comes from with where it goes, both as they may be written."""
    parts = urlsplit(origin)
    usual = {"http": "80", "https": "443"}.get(parts.scheme, "")
    (name, port), (other, other_port) = _name_and_port(parts.netloc), _name_and_port(host)
    return bool(name) and (name, port or usual) == (other, other_port or usual)


class Gate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, access: Access, metrics: Metrics) -> None:
        """Stand before an application.

        Args:
            app: The application.
            access: Who may come in.
            metrics: Where requests are counted.
        """
        self._app = app
        self._access = access
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(receive, send, headers=Headers(scope=scope))
        started = time.perf_counter()
        try:
            try:
                self._check(scope)
            except Problem as problem:
                await visit.refuse(problem)
            else:
                await self._app(scope, visit.receive, visit.send)
        except ClientDisconnect:
            visit.status = visit.status or 499
        finally:
            self._metrics.answered(
                _endpoint(scope),
                status=visit.status,
                seconds=time.perf_counter() - started,
            )

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        check_host(headers.get("host"), self._access)
        if scope["method"] not in UNCHANGING:
            check_origin(headers)
        if scope["path"] not in PUBLIC:
            check_token(headers, self._access)


class _Visit:
    """One request: knows whether its body was read to the end, and dresses the answer."""

    def __init__(self, receive: Receive, send: Send, *, headers: Headers) -> None:
        self._receive = receive
        self._send = send
        # A client that waits to be asked for its body has nothing on the way to us.
        self._is_read = headers.get("expect", "").lower() == "100-continue" or not (
            "content-length" in headers or "transfer-encoding" in headers
        )
        self.status = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._is_read = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if "connection" not in headers:
                await self._drain()
            self.status = message["status"]
            for name, value in SECURITY.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        body = problem.encoded()
        headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        start: dict[str, Any] = {"type": "http.response.start", "status": problem.status}
        await self.send({**start, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

    async def _drain(self) -> None:
        count = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._is_read and count < DRAIN_BYTES:
                    message = await self.receive()
                    count += len(message.get("body", b""))
        except TimeoutError:
            _log.debug("a body was not read to its end")


def _endpoint(scope: Scope) -> str:
    return getattr(scope.get("endpoint"), "__name__", "none")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def known_hosts(names: Iterable[str]) -> frozenset[str]:
    """Write names as they are compared.

    Args:
        names: As a person typed them: names, or addresses of pages with them.

    Returns:
        In lower case, without ports, letters beyond ASCII as browsers send them.
    """
    hosts = (urlsplit(name).netloc if "://" in name else name for name in names)
    return frozenset(_as_sent(host_name(host.strip().rstrip("/"))) for host in hosts)


def _as_sent(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
