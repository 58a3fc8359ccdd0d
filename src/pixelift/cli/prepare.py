"""`pixelift prepare`: photos to a training set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pixelift.cli.extras import require
from pixelift.cli.main import FAILED, FINE, complain, whole_number
from pixelift.errors import ConfigError
from pixelift.image.shown import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pixelift.patches.collect import Source
    from pixelift.patches.dataset import Manifest, Settings
    from pixelift.patches.photo import Restore

MOST_LINES = 20
"""Photos left out that are told about one by one."""


def prepare(  # noqa: PLR0913 - every option of the command is a parameter
    *photos: Annotated[Path, Parameter(required=True)],
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    valid: Path | None = None,
    scale: Annotated[int, Parameter(converter=whole_number)] = 4,
    channels: Literal["rgb", "y"] = "rgb",
    patch: Annotated[int, Parameter(converter=whole_number)] = 48,
    workers: Annotated[int | None, Parameter(converter=whole_number)] = None,
    no_screens: bool = False,
    repair: bool = False,
    network: str | None = None,
    report: bool = False,
) -> int:
    """Turn photos into a training set: decoded once, and measured for what they teach.

    Stopped half-way, the same command goes on where it was; given again for a finished set, it
    changes nothing. Photos that cannot be read, repeat others, or would teach noise and JPEG
    blocks are left out, each told about in one line with the reason. The exit code is 1 if a photo
    could not be read.

    Args:
        photos: Photos, and folders of photos at any depth.
        output: Folder for the training set; new or empty.
        valid: Folder of photos to validate with; without it one photo in twenty is set aside.
        scale: Factor at which it is measured what interpolation restores; one can train at any.
        channels: What to keep: rgb, which serves every recipe, or y for the luma alone, a third of
            the bytes, for networks that take luma.
        patch: Side of a patch in HR pixels.
        workers: Processes to use; by default one for each processor core, as far as the free
            memory allows (1 GiB each).
        no_screens: Keep photos and patches whatever is wrong with them.
        repair: Halve large photos that were compressed too much, instead of leaving them out.
        network: Measure also the loss of this model, as pixelift models lists it, at the same
            scale; takes far longer.
        report: Write report.html into the set, to look at what was chosen and why.
    """
    from pixelift.patches.collect import collect_photos
    from pixelift.patches.dataset import Settings, open_dataset
    from pixelift.patches.prepare import find_finished

    _check(scale, {"patch": patch, "workers": workers})
    if report:
        require("matplotlib", "jinja2", task="the report")
    restore, network = (None, "") if network is None else _open_network(network, scale)
    settings = Settings(
        scale=scale,
        patch=patch,
        channels=channels,
        screens=not no_screens,
        repair=repair,
        network=network,
    )
    sources = collect_photos(photos, "train")
    if valid is not None:
        sources += collect_photos([valid], "valid")
    is_finished = find_finished(sources, output, settings=settings) is not None
    manifest = _run(sources, output, settings=settings, workers=workers, restore=restore)
    if not is_finished:
        _tell_left_out(manifest)
    if report:
        from pixelift.report.page import write_report

        write_report(open_dataset(output), output / "report.html")
    splits = [photo.split for photo in manifest.pictures]
    print(
        f"{shown(output)}{' is finished' if is_finished else ''}: {splits.count('train')} photos "
        f"to train on, {splits.count('valid')} to validate with, {len(manifest.rejected)} left out"
    )
    failed = not is_finished and any(photo.is_failure for photo in manifest.rejected)
    return FAILED if failed else FINE


def _check(scale: int, counts: dict[str, int | None]) -> None:
    if not 2 <= scale <= 8:
        raise ConfigError(f"scale is {scale}; allowed are 2 to 8, as --scale 4")
    for name, number in counts.items():
        if number is not None and number < 1:
            raise ConfigError(
                f"{name} is {number}; allowed are numbers from 1 up. Run: pixelift prepare --help"
            )


def _open_network(model: str, scale: int) -> "tuple[Restore, str]":
    """Load a network, to be told early what is wrong with it; and look up its name."""
    from pixelift.infer.restorer import Restorer

    restore = Restorer(model, scale)
    return restore, restore.open().card.key


def _run(
    sources: "Sequence[Source]",
    output: Path,
    *,
    settings: "Settings",
    workers: int | None,
    restore: "Restore | None",
) -> "Manifest":
    """Prepare, with a bar where a person is looking."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from pixelift.patches.prepare import prepare as run

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        job = bar.add_task("photos", total=len(sources), rate="")

        def show(done: int, _: int, megapixels: float) -> None:
            elapsed = bar.tasks[0].elapsed
            rate = f"{megapixels / elapsed:.1f} MP/s" if elapsed and megapixels else ""
            bar.update(job, completed=done, rate=rate)

        try:
            return run(
                sources,
                output,
                settings=settings,
                workers=workers,
                progress=show,
                restore=restore,
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "stopped. What is prepared is kept; the same command goes on where it was"
            ) from None


def _tell_left_out(manifest: "Manifest") -> None:
    rejected = manifest.rejected
    for photo in rejected[:MOST_LINES]:
        complain(f"left out {shown(photo.name)}: {photo.reason}")
    if len(rejected) > MOST_LINES:
        complain(
            f"left out {len(rejected) - MOST_LINES} more, {len(rejected)} in all; manifest.json in "
            "the set lists each with its reason, and so does the page that --report writes"
        )
