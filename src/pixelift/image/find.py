"""Finding pictures in folders."""

from pathlib import Path

from pixelift.image.formats import FORMATS

PICTURE_SUFFIXES = frozenset(suffix for fmt in FORMATS.values() for suffix in fmt.suffixes)
"""File name endings that are taken for pictures when a folder is searched, in lower case."""


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures below a folder, in an order that is the same everywhere.

    Hidden files and folders are left out, and so are files whose name ends like that of no format
    that can be read.

    Args:
        folder: Where to look, at any depth.

    Returns:
        Paths that begin with `folder`, sorted by their parts.
    """
    found = (
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    return sorted(found, key=lambda path: path.relative_to(folder).parts)
