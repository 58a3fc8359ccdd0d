"""From photos to a prepared training set: in several processes, and resumed where it stopped."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from pixelift.atomic import hidden_stem, write_atomically
from pixelift.errors import ConfigError, DatasetError, WrongDatasetError
from pixelift.patches.collect import Source
from pixelift.patches.dataset import (
    Manifest,
    PictureEntry,
    Rejected,
    Settings,
    describe_file,
    picture_path,
    read_manifest,
)
from pixelift.patches.duplicates import DuplicateFinder, require_pillow
from pixelift.patches.photo import (
    UNFINISHED,
    Restore,
    Task,
    prepare_photo,
    rows_path,
    writing,
)
from pixelift.patches.pool import default_workers, run_all
from pixelift.patches.table import require_pyarrow, write_patches

Progress = Callable[[int, int, float], None]
"""Called with photos done, photos in all, and the megapixels that this run has decoded so far."""

_OTHER = "Choose another folder with -o, or remove this one."


def prepare(
    sources: Sequence[Source],
    folder: Path,
    *,
    settings: Settings,
    workers: int | None = None,
    progress: Progress | None = None,
    restore: Restore | None = None,
) -> Manifest:
    """Turn photos into a training set, or go on where an earlier call was stopped.

    The bytes of the set depend on the photos and the settings alone, not on the number of
    workers or on interruptions. A set that is finished is left as it is.

    Args:
        sources: The photos, see `collect_photos`.
        folder: Where the set goes: new, empty, or holding the same set done or half done.
        settings: What to keep.
        workers: Processes; by default as many as `default_workers` says.
        progress: Told after each photo.
        restore: Network whose loss is measured, of `settings.scale`; `settings.network` is its
            name.

    Returns:
        The manifest, with every rejected photo and the reason.

    Raises:
        WrongDatasetError: The folder holds something else, or cannot be written.
        DatasetError: No photo could be used, or the disk is full.
        ConfigError: A network without a name, or a name without a network.
        EngineUnavailableError: pyarrow or Pillow is not installed.
    """
    if bool(settings.network) != (restore is not None):
        raise ConfigError("settings.network and restore belong together. Give both or neither.")
    require_pyarrow()
    finished = find_finished(sources, folder, settings=settings)
    if finished is not None:
        _clear(folder, finished.pictures)
        return finished
    if settings.screens:
        require_pillow()
    _claim_folder(folder, _plan(sources, settings))
    tasks = (Task(s, n, folder, settings, restore) for n, s in enumerate(sources))
    entries: list[PictureEntry] = []
    rejected: list[Rejected] = []
    repetitions = _Repetitions(settings)
    megapixels = 0.0
    count = workers or default_workers(len(sources))
    for number, done in enumerate(run_all(prepare_photo, tasks, workers=count), start=1):
        outcome = done.outcome
        if isinstance(outcome, PictureEntry):
            outcome = repetitions.reject(outcome) or outcome
        if isinstance(outcome, PictureEntry):
            entries.append(outcome)
        else:
            rejected.append(outcome)
        megapixels += done.pixels / 1e6
        if progress:
            progress(number, len(sources), megapixels)
    if not any(e.split == "train" for e in entries):
        reasons = "; ".join(f"{r.name}: {r.reason}" for r in rejected[:3])
        raise DatasetError(f"none of the {len(sources)} photos can be trained on ({reasons}).")
    plan_sha256 = hashlib.sha256(_plan(sources, settings)).hexdigest()
    with writing(folder):
        held_out = _hold_out(entries, settings)
        return _finish(folder, held_out, rejected, settings=settings, plan_sha256=plan_sha256)


def find_finished(
    sources: Sequence[Source], folder: Path, *, settings: Settings
) -> Manifest | None:
    """Find out whether a set is there already.

    Args:
        sources: The photos.
        folder: Where it would be.
        settings: What to keep.

    Returns:
        The manifest where the very same set is finished; None where there is no finished set.

    Raises:
        WrongDatasetError: There is a finished set of other photos or settings, or of another
            version.
        DatasetError: The manifest is damaged.
    """
    if not (folder / "manifest.json").exists():
        return None
    manifest = read_manifest(folder)
    if manifest.plan_sha256 != hashlib.sha256(_plan(sources, settings)).hexdigest():
        raise WrongDatasetError(
            f"{folder} holds a finished training set of other photos or settings. {_OTHER}"
        )
    return manifest


class _Repetitions:
    """Finds photos that are in the set already; asked in the order of the photos."""

    def __init__(self, settings: Settings) -> None:
        self._files: dict[str, str] = {}
        self._limit = settings.limits.duplicate_distance
        self._alike = DuplicateFinder(self._limit)
        self._screens = settings.screens

    def reject(self, entry: PictureEntry) -> Rejected | None:
        """Say which photo this one repeats; if none, remember it."""
        name = entry.name
        if entry.sha256 in self._files:
            reason = f"same file as {self._files[entry.sha256]}"
            return Rejected(name, reason, rule="same file")
        if self._screens:
            match = self._alike.nearest(entry.phash)
            if match is not None and match[1] <= self._limit:
                reason = (
                    f"shows the same as {match[0]}: their hashes differ in {match[1]} of 64 bits; "
                    f"more than {self._limit} are needed"
                )
                return Rejected(name, reason, rule="near-duplicate", number=match[1])
            self._alike.add(entry.phash, name)
        self._files[entry.sha256] = name
        return None


def _hold_out(entries: list[PictureEntry], settings: Settings) -> list[PictureEntry]:
    """Set photos aside for validation where none were given for it; the hash decides which."""
    if any(e.split == "valid" for e in entries) or len(entries) < 2 or settings.holdout == 0:
        return entries
    count = max(1, round(len(entries) * settings.holdout))
    chosen = {e.number for e in sorted(entries, key=lambda e: e.sha256)[:count]}
    return [msgspec.structs.replace(e, split="valid") if e.number in chosen else e for e in entries]


def _finish(
    folder: Path,
    entries: list[PictureEntry],
    rejected: list[Rejected],
    *,
    settings: Settings,
    plan_sha256: str,
) -> Manifest:
    table = folder / "patches.parquet"
    trained = (e.number for e in entries if e.split == "train")
    write_patches((np.load(rows_path(folder, n), allow_pickle=False) for n in trained), table)
    manifest = Manifest(
        settings=settings,
        pictures=tuple(entries),
        rejected=tuple(rejected),
        patches=describe_file(table),
        plan_sha256=plan_sha256,
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    write_atomically(folder / "manifest.json", encoded)
    _clear(folder, entries)
    return manifest


def _clear(folder: Path, entries: Sequence[PictureEntry]) -> None:
    """Remove what only an unfinished set needs, and pictures of photos that repeat others."""
    if not (folder / UNFINISHED).is_dir():
        return
    kept = {picture_path(folder, e.number) for e in entries}
    for path in (folder / "pictures").iterdir():
        if path not in kept:
            path.unlink()
    shutil.rmtree(folder / UNFINISHED)


def _plan(sources: Sequence[Source], settings: Settings) -> bytes:
    """Describe what is to be made: two plans are equal where the sets would be."""
    photos = [(s.name, s.split, 0 if s.why_not else s.path.stat().st_size) for s in sources]
    return msgspec.json.encode({"settings": settings, "photos": photos})


def _claim_folder(folder: Path, plan: bytes) -> None:
    """Take a new or empty folder, or the same set half done; refuse anything else."""
    mark = folder / UNFINISHED / "plan.json"
    if mark.is_file():
        if mark.read_bytes() != plan:
            raise WrongDatasetError(
                f"{folder} holds an unfinished set of other photos or settings. {_OTHER}"
            )
        return
    if folder.exists() and not folder.is_dir():
        raise WrongDatasetError(f"{folder} is a file; a training set is a folder. {_OTHER}")
    if folder.exists() and any(folder.iterdir()) and not _is_barely_begun(folder):
        raise WrongDatasetError(f"{folder} is not empty and holds no training set. {_OTHER}")
    try:
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        mark.parent.mkdir(exist_ok=True)
        write_atomically(mark, plan)
    except OSError as error:
        raise WrongDatasetError(f"cannot write to {folder}: {error.strerror}. {_OTHER}") from error


def _is_barely_begun(folder: Path) -> bool:
    """Recognise what is left where a run was killed before it had written down its plan."""
    if not {p.name for p in folder.iterdir()} <= {"pictures", UNFINISHED}:
        return False
    inside = {p.name for name in ("pictures", UNFINISHED) for p in (folder / name).glob("*")}
    return all(name.startswith(hidden_stem(Path("plan.json"))) for name in inside)
