"""A path or bytes become an opened file that is known to be one still photo.

Nothing is decoded here. Everything that can be refused by looking at a few bytes is refused here,
before libvips sees the file.
"""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pixelift.errors import ImageReadError
from pixelift.image import formats, h273, metadata
from pixelift.image.avif_colour import stated_colours
from pixelift.image.formats import Format
from pixelift.image.png_colour import unread_colours
from pixelift.image.shown import quoted
from pixelift.image.tiff_kinds import check_kind

FilePath = str | os.PathLike[str]
"""Where a file is."""

Source = FilePath | bytes | bytearray
"""A picture file: where it is, or its bytes."""

_REDUCED_PICTURE = 1


@dataclass(frozen=True, slots=True)
class PictureFile:
    """An opened picture: where it comes from, for messages, and what it says about itself."""

    name: str
    """What messages call it: its path in quotes, or what was given instead."""

    stream: BinaryIO
    """Open until the context ends; at any place."""

    format: Format
    tags: dict[int, metadata.Tag]
    """The first directory of a TIFF file; empty for other formats."""


@contextmanager
def open_picture(source: Source) -> Iterator[PictureFile]:
    """Open a picture and refuse what its first bytes say is no still photo.

    Args:
        source: A path, or the bytes of a file.

    Yields:
        The opened file; it is closed at the end of the context.

    Raises:
        ImageReadError: It is missing, unreadable, empty, animated, a raw file or no photo.
    """
    if isinstance(source, bytes | bytearray):
        name = f"the given {len(source)} bytes"
        yield _recognise(name, io.BytesIO(source))
        return
    path = Path(source)
    name = quoted(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageReadError(f"cannot read {name}: it is a folder. Give the picture in it.")
        if not stat.S_ISREG(mode):
            raise ImageReadError(
                f"cannot read {name}: it is a device or a pipe; allowed is a file. Save it first."
            )
        stream = path.open("rb")
    except FileNotFoundError as err:
        raise ImageReadError(
            f"cannot read {name}: there is no such file. Check the spelling and the folder."
        ) from err
    except PermissionError as err:
        raise ImageReadError(
            f"cannot read {name}: permission denied. Allow reading it, for instance: chmod +r FILE"
        ) from err
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or str(err)
        raise ImageReadError(f"cannot read {name}: {reason}. Check the path.") from err
    with stream:
        try:
            yield _recognise(name, stream)
        except OSError as err:
            raise ImageReadError(
                f"cannot read {name}: {err.strerror}. Copy it to another place and try again."
            ) from err


def sniff_file(path: Path) -> Format | None:
    """Recognise a picture's format by its content, without a word about what is wrong with it.

    Args:
        path: The file.

    Returns:
        The format; None for what is no file, cannot be opened or is of no format that is read.
    """
    try:
        # A pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as stream:
            return formats.sniff(stream.read(formats.HEAD_BYTES))
    except (OSError, ValueError):
        return None


def _recognise(name: str, stream: BinaryIO) -> PictureFile:
    head = stream.read(formats.HEAD_BYTES)
    if not head:
        raise ImageReadError(f"cannot read {name}: it is empty. Copy or download it again.")
    fmt = formats.sniff(head)
    if fmt is None:
        other = formats.sniff_other(head)
        what = "it is no photo" if other is None else f"{other} is not read"
        advice = "Convert it to PNG first."
        if formats.is_film(head):
            what, advice = "it is a film", "For films: pixelift video FILE"
        raise ImageReadError(
            f"cannot read {name}: {what}; allowed are {formats.readable_labels()}. {advice}"
        )
    file = PictureFile(name, stream, fmt, metadata.read_tags(stream) if fmt.name == "tiff" else {})
    if formats.is_image_sequence(head):
        raise ImageReadError(several(file, "an animation"))
    if fmt.name == "png":
        _check_png(file)
    subfile = file.tags.get(metadata.NEW_SUBFILE_TYPE)
    is_preview = subfile is not None and int(subfile.value or 0) & _REDUCED_PICTURE
    # A raw file is a TIFF whose first page is a thumbnail: it would be read without a complaint.
    if is_preview or metadata.DNG_VERSION in file.tags or head[8:10] == b"CR":
        raise ImageReadError(
            f"cannot read {name}: camera raw is not read, only its preview could be; allowed are "
            f"{formats.readable_labels()}. Develop it to TIFF or JPEG first."
        )
    if fmt.name == "tiff":
        check_kind(stream, name)
    if fmt.name == "avif" and (stated := stated_colours(stream)):
        _refuse_colours(file, h273.unread(*stated))
    return file


def _check_png(file: PictureFile) -> None:
    kind = b""
    for chunk in metadata.png_chunks(file.stream):
        kind = chunk.kind
        if kind == b"acTL":
            file.stream.seek(chunk.at)
            frames = int.from_bytes(file.stream.read(4), "big")
            if frames > 1:
                raise ImageReadError(several(file, f"{frames} frames"))
    if kind != b"IEND":
        raise ImageReadError(damaged(file, "it has no end"))
    _refuse_colours(file, unread_colours(file.stream))


def _refuse_colours(file: PictureFile, reason: str | None) -> None:
    if reason:
        raise ImageReadError(
            f"cannot read {file.name}: {reason}; allowed are colours that a profile can hold. "
            "Convert it to sRGB first."
        )


def several(file: PictureFile, what: str) -> str:
    """Say that a file holds more than one picture."""
    return (
        f"cannot read {file.name}: it holds {what}; allowed is one still picture. "
        "Save the one you want as PNG first."
    )


def damaged(file: PictureFile, reason: str) -> str:
    """Say that a file can not be decoded."""
    return (
        f"cannot read {file.name}: the {file.format.label} file is damaged, cut short or of an "
        f"unusual kind ({reason}). Copy it again, or convert it to PNG first."
    )


def no_temporary(file: PictureFile, reason: str) -> str:
    """Say that a file could not be decoded for want of room for a temporary one."""
    folder = os.environ.get("TMPDIR") or "/tmp"
    return (
        f"cannot read {file.name}: it is decoded by way of a temporary file, which "
        f"{quoted(folder)} does not take ({reason}). "
        "Name a folder that does: TMPDIR=FOLDER pixelift ..."
    )
