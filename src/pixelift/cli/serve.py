"""`pixelift serve`: a page to drop photos on, and an HTTP service."""

import os
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.cli.main import FINE, complain, whole_number
from pixelift.errors import ConfigError

if TYPE_CHECKING:
    import socket

    from pixelift.serve.run import Running
    from pixelift.serve.service import Settings

TOKEN_VARIABLE = "PIXELIFT_TOKEN"
"""Environment variable that holds the token."""

PACKAGES = ("starlette", "uvicorn", "python_multipart", "prometheus_client")

Whole = Annotated[int, Parameter(converter=whole_number)]


def serve(  # noqa: PLR0913 - every option of the command is a parameter
    *,
    host: str = "127.0.0.1",
    port: Whole = 8000,
    no_browser: bool = False,
    token: str | None = None,
    allow_host: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    workers: Whole | None = None,
    threads: Whole | None = None,
    queue: Whole = 32,
    max_megapixels: Whole = 100,
    max_upload_mib: Whole = 64,
    job_seconds: Whole = 120,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto",
) -> int:
    """Open a page to drop photos on, and serve the same over HTTP.

    Only this machine can reach it, unless --host says otherwise. Pictures are kept in memory and
    forgotten after ten minutes; no file is written, and nothing is sent anywhere.

    Args:
        host: Address to serve on; 0.0.0.0 for all addresses of this machine.
        port: Port to serve on; 0 takes any that is free.
        no_browser: Do not open the page in a browser.
        token: What requests have to show; better given in the variable PIXELIFT_TOKEN, which
            other people on this machine cannot read.
        allow_host: Name under which the service is reached, behind a reverse proxy for instance;
            may be given several times. Addresses and localhost are always allowed.
        workers: Processes that work on pictures; by default two, as far as memory allows.
        threads: Threads of each worker; by default all cores.
        queue: Pictures that may wait; a further one is answered with 429.
        max_megapixels: Refuse pictures whose result would be larger; memory grows with it.
        max_upload_mib: Refuse larger files.
        job_seconds: Give a picture up when a worker has spent so many seconds on it.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes the fastest that loses next to nothing.
    """
    require(*PACKAGES, task="pixelift serve", extra="serve")
    from pixelift.serve.gate import Access, known_hosts
    from pixelift.serve.limits import MEGA, MIB, Limits
    from pixelift.serve.run import open_socket
    from pixelift.serve.service import Settings

    secret = token if token is not None else os.environ.get(TOKEN_VARIABLE) or None
    if secret is not None and (not secret.isascii() or not secret.strip() or " " in secret):
        raise ConfigError("the token is empty or has spaces or letters beyond ASCII. Give another")
    upload_bytes = max_upload_mib * MIB
    settings = Settings(
        limits=Limits(
            upload_bytes=upload_bytes,
            result_pixels=max_megapixels * MEGA,
            job_seconds=job_seconds,
            queue_length=queue,
            queue_bytes=max(Limits().queue_bytes, 2 * upload_bytes),
        ),
        access=Access(hosts=known_hosts(allow_host), token=secret),
        workers=workers,
        threads=threads,
        engine=engine,
        precision=precision,
    )
    with open_socket(host, port) as opened:
        _run(settings, opened, opens_browser=not no_browser)
    return FINE


def _run(settings: "Settings", opened: "socket.socket", *, opens_browser: bool) -> None:
    import asyncio
    import webbrowser

    from pixelift.serve.run import address_of, is_local, run_service

    url = address_of(opened)
    secret = settings.access.token

    def tell(_: "Running") -> None:
        print(f"Pixelift is on {url}  (Ctrl-C ends it)", flush=True)
        if not is_local(opened) and secret is None:
            complain("whoever can reach this machine can use it. Ask for a token: --token WORD")
        if opens_browser:
            # After the #, so that it is not sent, and stands in no log.
            webbrowser.open(f"{url}#token={secret}" if secret else url)

    try:
        asyncio.run(run_service(settings, opened, on_ready=tell))
    except KeyboardInterrupt:
        print("stopped")
