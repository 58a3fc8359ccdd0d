"""Finding pictures in folders."""

from pathlib import Path

PICTURE_SUFFIXES = frozenset(
    ".avif .bmp .gif .heic .heif .jp2 .jpeg .jpg .jxl .png .tif .tiff .webp".split()
)
"""File name endings that are taken for pictures when a folder is searched, in lower case."""


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures below a folder, in an order that is the same everywhere.

    Hidden files and folders are left out.

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
