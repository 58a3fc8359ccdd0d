"""`pixelift upscale`: pictures and folders of pictures to larger ones."""

import json as json_module
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.errors import ConfigError
from pixelift.image.formats import readable_labels
from pixelift.image.geometry import MAX_PIXELS

if TYPE_CHECKING:
    from pixelift.batch.jobs import Outcome

MEGA = 1_000_000


def upscale(  # noqa: PLR0913 - every option of the command is a parameter
    # Not a list, which would end at the first option: `upscale a.png -o large/ b.png`.
    *inputs: Annotated[Path, Parameter(name="INPUT", required=True)],
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    scale: Annotated[int | None, Parameter(name=["--scale", "-s"], converter=whole_number)] = None,
    model: Annotated[str, Parameter(name=["--model", "-m"])] = "auto",
    overwrite: bool = False,
    format: Literal["png", "jpeg", "webp", "tiff", "avif"] | None = None,
    quality: Annotated[int | None, Parameter(converter=whole_number)] = None,
    tile: Annotated[int | None, Parameter(converter=whole_number)] = None,
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16"] = "auto",
    max_megapixels: Annotated[int, Parameter(converter=whole_number)] = MAX_PIXELS // MEGA,
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
        model: Name of a model (see pixelift models), path of an .onnx file, or auto, which looks at
            each picture: noisy, compressed and blurred ones go to photo, clean ones to balanced.
        overwrite: Replace files that are there already.
        format: Format of the results; by default that of each picture where it can be written,
            and png otherwise.
        quality: Quality from 1 to 100 of jpeg, webp and avif.
        tile: Side of the tiles in pixels of the small picture; by default as large as pays.
        threads: Threads to use; by default as many as there are processor cores.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes bf16 where the processor has it.
        max_megapixels: Refuse larger pictures before they are decoded: a small file may claim to
            be a picture that no memory holds.
        json: Print one JSON object for each picture on stdout, and nothing else.
    """
    from pixelift.batch.jobs import run_job
    from pixelift.batch.plan import plan_jobs
    from pixelift.infer.auto import AUTO, AutoUpscaler
    from pixelift.infer.upscaler import Upscaler

    if quality is not None and not 1 <= quality <= 100:
        raise ConfigError(f"quality is {quality}; allowed are 1 to 100, as --quality 90")
    if scale is not None and scale < 1:
        raise ConfigError(
            f"scale is {scale}; allowed are those of the model, as --scale 4. Run: pixelift models"
        )
    if max_megapixels < 1:
        raise ConfigError(
            f"max-megapixels is {max_megapixels}; allowed are numbers from 1 up, "
            "as --max-megapixels 500"
        )
    # Before any work on files, so that a wrong model or scale is told at once.
    upscaler = (
        AutoUpscaler(scale=scale, engine=engine, precision=precision, tile=tile, threads=threads)
        if model == AUTO
        else Upscaler(
            model, scale=scale, engine=engine, precision=precision, tile=tile, threads=threads
        )
    )
    jobs, empty = plan_jobs(inputs, output=output, scale=upscaler.scale, format=format)
    if quality is not None and jobs and not any(job.format.default_quality for job in jobs):
        raise ConfigError(
            f"{jobs[0].format.label} has no quality. Leave --quality out, or give --format jpeg"
        )
    for folder in empty:
        complain(
            f"no pictures in {folder}; allowed are {readable_labels()}. "
            "Give pictures, or folders that have some"
        )
    has_failed = bool(empty)
    outcomes = (
        run_job(
            job,
            upscaler,
            quality=quality,
            overwrite=overwrite,
            max_pixels=max_megapixels * MEGA,
        )
        for job in jobs
    )
    is_shown = sys.stderr.isatty() and not json
    for outcome in _with_progress(outcomes, total=len(jobs), is_shown=is_shown):
        _report(outcome, as_json=json)
        has_failed = has_failed or not outcome.ok
    return FAILED if has_failed else FINE


def _with_progress(
    outcomes: Iterator["Outcome"], *, total: int, is_shown: bool
) -> Iterator["Outcome"]:
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


def _report(outcome: "Outcome", *, as_json: bool) -> None:
    if outcome.error:
        complain(outcome.error)
    if as_json:
        print(json_module.dumps(asdict(outcome)), flush=True)
    elif outcome.ok:
        was = f"{outcome.input} {outcome.width}x{outcome.height}"
        now = f"{outcome.output} {outcome.out_width}x{outcome.out_height}"
        why = f", by {outcome.model}: {outcome.why}" if outcome.why else ""
        print(f"{was} -> {now}, {outcome.seconds:.2f} s{why}", flush=True)
