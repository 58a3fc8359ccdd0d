"""From photos to a prepared training set: decode once, shrink, measure, write, resume."""

import csv
import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import lcm
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import DatasetError, ImageReadError, WrongDatasetError
from pixelift.image.color import luma
from pixelift.image.depth import to_u8
from pixelift.image.find import find_pictures
from pixelift.image.formats import readable_labels
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture
from pixelift.image.resize import downscale, modcrop
from pixelift.patches.dataset import (
    Manifest,
    PictureEntry,
    Rejected,
    Settings,
    Split,
    describe_file,
    picture_path,
)
from pixelift.patches.score import ContentMaps
from pixelift.patches.table import measure_patches, require_pyarrow, write_patches

Progress = Callable[[int, int, float], None]
"""Called with photos done, photos in all, and megapixels decoded so far."""


@dataclass(frozen=True, slots=True)
class Source:
    """A photo that is to enter the set."""

    path: Path
    name: str
    split: Split


@dataclass(frozen=True, slots=True)
class _Task:
    source: Source
    number: int
    folder: Path
    settings: Settings


def collect_photos(photos: Iterable[Path], split: Split) -> list[Source]:
    """List the photos of files and folders.

    Args:
        photos: Picture files, and folders that are searched at any depth.
        split: What they are for.

    Returns:
        The photos; those of a folder are named by their path below it.

    Raises:
        WrongDatasetError: A path does not exist, or a folder holds no picture.
    """
    sources = []
    for path in photos:
        if path.is_dir():
            found = find_pictures(path)
            if not found:
                raise WrongDatasetError(
                    f"no pictures in {path}; allowed are {readable_labels()}. "
                    "Name a folder that holds photos."
                )
            sources += [Source(p, p.relative_to(path).as_posix(), split) for p in found]
        elif path.exists():
            sources.append(Source(path, path.name, split))
        else:
            raise WrongDatasetError(f"no such file or folder: {path}. Check the spelling.")
    return sources


