"""The routes: what can be asked of the service, and how it answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from importlib import metadata, resources
from pathlib import PurePath
from urllib.parse import quote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pixelift.image.formats import FORMATS
from pixelift.serve.desk import Job
from pixelift.serve.fields import order_of
from pixelift.serve.form import read_form, refuse_query
from pixelift.serve.gate import Gate
from pixelift.serve.metrics import MEDIA_TYPE as METRICS_TYPE
from pixelift.serve.openapi import HealthBody, ModelBody, ModelsBody, openapi
from pixelift.serve.pool import Ticket
from pixelift.serve.problems import MEDIA_TYPE, Problem
from pixelift.serve.service import Service

CHUNK_BYTES = 256 * 1024
"""A client gets a result in parts of this size, so that one who stops reading is noticed."""

POLL_SECONDS = 1

PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8")
        for name in ("page", "service", "compare", "zip")
    },
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
"""Paths of the page, and the files that hold it; they are read once, when the service starts."""


class PictureResponse(Response):
    """A result, sent in parts and let go of when it is sent."""

    def __init__(self, ticket: Ticket, *, name: str, sent: Callable[[], None]) -> None:
        """Prepare the answer.

        Args:
            ticket: A ticket with a result.
            name: What the client calls its file.
            sent: Called when the result was sent, or cannot be sent.
        """
        if ticket.done is None or ticket.result is None:
            raise ValueError("the ticket has no result")
        fmt = FORMATS[ticket.done.format]
        stem = f"{PurePath(name).stem}_{ticket.order.target.label}"
        super().__init__(
            media_type=f"image/{fmt.name}",
            headers={
                "content-length": str(len(ticket.result)),
                "content-disposition": disposition(stem + fmt.suffixes[0]),
            },
        )
        self._data = memoryview(ticket.result)
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; see ASGI."""
        del scope, receive
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            for at in range(0, len(self._data), CHUNK_BYTES):
                part = bytes(self._data[at : at + CHUNK_BYTES])
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._data.release()
            self._sent()


