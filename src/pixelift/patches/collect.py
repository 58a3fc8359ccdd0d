"""Which photos are to enter a set, and what is known of their authors and licences."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pixelift.errors import WrongDatasetError
from pixelift.image.find import find_pictures
from pixelift.image.formats import readable_labels
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
