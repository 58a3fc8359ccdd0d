"""Which photos are to enter a set, and what is known of their authors and licences."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pixelift.errors import WrongDatasetError
from pixelift.image.find import A_FOLDER, MISSING, search, why_no_file
from pixelift.image.formats import readable_labels
from pixelift.image.shown import as_text, shown
from pixelift.patches.dataset import Split

SOURCES = "SOURCES.tsv"
"""Table beside photos, or above them, that tells where they come from."""

_LEVELS = 4
_CREDITS = ("licence", "author", "source", "kind")


@dataclass(frozen=True, slots=True)
class Source:
    """A photo that is to enter the set."""

    path: Path
    name: str
    split: Split
    why_not: str = ""
    """Why it cannot be read, where that showed already: it then is no file, or a locked folder."""


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
        why_not = why_no_file(path)
        if why_not == A_FOLDER:
            sources += _look_into(path, split)
        elif why_not != MISSING:
            sources.append(Source(path, as_text(path.name), split, why_not))
        else:
            raise WrongDatasetError(f"no such file or folder: {shown(path)}. Check the spelling.")
    return sources


def _look_into(folder: Path, split: Split) -> list[Source]:
    found = search(folder)
    if not found.pictures and not found.unseen:
        raise WrongDatasetError(
            f"no pictures in {shown(folder)}; allowed are {readable_labels()}. "
            "Name a folder that holds photos."
        )

    def name(path: Path) -> str:
        return as_text(path.relative_to(folder).as_posix())

    seen = [Source(path, name(path), split) for path in found.pictures]
    return seen + [Source(u.path, name(u.path), split, str(u)) for u in found.unseen]


def find_credit(path: Path) -> dict[str, str]:
    """Look a photo up in the SOURCES.tsv of a folder above it.

    Args:
        path: The photo.

    Returns:
        Those of licence, author, source and kind that the table tells; empty without a table.
    """
    path = path.resolve()
    for parent in path.parents[:_LEVELS]:
        row = _read_sources(parent).get(path.relative_to(parent).as_posix())
        if row:
            return row
    return {}


@lru_cache(maxsize=64)
def _read_sources(folder: Path) -> dict[str, dict[str, str]]:
    path = folder / SOURCES
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {r["file"]: {k: r[k] for k in _CREDITS if r.get(k)} for r in rows if r.get("file")}
