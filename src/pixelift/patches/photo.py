"""One photo: decoded once, screened, measured and written; runs in a worker process."""

import errno
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.atomic import write_atomically
from pixelift.errors import DatasetError, ImageReadError
from pixelift.image.geometry import Size
from pixelift.image.read import read_u8
from pixelift.image.resize import downscale, modcrop
from pixelift.patches.artefacts import measure_artefacts
from pixelift.patches.cells import CellScores, framing, measure_cells
from pixelift.patches.collect import Source, find_credit
from pixelift.patches.dataset import (
    GRID,
    PictureEntry,
    Rejected,
    Settings,
    picture_path,
    save_array,
)
from pixelift.patches.duplicates import perceptual_hash
from pixelift.patches.luma import framed_luma, luma_u8
from pixelift.patches.repair import repair
from pixelift.patches.screen import CLIPPED, screen_picture
from pixelift.patches.table import measured_patches

Restore = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A network: LR, (h, w, 3) uint8 RGB, to SR, (H, W, 3) float32 RGB in [0, 1]; can be pickled."""

UNFINISHED = "unfinished"
"""Folder of a set that is being made: what is known of each photo until the manifest is written."""


@dataclass(frozen=True, slots=True)
class Task:
    """A photo, and what is to be made of it."""

    source: Source
    number: int
    folder: Path
    settings: Settings
    restore: Restore | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a photo."""

    outcome: PictureEntry | Rejected
    pixels: int
    """Pixels that were decoded; 0 where an earlier run had done it."""


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo that has been looked at."""

    hr: NDArray[np.uint8]
    luma: NDArray[np.float32]
    """With the frame that measuring needs."""
    measures: dict[str, float]
    repaired: str = ""

    @property
    def size(self) -> Size:
        return Size(*self.hr.shape[:2])


def prepare_photo(task: Task) -> Done:
    """Prepare one photo, unless an earlier run did.

    Args:
        task: The photo.

    Returns:
        Its entry, whose files are then written, or the reason why it cannot be used.

    Raises:
        DatasetError: The disk is full or cannot be written to, or memory ran out.
    """
    earlier = _recall(task)
    if earlier is not None:
        return Done(earlier, 0)
    name = task.source.name
    if task.source.why_not:
        return Done(_unreadable(name, task.source.why_not), 0)
    try:
        encoded = task.source.path.read_bytes()
        rgb = read_u8(encoded)
        outcome = _examine(rgb, task, hashlib.sha256(encoded).hexdigest())
    except ImageReadError as error:
        return Done(_unreadable(name, str(error)), 0)
    except OSError as error:
        return Done(_unreadable(name, f"cannot read it: {error.strerror}"), 0)
    except MemoryError as error:
        raise DatasetError(
            f"memory ran out at {name}. What is prepared is kept; go on with fewer processes, as "
            "--workers 1, or without this photo in another folder"
        ) from error
    with writing(task.folder):
        _remember(task, outcome)
    return Done(outcome, rgb.shape[0] * rgb.shape[1])


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a disk that cannot be written to into an error that ends the run.

    Args:
        folder: The set.

    Raises:
        DatasetError: An OSError came up, as when the disk is full.
    """
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room there" if is_full else "mend that"
        raise DatasetError(
            f"cannot write to {folder}: {error.strerror}. What is prepared is kept; {remedy} and "
            "give the same command again"
        ) from error


def rows_path(folder: Path, number: int) -> Path:
    """Name the file that holds a picture's rows of the patch table until all are known."""
    return folder / UNFINISHED / f"{number:05}.patches.npy"