def prepare(
    sources: list[Source],
    folder: Path,
    *,
    settings: Settings,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Turn photos into a training set, or go on where an earlier call was stopped.

    The bytes of the set depend on the photos and the settings alone, not on the number of
    workers or on interruptions.

    Args:
        sources: The photos, see `collect_photos`.
        folder: Where the set goes: new, empty, or holding the same set half done.
        settings: What to keep.
        workers: Processes; by default one for each processor core.
        progress: Told after each photo.

    Returns:
        The manifest, with every rejected photo and the reason.

    Raises:
        WrongDatasetError: The folder holds something else, or cannot be written.
        DatasetError: No photo could be used.
        EngineUnavailableError: pyarrow, which writes the table of patches, is not installed.
    """
    require_pyarrow()
    _claim_folder(folder, sources, settings)
    tasks = [_Task(s, n, folder, settings) for n, s in enumerate(sources)]
    entries: list[PictureEntry] = []
    rejected: list[Rejected] = []
    seen: dict[str, str] = {}
    megapixels = 0.0
    for done, (task, result) in enumerate(_run(tasks, workers or os.cpu_count() or 1), start=1):
        if isinstance(result, Rejected):
            rejected.append(result)
        elif result.sha256 in seen:
            rejected.append(Rejected(task.source.name, f"same file as {seen[result.sha256]}"))
        else:
            seen[result.sha256] = result.name
            entries.append(result)
            megapixels += result.height * result.width / 1e6
        if progress:
            progress(done, len(tasks), megapixels)
    if not any(e.split == "train" for e in entries):
        reasons = "; ".join(f"{r.name}: {r.reason}" for r in rejected[:3])
        raise DatasetError(f"none of the {len(tasks)} photos can be trained on ({reasons}).")
    return _finish(folder, _hold_out(entries, settings), rejected, settings)


def _run(tasks: list[_Task], workers: int) -> Iterator[tuple[_Task, PictureEntry | Rejected]]:
    if workers == 1:
        yield from ((task, _prepare_photo(task)) for task in tasks)
        return
    # "spawn" keeps workers free of the parent's threads; a bounded window keeps memory flat.
    # Ctrl-C ends workers at once and without a word: an unfinished picture is done again.
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        waiting = iter(tasks)
        with _interrupts_ignored():
            window = [(t, pool.submit(_prepare_photo, t)) for t in islice(waiting, 4 * workers)]
        while window:
            task, future = window.pop(0)
            yield task, future.result()
            window += [(t, pool.submit(_prepare_photo, t)) for t in islice(waiting, 1)]
    except BrokenProcessPool as error:
        raise DatasetError(
            f"one of {workers} processes was killed, as happens when memory runs out. What is "
            "prepared is kept; go on with fewer, as --workers 1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Start processes that are deaf to Ctrl-C while they start.

    A terminal sends it to all of them, and each would tell about it at length.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _prepare_photo(task: _Task) -> PictureEntry | Rejected:
    """Prepare one photo: its entry, or the reason why it cannot be used."""
    entry_path = _entry_path(task.folder, task.number)
    if entry_path.is_file():
        return msgspec.json.decode(entry_path.read_bytes(), type=PictureEntry)
    settings = task.settings
    try:
        encoded = task.source.path.read_bytes()
        picture = read_picture(encoded)
    except (OSError, ImageReadError) as error:
        return Rejected(task.source.name, str(error), is_failure=True)
    grid = lcm(*settings.scales)
    if min(picture.size.height, picture.size.width) < max(settings.patch, grid):
        reason = f"{picture.size} is smaller than a patch of {settings.patch} pixels"
        return Rejected(task.source.name, reason)
    hr = np.ascontiguousarray(modcrop(_as_rgb_u8(picture.pixels), grid))
    paths = {
        scale: picture_path(task.folder, task.number, scale) for scale in (1, *settings.scales)
    }
    for scale, path in paths.items():
        _save(path, hr if scale == 1 else downscale(hr, scale))
    hr_luma = luma(hr.astype(np.float32) / np.float32(255))
    rows = measure_patches(
        ContentMaps.of(hr_luma, max(settings.scales)),
        hr_luma.shape,
        picture=task.number,
        side=settings.patch,
        stride=settings.stride,
    )
    _save(_rows_path(task.folder, task.number), rows)
    size = Size(*hr_luma.shape)
    entry = PictureEntry(
        number=task.number,
        name=task.source.name,
        split=task.source.split,
        sha256=hashlib.sha256(encoded).hexdigest(),
        height=size.height,
        width=size.width,
        files={path.name: describe_file(path) for path in paths.values()},
        credit=_credit(task.source.path),
    )
    _write_atomically(entry_path, msgspec.json.encode(entry))
    return entry


def _as_rgb_u8(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    rgb = to_u8(pixels)
    return np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb


def _credit(path: Path) -> dict[str, str]:
    """Look a photo up in the SOURCES.tsv of a folder above it: licence, author, source, kind."""
    path = path.resolve()
    for parent in path.parents[:4]:
        row = _read_sources(parent).get(path.relative_to(parent).as_posix())
        if row:
            return row
    return {}


@lru_cache(maxsize=64)
def _read_sources(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / "SOURCES.tsv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        wanted = ("licence", "author", "source", "kind")
        return {r["file"]: {k: r[k] for k in wanted if r.get(k)} for r in rows if r.get("file")}


def _hold_out(entries: list[PictureEntry], settings: Settings) -> list[PictureEntry]:
    """Set photos aside for validation where none were given for it; the hash decides which."""
    if any(e.split == "valid" for e in entries) or len(entries) < 2 or settings.holdout == 0:
        return entries
    count = max(1, round(len(entries) * settings.holdout))
    chosen = {e.number for e in sorted(entries, key=lambda e: e.sha256)[:count]}
    return [msgspec.structs.replace(e, split="valid") if e.number in chosen else e for e in entries]


def _finish(
    folder: Path, entries: list[PictureEntry], rejected: list[Rejected], settings: Settings
) -> Manifest:
    table = folder / "patches.parquet"
    trained = [e.number for e in entries if e.split == "train"]
    rows = np.concatenate([np.load(_rows_path(folder, n), allow_pickle=False) for n in trained])
    write_patches(rows, table)
    manifest = Manifest(
        settings=settings,
        pictures=tuple(entries),
        rejected=tuple(rejected),
        patches=describe_file(table),
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    _write_atomically(folder / "manifest.json", encoded)
    kept = {name for e in entries for name in e.files}
    for path in (folder / "pictures").iterdir():
        if path.name not in kept:  # of photos that turned out to be the same file
            path.unlink()
    shutil.rmtree(folder / "unfinished")
    return manifest


def _claim_folder(folder: Path, sources: list[Source], settings: Settings) -> None:
    """Take a new or empty folder, or the same set half done; refuse anything else."""
    plan = {
        "settings": settings,
        "photos": [(s.name, s.split, s.path.stat().st_size) for s in sources],
    }
    encoded = msgspec.json.encode(plan)
    mark = folder / "unfinished" / "plan.json"
    other = "Choose another folder with -o, or remove this one."
    if (folder / "manifest.json").exists():
        raise WrongDatasetError(f"{folder} holds a finished training set already. {other}")
    if mark.is_file():
        if mark.read_bytes() != encoded:
            raise WrongDatasetError(
                f"{folder} holds an unfinished set of other photos or settings. {other}"
            )
        return
    if folder.exists() and not folder.is_dir():
        raise WrongDatasetError(f"{folder} is a file; a training set is a folder. {other}")
    if folder.exists() and any(folder.iterdir()):
        raise WrongDatasetError(f"{folder} is not empty and holds no training set. {other}")
    try:
        (folder / "pictures").mkdir(parents=True)
        mark.parent.mkdir()
        _write_atomically(mark, encoded)
    except OSError as error:
        raise WrongDatasetError(f"cannot write to {folder}: {error.strerror}. {other}") from error


def _entry_path(folder: Path, number: int) -> Path:
    return folder / "unfinished" / f"{number:05}.json"


def _rows_path(folder: Path, number: int) -> Path:
    return folder / "unfinished" / f"{number:05}.patches.npy"


def _save(path: Path, array: NDArray[np.generic]) -> None:
    np.save(path, array, allow_pickle=False)


def _write_atomically(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
