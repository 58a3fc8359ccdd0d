"""One picture, from its file to the file of the result, while its rows pass by."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from pixelift.batch.claim import claim
from pixelift.batch.naming import Job
from pixelift.errors import ImageReadError, ImageWriteError, OutOfMemoryError, PixeliftError
from pixelift.image.ahead import ahead
from pixelift.image.encode import sample_type
from pixelift.image.geometry import MAX_PIXELS, Size
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Header, Rows, Samples
from pixelift.image.shown import shown, told
from pixelift.image.write import write_rows
from pixelift.infer.upscaler import Upscaler
from pixelift.machine import free_memory

WHOLE_BYTES = 12
"""Memory that a pixel of a result takes where libvips has to hold all of it: WebP and AVIF."""

READ_AHEAD = 16
"""Stretches of rows that are decoded before they are needed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all pictures of a batch."""

    quality: int | None = None
    """Quality for formats that have one."""

    overwrite: bool = False
    """Whether a file that is there already is replaced."""

    max_pixels: int = MAX_PIXELS
    """Inputs larger than that are refused before any of their pixels is decoded."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one input; the fields are those of the JSON lines."""

    input: str
    output: str | None
    ok: bool
    error: str | None
    width: int | None
    height: int | None
    out_width: int | None
    out_height: int | None
    seconds: float
    model: str
    scale: float | None
    """Factor that was asked for; None where a size was."""

    skipped: bool = False
    """Whether nothing was done because the result is there, or another process is making it."""

    why: str | None = None
    """Why that model was taken, where it was chosen by the picture."""


class StoppedError(Exception):
    """Raised where rows are made once nobody wants them any more."""


Watch = Callable[[Job, int, int], None]
"""Called with the job, the rows of the result that are made and all of them."""


def run_job(
    job: Job,
    upscaler: Upscaler,
    *,
    settings: Settings,
    watch: Watch | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Make one picture; whatever goes wrong with it is told in the outcome.

    Args:
        job: What to make.
        upscaler: The opened model.
        settings: What holds for all pictures.
        watch: Told as the work goes on.
        stop: Ends the work when it is set, and leaves nothing behind.

    Returns:
        What came of it.
    """
    work = _Work(job, upscaler, settings, watch, stop)
    start = time.perf_counter()
    name, error = shown(job.input), None
    try:
        work.run()
    except (ImageReadError, ImageWriteError) as problem:
        error = str(problem)  # these name the picture
    except PixeliftError as problem:
        error = f"cannot do {name}: {problem}"
    except MemoryError:
        error = f"{name} needs more memory than there is. Give a smaller picture"
    except OSError as problem:
        error = f"cannot do {name}: {told(problem)}. Check the path, or give another: -o FOLDER"
    except StoppedError:
        error = f"{name} was stopped"
    size, out = work.size, work.out_size if not error and not work.skipped else None
    return Outcome(
        input=str(job.input),
        output=None if error else str(job.output),
        ok=not error,
        error=error,
        width=size.width if size else None,
        height=size.height if size else None,
        out_width=out.width if out else None,
        out_height=out.height if out else None,
        seconds=round(time.perf_counter() - start, 3),
        model=work.upscaler.card.name,
        scale=upscaler.scale,
        skipped=work.skipped and not error,
        why=work.why if not error else None,
    )


@dataclass(slots=True)
class _Work:
    """One job while it is done."""

    job: Job
    upscaler: Upscaler
    settings: Settings
    watch: Watch | None
    stop: threading.Event | None
    size: Size | None = None
    out_size: Size | None = None
    skipped: bool = False
    why: str | None = None

    def run(self) -> None:
        job = self.job
        if self._is_done():
            return
        self.upscaler, self.why = self.upscaler.choose(
            job.input, max_pixels=self.settings.max_pixels
        )
        with open_rows(job.input, max_pixels=self.settings.max_pixels) as rows:
            self.size = rows.header.size
            self.out_size = self.upscaler.size_of(self.size)
            check_result(job, rows.header, self.out_size)
            _prepare_folder(job)
            with claim(job.output) as is_ours:
                self.skipped = not is_ours
                if is_ours and not self._is_done():
                    self._make(rows)

    def _is_done(self) -> bool:
        if self.settings.overwrite or not self.job.output.exists():
            return False
        if not self.job.skips_done:
            raise ImageWriteError(
                f"{shown(self.job.output)} exists already. Replace it with --overwrite"
            )
        self.skipped = True
        return True

    def _make(self, rows: Rows) -> None:
        job, header = self.job, rows.header
        # Closed before the file is: the rows are decoded in a thread of their own.
        with closing(ahead(rows.bands, count=READ_AHEAD)) as bands:
            dtype = sample_type(header, job.format)
            sr = self.upscaler.rows(Rows(header, bands), dtype=dtype)
            write_rows(
                Rows(sr.header, self._watched(sr)),
                job.output,
                format=job.format.name,
                quality=self.settings.quality,
                overwrite=self.settings.overwrite,
                gives_way=True,
            )

    def _watched(self, sr: Rows) -> Iterator[Samples]:
        done, height = 0, sr.header.size.height
        for band in sr.bands:
            if self.stop is not None and self.stop.is_set():
                raise StoppedError
            done += len(band)
            if self.watch is not None:
                self.watch(self.job, done, height)
            yield band
            del band  # or it would stay in memory while the next one is made


def check_result(job: Job, header: Header, size: Size) -> None:
    """Refuse a result that could not be written, before the long work on it.

    Args:
        job: What is to be made.
        header: Of the input.
        size: Of the result.

    Raises:
        ImageWriteError: The format does not hold pictures of that size.
        OutOfMemoryError: The format can only be written from a whole picture, and the memory that
            is free does not hold it. Left to itself, the system would kill the program.
    """
    longest = job.format.max_side
    if longest and max(size.height, size.width) > longest:
        raise ImageWriteError(
            f"the result of {shown(job.input)} would be {size}; {job.format.label} holds at most "
            f"{longest} pixels a side. Write PNG: --format png"
        )
    if job.format.streams:
        return
    needed, free = size.pixels * (WHOLE_BYTES + 2 * header.has_alpha), free_memory()
    if free is not None and needed > free:
        raise OutOfMemoryError(
            f"the result would be {size}, and {job.format.label} takes about "
            f"{needed / 1e9:.1f} GB of memory for it; {free / 1e9:.1f} GB are free. "
            "Write PNG or JPEG, which need little: --format png"
        )


def _prepare_folder(job: Job) -> None:
    """Make the folder of a result, or find out that it cannot be written, before the long work."""
    folder = job.output.parent
    name = shown(folder)
    if job.makes_folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImageWriteError(
                f"cannot make the folder {name}: {error.strerror}. Give another: -o FOLDER"
            ) from error
    if not folder.is_dir():
        raise ImageWriteError(f"no folder {name} to write in. Run: mkdir -p {name}")
    if not os.access(folder, os.W_OK):
        raise ImageWriteError(f"no permission to write in {name}. Give another: -o FOLDER")
