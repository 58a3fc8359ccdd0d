"""`pixelift upscale`: pictures and folders of pictures to larger ones."""

import json as json_module
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.errors import ConfigError, ImageWriteError, OutOfMemoryError, PixeliftError
from pixelift.image.find import PICTURE_SUFFIXES, find_pictures
from pixelift.image.formats import FORMATS, Format, find_writable, writable_suffixes

if TYPE_CHECKING:
    from pixelift.image.picture import Picture
    from pixelift.infer.upscaler import Upscaler

BYTES_PER_SAMPLE = 8
"""Memory that a sample of a result takes: as float32, and once more on its way to the file."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to make: from where, to where, and in which format."""

    input: Path
    output: Path
    format: Format
    makes_folder: bool = False
    """Whether the folder of the output is made when it is missing."""


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


def upscale(  # noqa: PLR0913 - every option of the command is a parameter
    inputs: Annotated[list[Path], Parameter(name="INPUT")],
    /,
    *,
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    scale: Annotated[int | None, Parameter(name=["--scale", "-s"], converter=whole_number)] = None,
    model: Annotated[str, Parameter(name=["--model", "-m"])] = "balanced",
    overwrite: bool = False,
    format: Literal["png", "jpeg", "webp", "tiff", "avif"] | None = None,
    quality: Annotated[int | None, Parameter(converter=whole_number)] = None,
    tile: Annotated[int | None, Parameter(converter=whole_number)] = None,
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16"] = "auto",
    json: bool = False,
) -> int:
    """Super-resolve pictures, and all pictures in folders at any depth.

    The result of photo.jpg is photo_x4.jpg. A picture that cannot be done is told about in one
    line, the others are still done, and the exit code is 1.

    Args:
        inputs: Pictures, and folders of pictures.
        output: File for the result of a single picture, its ending tells the format; or a folder,
            in which the folders of the inputs are mirrored (end it in / to have it made for a
            single picture). Without it results are put beside the pictures.
        scale: Factor to enlarge by; by default the one in the model's name or file, and else 4.
        model: Name of a model (see pixelift models), or path of an .onnx file.
        overwrite: Replace files that are there already.
        format: Format of the results; by default that of each picture where it can be written,
            and png otherwise.
        quality: Quality from 1 to 100 of jpeg, webp and avif.
        tile: Side of the tiles in pixels of the small picture; by default as large as pays.
        threads: Threads to use; by default as many as there are processor cores.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes bf16 where the processor has it.
        json: Print one JSON object for each picture on stdout, and nothing else.
    """
    from pixelift.infer.upscaler import Upscaler

    if quality is not None and not 1 <= quality <= 100:
        raise ConfigError(f"quality is {quality}; allowed are 1 to 100, as --quality 90")
    if scale is not None and scale < 1:
        raise ConfigError(
            f"scale is {scale}; allowed are those of the model, as --scale 4. Run: pixelift models"
        )
    # Before any work on files, so that a wrong model or scale is told at once.
    upscaler = Upscaler(
        model, scale=scale, engine=engine, precision=precision, tile=tile, threads=threads
    )
    jobs, empty = plan_jobs(inputs, output=output, scale=upscaler.scale, format=format)
    if quality is not None and jobs and not any(job.format.default_quality for job in jobs):
        raise ConfigError(
            f"{jobs[0].format.label} has no quality. Leave --quality out, or give --format jpeg"
        )
    for folder in empty:
        complain(f"no pictures in {folder}. Give pictures, or folders that have some")
    has_failed = bool(empty)
    for outcome in _with_progress(
        (run_job(job, upscaler, quality=quality, overwrite=overwrite) for job in jobs),
        total=len(jobs),
        is_shown=sys.stderr.isatty() and not json,
    ):
        _report(outcome, as_json=json)
        has_failed = has_failed or not outcome.ok
    return FAILED if has_failed else FINE


def plan_jobs(
    inputs: Sequence[Path],
    *,
    output: str | None,
    scale: int,
    format: str | None,
) -> tuple[list[Job], list[Path]]:
    """Decide what is made of each input and where it goes, before anything is done.

    Args:
        inputs: Pictures and folders; they need not exist.
        output: What was given as --output; a folder where it ends in /.
        scale: Factor, for the names of the results.
        format: Format of all results, or None to keep that of each input.

    Returns:
        The jobs in the order of the inputs, and the folders that have no pictures.

    Raises:
        ConfigError: Two inputs would write the same file, a result would replace an input, or
            the format cannot be told from the output's name.
    """
    target = Path(output) if output is not None else None
    empty: list[Path] = []
    is_single = len(inputs) == 1 and not _is_folder(inputs[0])
    if (
        target
        and output
        and is_single
        and not (output.endswith(("/", os.sep)) or _is_folder(target))
    ):
        jobs = [Job(inputs[0], target, format_of(target, format))]
    else:
        if target and target.is_file():
            raise ConfigError(f"{target} is a file, and several results need a folder: -o FOLDER")
        jobs = []
        for source in inputs:
            found = _find_inputs(source, target, scale, format) if _is_folder(source) else [source]
            jobs += [_job_in_folder(path, source, target, scale, format) for path in found]
            empty += [] if found else [source]
    # The same picture named twice is one job.
    jobs = list({(_identity(job.input), _identity(job.output)): job for job in jobs}.values())
    refuse_clashes(jobs)
    return jobs, empty


