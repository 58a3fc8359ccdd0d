"""One worker: a process of its own that decodes, enlarges and encodes what strangers sent.

A process, and not a thread, because decoders are written in C: one that hangs, crashes or eats
memory takes nothing with it and can be ended at any moment. It is told what to do through its
standard input, and ends when that ends, so that none is left when the server was killed.
"""

import ctypes
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from pixelift.errors import (
    ConfigError,
    ImageReadError,
    ImageWriteError,
    OutOfMemoryError,
    PixeliftError,
    ShapeError,
    TooManyPixelsError,
    UnknownNameError,
)
from pixelift.image.encode import sample_type
from pixelift.image.formats import WRITABLE, find_writable
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Rows
from pixelift.image.write import encode_rows
from pixelift.infer.auto import AUTO
from pixelift.infer.engine import EngineChoice, PrecisionChoice
from pixelift.infer.target import Target
from pixelift.infer.upscaler import Upscaler
from pixelift.serve.frames import (
    Done,
    Failed,
    FromWorker,
    Order,
    Progress,
    Ready,
    Stop,
    decode_order,
    encode,
    read_frame,
)

KEPT_NETWORKS = 6
"""Networks that stay loaded, or as many as one model has. With what is compiled of it for some
sizes of tiles, one takes up to a hundred megabytes."""

LOOK_SECONDS = 0.1
"""Time between two looks at the memory that is taken, and between two reports of progress."""

DECODED = 0.1
"""Share of the whole work that is done when the picture is decoded."""

TOO_MUCH_MEMORY = 86
"""Exit code of a worker that took more memory than it may."""

TEMPORARY_ABOVE = "64g"
"""libvips puts pictures larger than this into a temporary file; workers must never write one."""

ERRORS = (
    (UnknownNameError, "bad-field"),
    (ConfigError, "bad-field"),
    (ShapeError, "bad-field"),
    (ImageReadError, "bad-picture"),
    (ImageWriteError, "bad-result"),
    (OutOfMemoryError, "out-of-memory"),
    (MemoryError, "out-of-memory"),
    (PixeliftError, "failed"),
)
"""Errors of the library, and the kind of problem that each is to a client; the first that fits."""


class StoppedError(Exception):
    """The server has called off the order."""


class WorkerSettings(msgspec.Struct, kw_only=True, frozen=True):
    """How a worker is started: the only argument of the process, as JSON."""

    threads: int
    engine: str = "auto"
    precision: str = "auto"
    memory_bytes: int = 0
    """A worker ends itself when it takes more; 0 lets it take what it wants."""


class Studio:
    """The networks of a worker, and what it does with an order."""

    def __init__(self, settings: WorkerSettings) -> None:
        """Note how networks are loaded; none is loaded yet.

        Args:
            settings: Threads, engine and precision.
        """
        self._settings = settings
        self._upscalers: OrderedDict[str, Upscaler] = OrderedDict()

    def upscaler(
        self, model: str, target: Target | None = None, *, consistent: bool | None = None
    ) -> Upscaler:
        """Load a model, or take the one that is loaded.

        Args:
            model: Name of a network, or "auto"; never a path.
            target: How large results are to be; None takes the default.
            consistent: As for `Upscaler`.

        Returns:
            The network, ready to run.

        Raises:
            PixeliftError: See `Upscaler`.
        """
        if model not in self._upscalers:
            settings = self._settings
            self._upscalers[model] = Upscaler(
                model,
                scale=target,
                # What is none of these is refused with those that are.
                engine=cast("EngineChoice", settings.engine),
                precision=cast("PrecisionChoice", settings.precision),
                threads=settings.threads,
            )
        self._upscalers.move_to_end(model)
        # Those of the picture before are counted here: they were loaded when it needed them.
        while len(self._upscalers) > 1 and self._loaded() > KEPT_NETWORKS:
            self._upscalers.popitem(last=False)
            give_memory_back()
        upscaler = self._upscalers[model]
        return upscaler if target is None else upscaler.at(target, consistent=consistent)

    def _loaded(self) -> int:
        return sum(upscaler.loaded for upscaler in self._upscalers.values())

    def fulfil(
        self, order: Order, data: bytes, *, progress: Callable[[float], None]
    ) -> tuple[Done | Failed, bytes]:
        """Do what an order says; whatever goes wrong is told in the answer.

        Args:
            order: What to make.
            data: The file of the picture.
            progress: Told the share that is done, from 0 to 1; may raise StoppedError.

        Returns:
            The answer and the file of the result; no bytes where it failed.
        """
        try:
            return self._enlarge(order, data, progress)
        except StoppedError:
            return Failed(kind="cancelled", detail="It was cancelled."), b""
        except TooManyPixelsError as error:
            told, _, _ = _told(error, data).partition("; allowed")
            return Failed(kind="too-many-pixels", detail=f"{told}; {_allowed(order)}"), b""
        except (PixeliftError, MemoryError) as error:
            kind = next(kind for error_type, kind in ERRORS if isinstance(error, error_type))
            return Failed(kind=kind, detail=_told(error, data)), b""
        except Exception:  # noqa: BLE001 - told to the client as a failure of ours, and logged
            traceback.print_exc()
            detail = "The service made a mistake with this picture; its log says more."
            return Failed(kind="failed", detail=detail), b""

    def _enlarge(
        self, order: Order, data: bytes, progress: Callable[[float], None]
    ) -> tuple[Done, bytes]:
        upscaler = self.upscaler(order.model, order.target, consistent=order.consistent)
        upscaler, why = upscaler.choose(data, max_pixels=order.max_pixels)
        with open_rows(data, max_pixels=order.max_pixels) as rows:
            header, bands = rows.header, list(rows.bands)
        size = header.size
        fmt = find_writable(order.format or header.format or "png", None) or WRITABLE[0]
        out = upscaler.size_of(size)
        if order.result_pixels is not None and out.pixels > order.result_pixels:
            raise TooManyPixelsError(f"the result would be {out}; allowed")
        if fmt.max_side and max(out.height, out.width) > fmt.max_side:
            raise ImageWriteError(
                f"the result would be {out}; {fmt.label} holds at most {fmt.max_side} pixels a "
                "side. Ask for the format png"
            )
        progress(DECODED)

        def tile_done(share: float) -> None:
            progress(DECODED + (1 - DECODED) * share)

        # Written while it is made: the result is never in memory as anything but its file.
        kind = sample_type(header, fmt)
        enlarged = upscaler.rows(Rows(header, iter(bands)), dtype=kind, progress=tile_done)
        result = encode_rows(enlarged, fmt.name, quality=order.quality)
        done = Done(
            format=fmt.name,
            width=size.width,
            height=size.height,
            out_width=out.width,
            out_height=out.height,
            model=upscaler.card.name,
            why=why or "",
            resident_bytes=resident_bytes(),
        )
        return done, result


