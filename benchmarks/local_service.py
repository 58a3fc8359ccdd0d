"""A service in a process of its own, on this machine, for benchmarks to talk to."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BOUNDARY = "pixelift-benchmark"
TIMEOUT = 120

_local = threading.local()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    retry_after: int


@dataclass(frozen=True)
class LocalService:
    """Where the service is, and which process it is."""

    host: str
    port: int
    pid: int

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send a request over a connection that the thread keeps."""
        kept = getattr(_local, "connection", None)
        if kept is not None and (kept.host, kept.port) == (self.host, self.port):
            try:
                return _exchange(kept, method, path, body)
            except (http.client.RemoteDisconnected, ConnectionError):
                # The service closes a connection that was not used for some seconds.
                kept.close()
        _local.connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
        return _exchange(_local.connection, method, path, body)

    def upscale(self, data: bytes, fields: Mapping[str, str]) -> Answer:
        """Have a picture enlarged."""
        return self.ask("POST", "/v1/upscale", form(data, fields))

    def metrics(self) -> dict[str, float]:
        """Read the numbers that the service tells about itself."""
        lines = self.ask("GET", "/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def memory_mib(self) -> float:
        """Add up the memory of the service and of its workers."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        pids = {self.pid, *(int(pid) for file in tasks for pid in file.read_text().split())}
        return round(sum(map(_resident_mib, pids)), 1)


def form(data: bytes, fields: Mapping[str, str]) -> bytes:
    """Write the form that a request carries."""
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def local_service(*options: str) -> Iterator[LocalService]:
    """Run `pixelift serve` on a free port of this machine, and end it."""
    command = [sys.executable, "-m", "pixelift", "serve", "--port", "0", "--no-browser", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            words = process.stdout.readline().split() if process.stdout else []
            if len(words) < 4:
                raise SystemExit("the service did not start")
            host, _, port = words[3].removeprefix("http://").rstrip("/").rpartition(":")
            yield LocalService(host, int(port), process.pid)
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
) -> Answer:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if body else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read(), int(answer.headers.get("Retry-After", 0)))


def _resident_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    _, _, rest = text.partition("VmRSS:")
    return int(rest.split()[0]) / 1024 if rest else 0.0
