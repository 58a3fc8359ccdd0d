"""`pixelift evaluate`: the scores of a model on a set of pictures."""

import json as json_module
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, Token

from pixelift.atomic import write_atomically
from pixelift.cli.main import FAILED, FINE, complain, version, whole_number
from pixelift.errors import ConfigError, DatasetError
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from pixelift.evaluate.run import Result

STDOUT = Path("-")


def _path_or_dash(type_: Any, tokens: Sequence[Token]) -> Path:  # noqa: ANN401 - cyclopts' contract
    """Take "-" as a value, for stdout, but no other word that looks like an option."""
    del type_
    word = tokens[0].value
    if word.startswith("-") and word != "-":
        raise ValueError(f'"{word}" is no file name; give one, or - for stdout')
    return Path(word)


def evaluate(  # noqa: PLR0913 - every option of the command is a parameter
    *,
    model: Annotated[str, Parameter(name=["--model", "-m"])],
    scale: Annotated[int, Parameter(name=["--scale", "-s"], converter=whole_number)],
    hr: Path,
    lr: Path | None = None,
    perceptual: bool = False,
    json: Annotated[
        Path | None, Parameter(converter=_path_or_dash, allow_leading_hyphen=True)
    ] = None,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto",
    tile: Annotated[int | None, Parameter(converter=whole_number)] = None,
    threads: Annotated[int | None, Parameter(converter=whole_number)] = None,
) -> int:
    """Measure a model on pictures known in full, by PSNR-Y and SSIM-Y.

    Both pictures are rounded to 8 bits, Y is the BT.601 studio luma and is not rounded, and as
    many pixels as the scale are shaved from each edge. Grey files are taken as RGB and then Y.
    Pictures that are identical have no finite PSNR; the mean leaves them out.

    Args:
        model: Name of a model (see pixelift models), path of an .onnx file, or bicubic.
        scale: Factor to enlarge by.
        hr: Folder of true pictures.
        lr: Folder of small pictures of the same names, or with x2, x3, ... after the name; without
            it they are made from the true ones by MATLAB's bicubic.
        perceptual: Measure GMSD (less is better), HaarPSI and VIF (more is better) as well: closer
            to what people see than PSNR, and none of them needs a network.
        json: File to write the result to, or - for stdout.
        engine: What runs the network; auto takes the fastest one installed.
        precision: Numbers to calculate with; auto takes the fastest that loses next to nothing.
        tile: Side of the tiles in LR pixels; by default as large as pays.
        threads: Threads to use; by default as many as there are processor cores.
    """
    from rich.console import Console
    from rich.progress import Progress

    from pixelift.evaluate.run import evaluate as measure
    from pixelift.evaluate.run import open_method
    from pixelift.evaluate.table import render_images

    # Asked before the measuring, which can take minutes.
    if json not in (None, STDOUT) and (json.is_dir() or not json.parent.is_dir()):
        raise ConfigError(
            f"cannot write {shown(json)}: give a file in a folder that exists: --json FILE"
        )
    if json not in (None, STDOUT) and json.exists() and not json.is_file():
        # The file would take the place of the device, /dev/stdout for one.
        raise ConfigError(f"{shown(json)} is a device or a pipe. For stdout write: --json -")
    method = open_method(
        model, scale=scale, engine=engine, precision=precision, tile=tile, threads=threads
    )
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("pictures", total=None)

        def on_image(problem: str | None) -> None:
            progress.advance(task)
            if problem:
                complain(problem)

        result = measure(
            method,
            hr,
            lr=lr,
            perceptual=perceptual,
            on_start=lambda count: progress.update(task, total=count),
            on_image=on_image,
        )
    result["version"] = version()
    options = {"--lr": lr, "--tile": tile, "--threads": threads}
    choices = {"--engine": engine, "--precision": precision}
    result["command"] = _command_line(
        {"-m": model, "-s": scale, "--hr": hr}
        | {name: value for name, value in options.items() if value is not None}
        | ({"--perceptual": None} if perceptual else {})
        | {name: value for name, value in choices.items() if value != "auto"}
    )
    if json != STDOUT:
        print(render_images(result))
    if json is not None:
        _write_json(result, json)
    return FAILED if result["failed"] else FINE


def _command_line(options: dict[str, object]) -> str:
    words = [str(word) for option in options.items() for word in option if word is not None]
    return shlex.join(["pixelift", "evaluate", *words])


def _write_json(result: "Result", path: Path) -> None:
    text = json_module.dumps(result, indent=2, allow_nan=False)
    if path == STDOUT:
        print(text)
        return
    try:
        write_atomically(path, f"{text}\n".encode(), durable=True)
    except OSError as error:
        raise DatasetError(
            f"cannot write {shown(path)}: {error.strerror}. Write elsewhere: --json FILE"
        ) from error
