"""Pictures about a result, beside it: which part got which network, and where it had to invent."""

from pathlib import Path

from pixelift.errors import ConfigError
from pixelift.image.formats import find_writable, writable_suffixes
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.shown import shown
from pixelift.image.write import write_picture
from pixelift.infer.confidence import draw_spread, measure_spread
from pixelift.infer.explain import explain
from pixelift.infer.route import Router
from pixelift.infer.upscaler import Upscaler


def check_maps(
    inputs: "tuple[Path, ...]",
    upscaler: Upscaler,
    *,
    explanation: Path | None,
    spread: Path | None,
    passes_by: bool = False,
    overwrite: bool = False,
) -> None:
    """Refuse maps that cannot be drawn, before the long work.

    Args:
        inputs: What was given to be enlarged.
        upscaler: The opened networks.
        explanation: Where the picture of the decision goes, if any.
        spread: Where the map of the spread goes, if any.
        passes_by: Whether pictures come through a pipe or into a folder that is watched: there is
            no file to read again for a map, or no end of them.
        overwrite: Whether files that are there already are replaced.

    Raises:
        ConfigError: There are several pictures for one map, none that can be read twice, or there
            is nothing to explain; or the map would replace something.
    """
    for option, path in (("--explain", explanation), ("--confidence", spread)):
        if path is None:
            continue
        if passes_by:
            raise ConfigError(
                f"{option} draws one picture that is a file, and no pipe and no watched folder. "
                f"Save the picture first: pixelift upscale photo.jpg {option} {shown(path)}"
            )
        if len(inputs) != 1 or inputs[0].is_dir():
            raise ConfigError(f"{option} draws one picture. Give one picture, and no folder")
        _check_name(option, path, inputs[0], overwrite=overwrite)
    if explanation and spread and explanation.resolve() == spread.resolve():
        raise ConfigError("--explain and --confidence are both to be one file. Give two names")
    if explanation and not isinstance(upscaler.network, Router):
        raise ConfigError(
            "--explain shows which network got what, and here is one for all. Add --effort auto"
        )


def _check_name(option: str, path: Path, source: Path, *, overwrite: bool) -> None:
    if path.resolve() == source.resolve():
        raise ConfigError(f"{option} {shown(path)} would replace the input. Give another name")
    if not path.parent.is_dir():
        folder = shown(path.parent)
        raise ConfigError(f"no folder {folder} for {option}. Run: mkdir -p {folder}")
    if path.exists() and not overwrite:
        raise ConfigError(f"{option} {shown(path)} exists already. Replace it with --overwrite")
    if find_writable(None, path) is None:
        raise ConfigError(
            f"{option} {shown(path)} has no ending of a picture. Allowed are {writable_suffixes()}"
        )


def write_maps(
    source: Path,
    upscaler: Upscaler,
    *,
    explanation: Path | None,
    spread: Path | None,
    overwrite: bool,
) -> None:
    """Draw what was asked for.

    Args:
        source: The small picture.
        upscaler: The opened networks.
        explanation: Where the picture of the decision goes, if any.
        spread: Where the map of the spread goes, if any.
        overwrite: Whether files that are there already are replaced.

    Raises:
        ImageReadError: The picture cannot be read.
        ImageWriteError: A map cannot be written.
        OutOfMemoryError: Memory is too small.
    """
    picture: Picture = read_picture(source)
    network = upscaler.network
    if explanation and isinstance(network, Router):
        write_picture(explain(network, picture.pixels), explanation, overwrite=overwrite)
    if spread:
        values = measure_spread(picture.pixels, network.engine)
        write_picture(draw_spread(values), spread, overwrite=overwrite)