def make_app(service: Service) -> Gate:
    """Put the application together.

    Args:
        service: Started by the caller; stopped when the application is shut down.

    Returns:
        The application, with the gate before it.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await service.stop()

    document = msgspec.json.encode(openapi(service.offers, version=_version()))
    app = Starlette(
        routes=[
            *_page_routes(),
            Route("/v1/upscale", upscale, methods=["POST"]),
            Route("/v1/models", list_models, methods=["GET"]),
            Route("/v1/jobs", submit_job, methods=["POST"]),
            Route("/v1/jobs/{id}", one_job, methods=["GET", "DELETE"]),
            Route("/v1/jobs/{id}/result", fetch_result, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            _fixed("/openapi.json", document, "application/json"),
        ],
        exception_handlers={
            Problem: _answer_problem,
            HTTPException: _answer_unrouted,
            Exception: _answer_mistake,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return Gate(app, access=service.settings.access, metrics=service.metrics)


async def upscale(request: Request) -> Response:
    """Enlarge a picture while the client waits."""
    service = _service(request)
    ticket, name = await _accept(request)
    try:
        await _until_finished(request, ticket)
        if ticket.problem is not None:
            raise ticket.problem
        return PictureResponse(ticket, name=name, sent=lambda: service.pool.release(ticket))
    except BaseException:
        service.pool.cancel(ticket)
        raise


async def submit_job(request: Request) -> Response:
    """Take a picture to be enlarged while the client does something else."""
    ticket, name = await _accept(request)
    desk = _service(request).desk
    job = desk.open(ticket, name)
    headers = {"location": f"/v1/jobs/{job.id}", "retry-after": str(POLL_SECONDS)}
    return _json(desk.describe(job), status=202, headers=headers)


async def one_job(request: Request) -> Response:
    """Tell how a job is getting on; or, where it is deleted, give it up and forget it."""
    desk, job = _service(request).desk, _job(request)
    if request.method == "DELETE":
        desk.close(job)
        return Response(status_code=204)
    return _json(desk.describe(job))


async def fetch_result(request: Request) -> Response:
    """Hand out the result of a job, as often as it is asked for."""
    job = _job(request)
    if job.ticket.problem is not None:
        raise job.ticket.problem
    if job.ticket.result is None:
        raise Problem(
            "not-done",
            f"The job is {job.ticket.state}. Ask again in a moment.",
            retry_after=POLL_SECONDS,
        )
    return PictureResponse(job.ticket, name=job.name, sent=lambda: None)


async def list_models(request: Request) -> Response:
    """Tell which models there are."""
    models = [
        ModelBody(
            name=card.name,
            scale=card.scale,
            channels=card.channels,
            parameters=card.parameters,
            licence=card.licence,
            psnr_y={name: score.psnr_y for name, score in card.scores.items()},
        )
        for card in _service(request).cards
    ]
    return _json(ModelsBody(models=models))


async def health(request: Request) -> Response:
    """Tell whether pictures can be taken."""
    pool = _service(request).pool
    body = HealthBody(
        status="ok" if pool.ready else "no worker is ready",
        version=_version(),
        workers=pool.ready,
        busy=pool.busy,
        waiting=pool.waiting,
    )
    return _json(body, status=200 if pool.ready else 503)


async def metrics(request: Request) -> Response:
    """Tell Prometheus how things are going."""
    return Response(_service(request).metrics.page(), media_type=METRICS_TYPE)


def disposition(name: str) -> str:
    r"""Make the header that names a download.

    Args:
        name: Name of the file, safe already.

    Returns:
        The header; programs that know no UTF-8 find a name of plain letters.

    Paper: RFC 6266, with the coding of RFC 8187.

    Example:
        >>> disposition("a.png")
        'attachment; filename="a.png"'
        >>> disposition("ä.png")
        'attachment; filename="_.png"; filename*=UTF-8\'\'%C3%A4.png'
    """
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    header = f'attachment; filename="{plain}"'
    if plain != name:
        header += f"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'))}"
    return header


async def _accept(request: Request) -> tuple[Ticket, str]:
    """Read a form and put its picture into the queue."""
    service = _service(request)
    refuse_query(request)
    service.pool.check_room()
    form = await read_form(request, limits=service.limits, budget=service.budget)
    try:
        order = order_of(form, offers=service.offers, limits=service.limits)
        return service.pool.submit(order, form.data, share=form.share), form.name
    except Problem:
        form.share.give_back()
        raise


async def _until_finished(request: Request, ticket: Ticket) -> None:
    """Wait for a picture as long as the client does."""
    finished = asyncio.create_task(ticket.finished.wait())
    gone = asyncio.create_task(_until_gone(request))
    try:
        await asyncio.wait({finished, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not ticket.finished.is_set():
            raise ClientDisconnect
    finally:
        finished.cancel()
        gone.cancel()
        await asyncio.gather(finished, gone, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _page_routes() -> list[Route]:
    folder = resources.files("pixelift.serve") / "page"
    return [
        _fixed(path, (folder / file).read_bytes(), media_type)
        for path, (file, media_type) in PAGE.items()
    ]


def _fixed(path: str, content: bytes, media_type: str) -> Route:
    async def page(_: Request) -> Response:
        headers = {"cache-control": "no-cache"}
        return Response(content, media_type=media_type, headers=headers)

    return Route(path, page, methods=["GET"])


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _job(request: Request) -> Job:
    return _service(request).desk.find(request.path_params["id"])


def _json(
    body: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(body), status, headers=headers, media_type="application/json"
    )


def _version() -> str:
    try:
        return metadata.version("pixelift")
    except metadata.PackageNotFoundError:
        return "unknown"


async def _answer_problem(_: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    return Response(
        problem.encoded(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


async def _answer_unrouted(request: Request, error: Exception) -> Response:
    headers = dict(getattr(error, "headers", None) or {})
    if getattr(error, "status_code", 404) == 405:
        allowed = ", ".join(sorted(headers.get("Allow", "").split(", ")))
        detail = f"{request.method[:20]} is not allowed here; allowed are {allowed}."
        return await _answer_problem(
            request, Problem("wrong-method", detail, headers={"allow": allowed})
        )
    return await _answer_problem(
        request, Problem("not-found", "There is nothing here. See /openapi.json for what there is.")
    )


async def _answer_mistake(request: Request, _: Exception) -> Response:
    problem = Problem("failed", "The service made a mistake; its log says more.")
    return await _answer_problem(request, problem)
