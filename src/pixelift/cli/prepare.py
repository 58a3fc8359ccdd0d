"""`pixelift prepare`: photos to a training set."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pixelift.cli.main import FAILED, FINE, complain, whole_number, whole_numbers
from pixelift.errors import ConfigError


def prepare(
    *photos: Annotated[Path, Parameter(required=True)],
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    valid: Path | None = None,
    scales: Annotated[
        tuple[int, ...], Parameter(converter=whole_numbers, show_default=lambda _: "2, 3 and 4")
    ] = (2, 3, 4),
    patch: Annotated[int, Parameter(converter=whole_number)] = 192,
    stride: Annotated[int, Parameter(converter=whole_number)] = 96,
    workers: Annotated[int | None, Parameter(converter=whole_number)] = None,
) -> int:
    """Turn photos into a training set: decoded once, shrunk, and measured for what they teach.

    Stopped half-way, the same command goes on where it was. A photo that cannot be read is told
    about in one line, the others are still prepared, and the exit code is 1.

    Args:
        photos: Photos, and folders of photos at any depth.
        output: Folder for the training set; new or empty.
        valid: Folder of photos to validate with; without it one photo in twenty is set aside.
        scales: Factor to prepare LR pictures for; for several give it again, as --scales 2
            --scales 4.
        patch: Side of a patch in HR pixels.
        stride: Distance from one patch to the next in HR pixels.
        workers: Processes to use; by default one for each processor core.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from pixelift.patches.dataset import Settings
    from pixelift.patches.prepare import collect_photos
    from pixelift.patches.prepare import prepare as run

    for scale in scales:
        if not 2 <= scale <= 16:
            raise ConfigError(f"scale is {scale}; allowed are 2 to 16, as --scales 2 --scales 4")
    for name, number in {"patch": patch, "stride": stride, "workers": workers}.items():
        if number is not None and number < 1:
            raise ConfigError(
                f"{name} is {number}; allowed are numbers from 1 up. Run: pixelift prepare --help"
            )
    settings = Settings(scales=tuple(sorted(set(scales))), patch=patch, stride=stride)
    sources = collect_photos(photos, "train")
    if valid is not None:
        sources += collect_photos([valid], "valid")
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[megapixels]:.0f} MP"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        job = bar.add_task("photos", total=len(sources), megapixels=0.0)
        try:
            manifest = run(
                sources,
                output,
                settings=settings,
                workers=workers,
                progress=lambda done, _, mp: bar.update(job, completed=done, megapixels=mp),
            )
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                "stopped. What is prepared is kept; the same command goes on where it was"
            ) from None
    for photo in manifest.rejected:
        complain(f"left out {photo.name}: {photo.reason}")
    splits = [photo.split for photo in manifest.pictures]
    print(
        f"{output}: {splits.count('train')} photos to train on, {splits.count('valid')} to "
        f"validate with, {len(manifest.rejected)} left out"
    )
    return FAILED if any(photo.is_failure for photo in manifest.rejected) else FINE
