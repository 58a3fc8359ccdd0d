"""`pixelift upscale`: pictures and folders of pictures to larger ones."""

import json as json_module
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, Token

from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.errors import ConfigError
from pixelift.image.formats import find_writable, readable_labels
from pixelift.image.geometry import MAX_PIXELS
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from pixelift.batch.jobs import Outcome, Settings
    from pixelift.batch.naming import Job
    from pixelift.batch.plan import Plan
    from pixelift.infer.target import Target
    from pixelift.infer.upscaler import Upscaler

MEGA = 1_000_000
PIPE = Path("-")
MANY = 10
"""Of more pictures than these, those that failed are named again at the end: their lines may have
scrolled away."""

MOST_NAMED = 20
"""How many of them are named."""


def factor(type_: Any, tokens: Sequence[Token]) -> Fraction:  # noqa: ANN401 - cyclopts' contract
    """Read an option as a factor: 4, 2.5 or x2.

    Args:
        type_: Type of the parameter; not used.
        tokens: What was typed.

    Returns:
        The factor, exactly as it was typed.

    Raises:
        ValueError: It is none; the parser makes its message of it.
    """
    del type_
    from pixelift.infer.target import parse_factor

    word = tokens[0].value
    if (found := parse_factor(word)) is None:
        raise ValueError(f'"{word}" is no factor; allowed is 1 to 16, as --scale 2.5')
    return found


