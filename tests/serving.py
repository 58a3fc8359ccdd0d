"""Running services, forms and workers for the tests of `serve`."""

import asyncio
import contextlib
import io
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from pixelift.errors import PixeliftError
from pixelift.serve.run import Running, address_of, open_socket, run_service
from pixelift.serve.service import Settings
from tests.patience import PATIENCE

FAKE_WORKER = (sys.executable, str(Path(__file__).parent / "serve" / "fake_worker.py"))
"""Command of a worker that does what the model's name says."""

BOUNDARY = "aB1-boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[tuple[str, Running]]:
    """Run a service in a thread; hand out its address and its server."""
    opened = open_socket("127.0.0.1", 0)
    is_up, servers, errors = threading.Event(), [], []

    def serve() -> None:
        try:
            asyncio.run(
                run_service(settings, opened, on_ready=lambda s: (servers.append(s), is_up.set()))
            )
        except PixeliftError as error:
            errors.append(error)
            is_up.set()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert is_up.wait(2 * PATIENCE), "the service does not start"
        if errors:
            raise errors[0]
        yield address_of(opened).rstrip("/"), servers[0]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(PATIENCE)
        opened.close()


def form(parts: Mapping[str, bytes | str], *, filename: str = "photo.png") -> bytes:
    """Write a form as browsers send it; the part "file" is a file."""
    lines = []
    for name, value in parts.items():
        data = value.encode() if isinstance(value, str) else value
        file = f'; filename="{filename}"\r\nContent-Type: image/png' if name == "file" else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        lines += [head.encode(), data, b"\r\n"]
    return b"".join([*lines, f"--{BOUNDARY}--\r\n".encode()])


def picture(*, height: int = 12, width: int = 16, format: str = "png", **options: object) -> bytes:
    """Draw a small picture with edges and a gradient, and write it as a file."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 255 // height, columns * 255 // width, (rows ^ columns) & 255], 2)
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, format, **options)
    return file.getvalue()
