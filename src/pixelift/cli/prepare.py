"""`pixelift prepare`: photos to a training set."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def prepare(
    photos: list[Path],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    valid: Path | None = None,
    scales: tuple[int, ...] = (2, 3, 4),
    patch: int = 192,
    stride: int = 96,
    workers: int | None = None,
) -> None:
    """Turn photos into a training set: decoded once, shrunk, and measured for what they teach.

    Stopped half-way, the same command goes on where it was.

    Args:
        photos: Photos, and folders of photos at any depth.
        output: Folder for the training set; new or empty.
        valid: Folder of photos to validate with; without it one photo in twenty is set aside.
        scales: Factors to prepare LR pictures for (repeat the option for several).
        patch: Side of a patch in HR pixels.
        stride: Distance from one patch to the next in HR pixels.
        workers: Processes to use; by default one for each processor core.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn

    from pixelift.errors import ConfigError
    from pixelift.patches.dataset import Settings
    from pixelift.patches.prepare import collect_photos
    from pixelift.patches.prepare import prepare as run

    if not scales or any(s < 2 or s > 16 for s in scales):
        raise ConfigError(f"scales are {scales}; allowed are integers from 2 to 16, as --scales 4")
    if min(patch, stride) < 1:
        raise ConfigError("patch and stride must be at least 1 pixel, as --patch 192 --stride 96")
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
        manifest = run(
            sources,
            output,
            settings=settings,
            workers=workers,
            progress=lambda done, _, mp: bar.update(job, completed=done, megapixels=mp),
        )
    for photo in manifest.rejected:
        console.print(f"left out {photo.name}: {photo.reason}", highlight=False, markup=False)
    count = {split: sum(p.split == split for p in manifest.pictures) for split in ("train", "valid")}
    print(
        f"{output}: {count['train']} photos to train on, {count['valid']} to validate with, "
        f"{len(manifest.rejected)} left out"
    )