def upscale(  # noqa: PLR0913 - every option of the command is a parameter
    # Not a list, which would end at the first option: `upscale a.png -o large/ b.png`.
    *inputs: Annotated[Path, Parameter(name="INPUT", required=True)],
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    scale: Annotated[
        Fraction | None, Parameter(name=["--scale", "-s"], converter=factor, n_tokens=1)
    ] = None,
    width: Annotated[int | None, Parameter(converter=whole_number)] = None,
    height: Annotated[int | None, Parameter(converter=whole_number)] = None,
    megapixels: float | None = None,
    model: Annotated[str, Parameter(name=["--model", "-m"])] = "auto",
    effort: str | None = None,
    ensemble: bool = False,
    consistent: Annotated[bool | None, Parameter(negative="--no-consistent")] = None,
    explain: Path | None = None,
    confidence: Path | None = None,
    overwrite: bool = False,
    format: Literal["png", "jpeg", "jpg", "webp", "tiff", "tif", "avif"] | None = None,
    quality: Annotated[int | None, Parameter(converter=whole_number)] = None,
    tile: Annotated[int | None, Parameter(converter=whole_number)] = None,
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto",
    max_megapixels: Annotated[int, Parameter(converter=whole_number)] = MAX_PIXELS // MEGA,
    watch: bool = False,
    json: bool = False,
) -> int:
    """Super-resolve pictures, and all pictures in folders at any depth.

    The result of photo.jpg is photo_x4.jpg. A picture that cannot be done is told about in one
    line, the others are still done, and the exit code is 1. A folder whose run was stopped is
    finished by the same command: results that are there already are left alone, and are not
    enlarged again, whatever factor they have.

    Args:
        inputs: Pictures, and folders of pictures; or - for one picture on stdin, whose result goes
            to stdout.
        output: File for the result of a single picture, its ending tells the format; or a folder,
            in which the folders of the inputs are mirrored (end it in / to have it made for a
            single picture). Without it results are put beside the pictures.
        scale: Factor to enlarge by, any from 1 to 16; by default the one in the model's name or
            file, and else 4. Between the trained scales the next larger is resized to the exact
            size.
        width: Width of the results in pixels, in the place of a factor; the height follows, or is
            given too and the picture stretched.
        height: Height of the results in pixels, in the place of a factor.
        megapixels: Millions of pixels of the results, in the place of a factor.
        model: Name of a model (see pixelift models), path of an .onnx file, or auto, which looks at
            each picture: clean ones go to balanced, all others to photo.
        effort: Choose the networks instead of a model: low (the quickest), high (the best), auto
            (the best only where there is something to restore), or a number to spend more or less
            than auto, which is 1.
        ensemble: Take the mean over the eight flips and rotations: a little better, eight times
            as long.
        consistent: Change the results as little as can be so that they can be downscaled to the
            pictures again: nothing in them contradicts the small picture. For photo and vivid in
            the mean of small areas only, since their pictures have noise. Vivid does so by
            default.
        explain: File for a picture of the decision of --effort auto.
        confidence: File for a map of where the network had to invent: how far its answers to the
            eight flips and rotations are apart.
        overwrite: Replace files that are there already.
        format: Format of the results; by default that of each picture where it can be written,
            and png otherwise.
        quality: Quality from 1 to 100 of jpeg, webp and avif.
        tile: Side of the tiles in pixels of the small picture; by default as large as pays.
        threads: Threads to use; by default as many as there are processor cores.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes the fastest that loses next to nothing.
        max_megapixels: Refuse larger pictures before they are decoded: a small file may claim to
            be a picture that no memory holds.
        watch: Go on looking for new pictures in the folders until stopped with Ctrl-C.
        json: Print one JSON object for each picture on stdout, and nothing else.
    """
    from pixelift.batch.jobs import Settings
    from pixelift.batch.maps import check_maps, write_maps
    from pixelift.batch.plan import plan_jobs

    if quality is not None and not 1 <= quality <= 100:
        raise ConfigError(f"quality is {quality}; allowed are 1 to 100, as --quality 90")
    if max_megapixels < 1:
        raise ConfigError(
            f"max-megapixels is {max_megapixels}; allowed are numbers from 1 up, "
            "as --max-megapixels 500"
        )
    target = target_of(scale, width, height, megapixels)
    fmt = find_writable(format, None) if format else None
    format_name = fmt.name if fmt else None
    pipes = PIPE in inputs or (output is not None and Path(output) == PIPE)
    # Before any work on files, so that a wrong model or scale is told at once.
    upscaler = _open(
        model,
        maps=bool(explain or confidence),
        consistent=consistent,
        scale=target,
        effort=effort,
        ensemble=ensemble,
        engine=engine,
        precision=precision,
        tile=tile,
        threads=threads,
    )
    check_maps(
        inputs,
        upscaler,
        explanation=explain,
        spread=confidence,
        passes_by=pipes or watch,
        overwrite=overwrite,
    )
    settings = Settings(quality=quality, overwrite=overwrite, max_pixels=max_megapixels * MEGA)
    if pipes:
        _refuse_more_than_a_pipe(inputs, output, watch=watch, json=json)
        return _pipe(upscaler, settings, format_name)

    def plan() -> "Plan":
        return plan_jobs(inputs, output=output, label=upscaler.target.label, format=format_name)

    planned = plan()
    jobs, empty = planned.jobs, planned.empty
    if quality is not None and jobs and not any(job.format.default_quality for job in jobs):
        raise ConfigError(
            f"{jobs[0].format.label} has no quality. Leave --quality out, or give --format jpeg"
        )
    if watch:
        _watch(_telling_once(plan), upscaler, settings, as_json=json)
        return FINE
    for folder in empty:
        complain(
            f"no pictures in {shown(folder)}; allowed are {readable_labels()}. "
            "Give pictures, or folders that have some"
        )
    for line in (*planned.problems, *planned.notes):
        complain(line)
    failed = _run(jobs, upscaler, settings, as_json=json)
    if not failed and (explain or confidence):
        write_maps(inputs[0], upscaler, explanation=explain, spread=confidence, overwrite=overwrite)
    return FAILED if failed or empty or planned.problems else FINE


def _open(
    model: str,
    *,
    maps: bool,
    **options: Any,  # noqa: ANN401 - those of Upscaler
) -> "Upscaler":
    from pixelift.infer.auto import AUTO
    from pixelift.infer.effort import DEFAULT_MODEL
    from pixelift.infer.upscaler import Upscaler

    if maps:
        # What is told of the network as a whole has no choice.
        return Upscaler(DEFAULT_MODEL if model == AUTO else model, **options)
    return Upscaler(model, **options)