class Bench:
    """Where a worker sits: its pipes, and the thread that reads what it is told."""

    def __init__(self, inbox: BinaryIO, outbox: BinaryIO) -> None:
        """Start to listen.

        Args:
            inbox: Orders come from here.
            outbox: Answers go there.
        """
        self._outbox = outbox
        self._orders: queue.SimpleQueue[tuple[Order, bytes]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._last_told = 0.0
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()

    def work(self, studio: Studio) -> None:
        """Fulfil orders until the process ends.

        Args:
            studio: Does the work.
        """
        while True:
            order, data = self._orders.get()
            self._stop.clear()
            answer, result = studio.fulfil(order, data, progress=self._progress)
            del data
            self.tell(answer, result)

    def tell(self, answer: FromWorker, payload: bytes = b"") -> None:
        """Send an answer.

        Args:
            answer: What to say.
            payload: The file of a result.
        """
        self._outbox.write(encode(answer, len(payload)))
        self._outbox.write(payload)
        self._outbox.flush()

    def _progress(self, share: float) -> None:
        if self._stop.is_set():
            raise StoppedError
        now = time.monotonic()
        if now - self._last_told >= LOOK_SECONDS:
            self._last_told = now
            self.tell(Progress(share))

    def _listen(self, inbox: BinaryIO) -> None:
        while (frame := read_frame(inbox)) is not None:
            message, payload = frame
            told = decode_order(message)
            if isinstance(told, Stop):
                self._stop.set()
            else:
                self._orders.put((told, payload))
            del frame, payload
        # The server has gone, and nobody waits for what is being done.
        os._exit(0)


def resident_bytes() -> int:
    """Look up how much memory this process has.

    Returns:
        Bytes; 0 where the system does not tell as Linux does.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_memory_back() -> None:
    """Let the system have what was freed: glibc keeps it, a third of all after some models."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def watch_memory(limit: int) -> None:
    """End this process as soon as it has more memory than it may; runs in a thread of its own.

    The server hears of it at once, and the other workers do not suffer for it.

    Args:
        limit: Bytes.
    """
    while resident_bytes() <= limit:
        time.sleep(LOOK_SECONDS)
    os._exit(TOO_MUCH_MEMORY)


def renounce_files() -> None:
    """Give up the right to write files: no decoder that is led astray can fill or change a disk."""
    try:
        import resource  # noqa: PLC0415  (not on every system)
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Be a worker: `python -m pixelift.serve.worker SETTINGS`."""
    settings = msgspec.json.decode(sys.argv[1], type=WorkerSettings)
    # Answers have the standard output for themselves; what a library prints goes to the log.
    outbox = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # libvips tells in warnings what is odd about a picture: a stranger's words, not for our log.
    logging.getLogger("pyvips").addHandler(logging.NullHandler())
    bench = Bench(sys.stdin.buffer, outbox)
    studio = Studio(settings)
    try:
        studio.upscaler(AUTO)
    except PixeliftError as error:
        bench.tell(Failed(kind="failed", detail=str(error)))
        return
    renounce_files()
    if settings.memory_bytes:
        threading.Thread(target=watch_memory, args=(settings.memory_bytes,), daemon=True).start()
    bench.tell(Ready())
    bench.work(studio)


def _told(error: Exception, data: bytes) -> str:
    # The library does not know what the bytes are; whoever sent them does.
    words = str(error).replace(f"the given {len(data)} bytes", "the picture")
    return words or "there is not enough memory for the picture"


def _allowed(order: Order) -> str:
    if order.scale is None:
        most = (order.result_pixels or order.max_pixels) / 1e6
        return f"this service makes results of {most:g} megapixels. Ask for a smaller size"
    return (
        f"at scale {order.scale:g} this service takes {order.max_pixels / 1e6:g} megapixels. "
        "Make it smaller, or choose a smaller scale"
    )


if __name__ == "__main__":
    main()
