"""One picture after the other, from its file to the file of the result."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from pixelift.batch.plan import Job
from pixelift.errors import ImageWriteError, OutOfMemoryError, PixeliftError
from pixelift.image.geometry import MAX_PIXELS
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.write import write_picture
from pixelift.infer.auto import AutoUpscaler
from pixelift.infer.upscaler import Upscaler

BYTES_PER_SAMPLE = 8
"""Memory that a sample of a result takes: as float32, and once more on its way to the file."""


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
    scale: int
    why: str | None = None
    """Why that model was taken, where it was chosen by the picture."""


def run_job(
    job: Job,
    upscaler: Upscaler | AutoUpscaler,
    *,
    quality: int | None,
    overwrite: bool,
    max_pixels: int = MAX_PIXELS,
) -> Outcome:
    """Make one picture; whatever goes wrong with it is told in the outcome.

    Args:
        job: What to make.
        upscaler: The opened model.
        quality: Quality for formats that have one.
        overwrite: Whether a file that is there already is replaced.
        max_pixels: Inputs larger than that are refused before any of their pixels is decoded.

    Returns:
        What came of it.
    """
    start = time.perf_counter()
    size = out_size = error = None
    try:
        if job.output.exists() and not overwrite:
            raise ImageWriteError(f"{job.output} exists already. Replace it with --overwrite")
        picture = read_picture(job.input, max_pixels=max_pixels)
        size = picture.size
        _prepare_folder(job)
        check_result(job, picture, upscaler.scale)
        sr = upscaler.picture(picture)
        write_picture(sr, job.output, format=job.format.name, quality=quality, overwrite=overwrite)
        out_size = sr.size
    except PixeliftError as problem:
        error = str(problem)
    except MemoryError:
        error = f"{job.input} needs more memory than there is. Give a smaller picture"
    except OSError as problem:
        error = f"cannot do {job.input}: {problem}"
    return Outcome(
        input=str(job.input),
        output=None if error else str(job.output),
        ok=not error,
        error=error,
        width=size.width if size else None,
        height=size.height if size else None,
        out_width=out_size.width if out_size else None,
        out_height=out_size.height if out_size else None,
        seconds=round(time.perf_counter() - start, 3),
        model=upscaler.card.name,
        scale=upscaler.scale,
        why=upscaler.why if isinstance(upscaler, AutoUpscaler) and not error else None,
    )


def check_result(job: Job, picture: Picture, scale: int) -> None:
    """Refuse a result that could not be held or written, before the long work on it.

    Args:
        job: What is to be made.
        picture: The input.
        scale: Factor to enlarge by.

    Raises:
        ImageWriteError: The format does not hold pictures of that size.
        OutOfMemoryError: The memory that is free does not hold it. Left to itself, the system
            would kill the program without a word.
    """
    size = picture.size.scaled(scale)
    longest = job.format.max_side
    if longest and max(size.height, size.width) > longest:
        raise ImageWriteError(
            f"the result of {job.input} would be {size}; {job.format.label} holds at most "
            f"{longest} pixels a side. Write PNG: --format png"
        )
    channels = picture.pixels.shape[2] + (picture.alpha is not None)
    needed, free = size.pixels * channels * BYTES_PER_SAMPLE, free_memory()
    if free is not None and needed > free:
        raise OutOfMemoryError(
            f"the result of {job.input} would be {size} and take about {needed / 1e9:.1f} GB of "
            f"memory; {free / 1e9:.1f} GB are free. Cut the picture into parts, or make it smaller"
        )


def free_memory() -> int | None:
    """Look up how much memory can be taken without others having to give up theirs.

    Returns:
        Bytes; None where the system does not tell as Linux does.
    """
    try:
        _, _, rest = Path("/proc/meminfo").read_text().partition("MemAvailable:")
    except OSError:
        return None
    return int(rest.split()[0]) * 1024 if rest else None


def _prepare_folder(job: Job) -> None:
    """Make the folder of a result, or find out that it cannot be written, before the long work."""
    folder = job.output.parent
    if job.makes_folder:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImageWriteError(
                f"cannot make the folder {folder}: {error.strerror}. Give another: -o FOLDER"
            ) from error
    if not folder.is_dir():
        raise ImageWriteError(f"no folder {folder} to write in. Run: mkdir -p {folder}")
    if not os.access(folder, os.W_OK):
        raise ImageWriteError(f"no permission to write in {folder}. Give another: -o FOLDER")
