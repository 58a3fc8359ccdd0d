"""Finding pictures in folders: the one place where folders are walked."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from pixelift.image.formats import FORMATS
from pixelift.image.shown import quoted

PICTURE_SUFFIXES = frozenset(suffix for fmt in FORMATS.values() for suffix in fmt.suffixes)
"""File name endings that are taken for pictures when a folder is searched, in lower case."""

A_FOLDER, MISSING = "it is a folder", "there is no such file"
"""Reasons of `why_no_file` that one may want to tell apart."""

_KINDS = (
    (stat.S_ISDIR, A_FOLDER),
    (stat.S_ISFIFO, "it is a pipe"),
    (stat.S_ISSOCK, "it is a socket"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something in a folder that cannot be looked at."""

    path: Path
    why: str
    """In a few words, as the system has it."""
    is_folder: bool

    def __str__(self) -> str:
        """Say it in one line, and what to do about it."""
        name = quoted(self.path)
        if self.is_folder:
            return f"cannot look into {name}: {self.why}. Allow it: chmod u+rx {name}"
        return f"cannot read {name}: {self.why}; allowed is a file. Remove it, or save it anew."


@dataclass(frozen=True, slots=True)
class Found:
    """What there is below a folder, both sorted by the parts of the paths."""

    pictures: list[Path] = field(default_factory=list)
    """Files that are named like pictures."""

    unseen: list[Unseen] = field(default_factory=list)
    """Folders that may not be looked into, and what is named like a picture and is no file."""


def search(folder: Path) -> Found:
    """List the pictures below a folder, and what of it could not be looked at.

    Hidden files and folders are left out, and so are files whose name ends like that of no format
    that can be read. Links to files are followed, links to folders are not: they may be circles.
    Nothing is opened, so nothing that waits for somebody (a pipe) can hold this up.

    Args:
        folder: Where to look, at any depth.

    Returns:
        Paths that begin with `folder`, in an order that is the same everywhere.
    """
    found = Found()
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            # Listing a folder is one permission, entering it another. Without the second its files
            # have names and nothing else.
            os.stat(os.path.join(place, os.curdir))  # noqa: PTH116, PTH118 - pathlib drops the dot
            with os.scandir(place) as entries:
                for entry in entries:
                    _sort_in(entry, place / entry.name, found, waiting)
        except FileNotFoundError:
            pass  # gone since its folder was listed
        except OSError as error:
            found.unseen.append(Unseen(place, _reason(error), is_folder=True))
    found.pictures.sort(key=lambda path: path.relative_to(folder).parts)
    found.unseen.sort(key=lambda unseen: unseen.path.relative_to(folder).parts)
    return found


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures below a folder: those of `search`.

    Args:
        folder: Where to look, at any depth.

    Returns:
        Paths that begin with `folder`, sorted by their parts.
    """
    return search(folder).pictures


def _sort_in(entry: "os.DirEntry[str]", path: Path, found: Found, waiting: list[Path]) -> None:
    if entry.name.startswith("."):
        return
    if entry.is_dir(follow_symlinks=False):
        waiting.append(path)
        return
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return
    try:
        if stat.S_ISDIR(entry.stat().st_mode):
            return  # a link to a folder
    except OSError:
        pass
    why = why_no_file(path)
    if not why:
        found.pictures.append(path)
    elif os.path.lexists(path):  # or it has gone since the folder was listed
        found.unseen.append(Unseen(path, why, is_folder=False))


def why_no_file(path: Path) -> str:
    """Say why there is no file of that name that could be opened without having to wait.

    Args:
        path: Where the file should be.

    Returns:
        The reason in a few words; empty for a file, which may still be locked.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is a link to nothing" if path.is_symlink() else MISSING
    except OSError as error:
        return _reason(error)
    if stat.S_ISREG(mode):
        return ""
    return next((what for is_one, what in _KINDS if is_one(mode)), "it is no file")


def _reason(error: OSError) -> str:
    words = error.strerror or str(error)
    return words[:1].lower() + words[1:]