def target_of(
    scale: Fraction | None,
    width: int | None,
    height: int | None,
    megapixels: float | None = None,
) -> "Target | None":
    """Put together what was asked for.

    Args:
        scale: A factor.
        width: Of the result, in pixels.
        height: Of the result, in pixels.
        megapixels: Of the result.

    Returns:
        The target; None where nothing was asked for.

    Raises:
        ConfigError: Too much at once, or what no picture can have.
    """
    from pixelift.infer.target import Target

    if all(wish is None for wish in (scale, width, height, megapixels)):
        return None
    return Target(scale=scale, width=width, height=height, megapixels=megapixels)


def _run(
    jobs: "list[Job]", upscaler: "Upscaler", settings: "Settings", *, as_json: bool
) -> list[str]:
    """Make all pictures, tell of each, and name those that failed once more at the end."""
    from pixelift.batch.pool import run_jobs
    from pixelift.cli.progress import Bar

    failed = []
    with ExitStack() as stack:
        is_shown = sys.stderr.isatty() and not as_json and bool(jobs)
        bar = stack.enter_context(Bar(jobs)) if is_shown else None
        watch = bar.watch if bar else None
        for outcome in run_jobs(jobs, upscaler, settings=settings, watch=watch):
            if bar:
                bar.finish(outcome)
            _report(outcome, as_json=as_json)
            failed += [] if outcome.ok else [outcome.input]
    if failed and len(jobs) > MANY:
        more = f" and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
        names = ", ".join(map(shown, failed[:MOST_NAMED]))
        complain(f"{len(failed)} of {len(jobs)} pictures could not be done: {names}{more}")
    return failed


def _telling_once(plan: "Callable[[], Plan]") -> "Callable[[], list[Job]]":
    """Plan again and again, and tell what a person should know of it when it is new."""
    told: set[str] = set()

    def jobs() -> "list[Job]":
        planned = plan()
        for line in (*planned.problems, *planned.notes):
            if line not in told:
                told.add(line)
                complain(line)
        return planned.jobs

    return jobs


def _watch(
    plan: "Callable[[], list[Job]]", upscaler: "Upscaler", settings: "Settings", *, as_json: bool
) -> None:
    from pixelift.batch.pool import run_jobs
    from pixelift.batch.watching import new_jobs

    for jobs in new_jobs(plan):
        for outcome in run_jobs(jobs, upscaler, settings=settings):
            if not outcome.skipped:
                _report(outcome, as_json=as_json)


def _refuse_more_than_a_pipe(
    inputs: Sequence[Path], output: str | None, *, watch: bool, json: bool
) -> None:
    is_alone = inputs == (PIPE,) and (output is None or Path(output) == PIPE)
    if not is_alone or watch or json:
        raise ConfigError(
            "a pipe takes one picture and gives one; allowed is - alone, without --output, --watch "
            "and --json. Write: pixelift upscale - < small.png > large.png"
        )


def _pipe(upscaler: "Upscaler", settings: "Settings", format: str | None) -> int:
    from pixelift.batch.piping import pipe_picture

    pipe_picture(
        sys.stdin.buffer,
        sys.stdout.buffer,
        upscaler,
        format=format,
        quality=settings.quality,
        max_pixels=settings.max_pixels,
    )
    return FINE


def _report(outcome: "Outcome", *, as_json: bool) -> None:
    if outcome.error:
        complain(outcome.error)
    name = outcome.output or ""
    if as_json:
        print(json_module.dumps(asdict(outcome)), flush=True)
    elif outcome.skipped:
        print(f"{shown(outcome.input)} -> {shown(name)} is there already", flush=True)
    elif outcome.ok:
        was = f"{shown(outcome.input)} {outcome.width}x{outcome.height}"
        now = f"{shown(name)} {outcome.out_width}x{outcome.out_height}"
        why = f", by {outcome.model}: {outcome.why}" if outcome.why else ""
        print(f"{was} -> {now}, {outcome.seconds:.2f} s{why}", flush=True)