def _examine(rgb: NDArray[np.uint8], task: Task, sha256: str) -> PictureEntry | Rejected:
    settings, name = task.settings, task.source.name
    size, least = Size(*rgb.shape[:2]), max(settings.patch, GRID)
    if min(size.height, size.width) < least:
        reason = f"{size} is smaller than a patch of {settings.patch} pixels"
        if least > settings.patch:
            reason = f"{size} is smaller than {least} pixels, the least of any photo"
        return Rejected(name, reason, rule="small", number=min(size.height, size.width))
    photo = _look(rgb, settings)
    # What one validates with is one's own choice: it is neither judged nor repaired.
    judged = task.source.split == "train"
    if settings.repair and judged:
        photo = _repaired(photo, settings, least)
    if settings.screens and judged:
        verdict = screen_picture(photo.measures, settings.limits)
        if verdict is not None:
            return Rejected(name, verdict.reason, rule=verdict.rule, number=verdict.number)
    scores = _measure(photo, task)
    rows = measured_patches(
        scores,
        picture=task.number,
        side=settings.patch,
        limits=settings.limits if settings.screens and judged else None,
    )
    if judged and (rows["reason"] != "").all():
        return _nothing_left(name, rows, settings)
    photo.measures["clipped"] = float(scores.clipped.mean())
    phash = perceptual_hash(rgb) if settings.screens else ""
    with writing(task.folder):
        kept = photo.hr if settings.channels == "rgb" else luma_u8(photo.hr)
        file = save_array(picture_path(task.folder, task.number), kept)
        save_array(rows_path(task.folder, task.number), rows)
    return PictureEntry(
        number=task.number,
        name=name,
        split=task.source.split,
        sha256=sha256,
        height=photo.size.height,
        width=photo.size.width,
        file=file,
        measures=photo.measures,
        phash=phash,
        repaired=photo.repaired,
        credit=find_credit(task.source.path),
    )


def _look(rgb: NDArray[np.uint8], settings: Settings) -> _Photo:
    hr = modcrop(rgb, GRID)
    hr = np.repeat(hr, 3, axis=2) if hr.shape[2] == 1 else np.ascontiguousarray(hr)
    margin = framing(settings.scale)
    luma = framed_luma(hr, margin=margin)
    return _Photo(hr, luma, measure_artefacts(luma[margin:-margin, margin:-margin]))


def _repaired(photo: _Photo, settings: Settings, least: int) -> _Photo:
    better = repair(photo.hr, photo.measures, limits=settings.limits)
    if better is None or min(better[0].shape[:2]) < least:
        return photo
    halved = _look(better[0], settings)
    return _Photo(halved.hr, halved.luma, halved.measures, better[1])


def _measure(photo: _Photo, task: Task) -> CellScores:
    scale, sr = task.settings.scale, None
    if task.restore is not None:
        sr = task.restore(downscale(photo.hr, scale))
    return measure_cells(photo.luma, scale=scale, side=task.settings.patch, sr=sr)


def _nothing_left(name: str, rows: NDArray[np.void], settings: Settings) -> Rejected:
    """Tell why a photo has no patch that could be trained on, by the rule that took most."""
    rule = Counter(rows["reason"].tolist()).most_common(1)[0][0]
    numbers = rows["number"][rows["reason"] == rule]
    if rule == CLIPPED:
        number, limit = float(numbers.min()), settings.limits.clipped_max
        what = f"at least {number:.2f} of each is clipped; at most {limit:g} is allowed"
        return Rejected(name, f"every patch is rejected: {what}", rule="clipped", number=number)
    number, limit = float(numbers.max()), settings.limits.flat_variance
    what = f"their variance is at most {number:.2f} squared levels; {limit:g} is needed"
    return Rejected(name, f"every patch is flat: {what}", rule="flat", number=number)


def _unreadable(name: str, reason: str) -> Rejected:
    return Rejected(name, reason, rule="unreadable", is_failure=True)


def _note_path(task: Task, kind: str) -> Path:
    return task.folder / UNFINISHED / f"{task.number:05}.{kind}.json"


def _remember(task: Task, outcome: PictureEntry | Rejected) -> None:
    kind = "rejected" if isinstance(outcome, Rejected) else "entry"
    write_atomically(_note_path(task, kind), msgspec.json.encode(outcome))


def _recall(task: Task) -> PictureEntry | Rejected | None:
    """Find out what an earlier run made of a photo; what it could not read is tried again."""
    try:
        rejected = _note_path(task, "rejected")
        if rejected.is_file():
            return msgspec.json.decode(rejected.read_bytes(), type=Rejected)
        entry = msgspec.json.decode(_note_path(task, "entry").read_bytes(), type=PictureEntry)
        stored = picture_path(task.folder, task.number).stat().st_size
    except (OSError, msgspec.MsgspecError):
        # Not done yet, or lost when the machine lost its power: to be done again.
        return None
    return entry if stored == entry.file.bytes else None