def refuse_clashes(jobs: Sequence[Job]) -> None:
    """Refuse a batch in which a result would replace an input or another result.

    Args:
        jobs: All jobs of the batch.

    Raises:
        ConfigError: There is such a result.
    """
    inputs = {_identity(job.input) for job in jobs}
    outputs: dict[Path, Path] = {}
    for job in jobs:
        identity = _identity(job.output)
        if identity in inputs:
            raise ConfigError(
                f"the result of {job.input} would replace the input {job.output}. "
                "Write elsewhere: -o FOLDER"
            )
        if identity in outputs:
            raise ConfigError(
                f"the results of {outputs[identity]} and {job.input} would both be {job.output}. "
                "Give them one after the other, each with an -o FOLDER of its own"
            )
        outputs[identity] = job.input


def format_of(output: Path, format: str | None) -> Format:
    """Tell the format of a result from its name, unless it was given.

    Args:
        output: Name of the result.
        format: What was given as --format.

    Returns:
        One of the formats that can be written.

    Raises:
        ConfigError: The name does not tell it, or tells another than what was given.
    """
    named = find_writable(None, output)
    given = FORMATS[format] if format else None
    chosen = given or named
    if chosen is None:
        raise ConfigError(
            f'cannot tell the format of "{output}". End its name in one of {writable_suffixes()}; '
            "or give --format; or end it in / for a folder"
        )
    if named and named is not chosen:
        raise ConfigError(
            f"{output} is named as {named.label}, but --format is {format}. Leave one of them out"
        )
    return chosen


def run_job(job: Job, upscaler: "Upscaler", *, quality: int | None, overwrite: bool) -> Outcome:
    """Make one picture; whatever goes wrong with it is told in the outcome.

    Args:
        job: What to make.
        upscaler: The opened model.
        quality: Quality for formats that have one.
        overwrite: Whether a file that is there already is replaced.

    Returns:
        What came of it.
    """
    from pixelift.image.read import read_picture
    from pixelift.image.write import write_picture

    start = time.perf_counter()
    size = out_size = error = None
    try:
        if job.output.exists() and not overwrite:
            raise ImageWriteError(f"{job.output} exists already. Replace it with --overwrite")
        picture = read_picture(job.input)
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
    )


def check_result(job: Job, picture: "Picture", scale: int) -> None:
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


def _find_inputs(folder: Path, target: Path | None, scale: int, format: str | None) -> list[Path]:
    """List the pictures below a folder, without what an earlier run of the same command wrote."""
    found = find_pictures(folder)
    if target and _identity(target) != _identity(folder):
        inside = _identity(target)
        return [path for path in found if inside not in _identity(path).parents]
    jobs = [_job_in_folder(path, folder, target, scale, format) for path in found]
    results = {_identity(job.output) for job in jobs}
    return [path for path in found if _identity(path) not in results]


def _job_in_folder(
    path: Path,
    source: Path,
    target: Path | None,
    scale: int,
    format: str | None,
) -> Job:
    """Decide where the result of a picture goes, which was given by itself or lies in a folder."""
    own = find_writable(None, path)
    chosen = FORMATS[format] if format else own or FORMATS["png"]
    # The name keeps its own ending, as .jpeg, where that fits; what is no ending stays in the name.
    suffix = path.suffix if chosen is own else chosen.suffixes[0]
    stem = path.stem if path.suffix.lower() in PICTURE_SUFFIXES or own else path.name
    name = f"{stem}_x{scale}{suffix}"
    if target is None:
        return Job(path, path.with_name(name), chosen)
    inner = path.parent.relative_to(source) if path != source else Path()
    return Job(path, target / inner / name, chosen, makes_folder=True)


def _identity(path: Path) -> Path:
    """Name a file so that two ways of writing the same path are equal."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links: reading it will tell
        return path.absolute()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # behind a locked folder, or a name too long: reading it will tell
        return False


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


def _with_progress(outcomes: Iterator[Outcome], *, total: int, is_shown: bool) -> Iterator[Outcome]:
    """Hand the outcomes on, with a bar below them in a terminal."""
    if not is_shown or total < 2:
        yield from outcomes
        return
    from rich.console import Console
    from rich.progress import Progress

    # Lines printed to the same terminal are put above the bar; those that go to a file stay away.
    with Progress(
        console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()
    ) as progress:
        yield from progress.track(outcomes, total=total, description="pictures")


def _report(outcome: Outcome, *, as_json: bool) -> None:
    if outcome.error:
        complain(outcome.error)
    if as_json:
        print(json_module.dumps(asdict(outcome)), flush=True)
    elif outcome.ok:
        was = f"{outcome.input} {outcome.width}x{outcome.height}"
        now = f"{outcome.output} {outcome.out_width}x{outcome.out_height}"
        print(f"{was} -> {now}, {outcome.seconds:.2f} s", flush=True)
