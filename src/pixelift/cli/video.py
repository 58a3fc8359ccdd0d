"""`pixelift video`: a film to a larger film."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.cli.upscale import factor, target_of
from pixelift.errors import ConfigError
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from pixelift.video.run import Made, Watch

USUAL = Fraction(2)
"""Factor where nothing is asked for: a film of 480 lines becomes one of 960."""

ENOUGH = 0.95
"""Share of the expected frames below which a film may be damaged; their number is often a guess."""


def video(  # noqa: PLR0913 - every option of the command is a parameter
    film: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    scale: Annotated[
        Fraction | None, Parameter(name=["--scale", "-s"], converter=factor, n_tokens=1)
    ] = None,
    width: Annotated[int | None, Parameter(converter=whole_number)] = None,
    height: Annotated[int | None, Parameter(converter=whole_number)] = None,
    model: Annotated[str, Parameter(name=["--model", "-m"])] = "swift",
    consistent: Annotated[bool | None, Parameter(negative="--no-consistent")] = None,
    codec: Literal["h264", "hevc"] = "h264",
    crf: Annotated[int, Parameter(converter=whole_number)] = 18,
    overwrite: bool = False,
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto",
) -> int:
    """Super-resolve a film, frame by frame; its sound and subtitles are kept.

    The result of film.mp4 is film_x2.mp4. A run that was stopped is finished by the same command.
    Frames that repeat the one before them cost nothing.

    Args:
        film: The film.
        output: The larger film; its ending tells the container: .mp4, .mov or .mkv. Without it the
            result is put beside the film.
        scale: Factor to enlarge by, any from 1 to 16; by default 2.
        width: Width of the result in pixels, in the place of a factor; the height follows.
        height: Height of the result in pixels, in the place of a factor.
        model: Name of a model (see pixelift models) or path of an .onnx file. Films are compressed:
            photo mends that, and takes several times as long as swift.
        consistent: Change each frame as little as can be so that it can be downscaled to that of
            the film again; for photo and vivid in the mean of small areas only. Vivid does so by
            default.
        codec: What the result is encoded with; hevc makes smaller files and takes longer.
        crf: Quality of the encoding, 0 to 51; lower is better and makes larger files.
        overwrite: Replace a film that is there already.
        threads: Threads to use; by default as many as there are processor cores.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes the fastest that loses next to nothing.
    """
    require("av", task="pixelift video", extra="video")
    from pixelift.infer.target import Target
    from pixelift.video.encoding import CONTAINERS, Encoding
    from pixelift.video.run import enlarge

    if not 0 <= crf <= 51:
        raise ConfigError(f"crf is {crf}; allowed are 0 to 51, as --crf 18")
    target = target_of(scale, width, height) or Target(scale=USUAL)
    suffix = film.suffix if film.suffix.lower() in CONTAINERS else ".mp4"
    output = output or film.with_name(f"{film.stem}_{target.label}{suffix}")
    if output.exists() and output.resolve() == film.resolve():
        raise ConfigError(
            f"{shown(output)} would replace the film itself. Write elsewhere: -o FILE"
        )
    if output.exists() and not overwrite:
        print(f"{shown(film)} -> {shown(output)} is there already")
        return FINE
    try:
        with _shown() as watch:
            made = enlarge(
                film,
                output,
                scale=target,
                encoding=Encoding(codec, crf),
                watch=watch,
                model=model,
                consistent=consistent,
                threads=threads,
                engine=engine,
                precision=precision,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("stopped; the same command goes on with it") from None
    if made is None:
        complain(f"{output} is being made by another process. Wait for it, or write elsewhere.")
        return FAILED
    _warn(film, output, made)
    again = f", {made.taken_over} of them made before" if made.taken_over else ""
    again += f", {made.repeated} repeated" if made.repeated else ""
    print(
        f"{shown(film)} {made.size} -> {shown(output)} {made.out_size}, {made.frames} frames in "
        f"{made.seconds:.1f} s{again}"
    )
    return FINE


def _warn(film: Path, output: Path, made: "Made") -> None:
    """Tell what is not as one would expect of a film that is there."""
    for stream in made.left_out:
        complain(f"{output} cannot hold {stream}, which was left out. Write an .mkv to keep it")
    if made.is_interlaced:
        complain(f"{film} is interlaced, and its combs are larger now. Deinterlace it first")
    if made.frames < ENOUGH * made.expected:
        complain(
            f"{film} ends after {made.frames} of the {made.expected} frames that it should have. "
            "It may be damaged"
        )


@contextmanager
def _shown() -> "Iterator[Watch | None]":
    """Show on a terminal how far it is, how fast, and how long yet."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None, rate="")
        begun: list[tuple[float, int]] = []

        def watch(done: int, expected: int) -> None:
            now = time.perf_counter()
            begun.append((now, done)) if not begun else None
            seconds, frames = now - begun[0][0], done - begun[0][1]
            rate = f"frames, {frames / max(seconds, 1e-6):.1f} a second" if frames else "frames"
            bar.update(task, completed=done, total=max(done, expected) or None, rate=rate)

        yield watch
