"""What libvips does not tell about a file: read from, and corrected in, its raw bytes.

Two things need it. libvips makes up a resolution where a file states none; and it says nothing of
animated PNG or of a camera's raw file that looks like TIFF.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pixelift.image.tiff_tags import (
    CODES,
    RATIONAL,
    Entry,
    Layout,
    read_entries,
    read_header,
)

EXIF_PREFIX = b"Exif\0\0"

NEW_SUBFILE_TYPE, ORIENTATION, X_RESOLUTION, Y_RESOLUTION = 254, 274, 282, 283
RESOLUTION_UNIT, DNG_VERSION = 296, 50706
BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262
"""TIFF 6.0 and DNG tag numbers; EXIF uses the same."""

_INCHES_PER_UNIT = {2: 1.0, 3: 1 / 2.54}
_METRES_PER_INCH = 0.0254
_MAX_DPI = 100_000


@dataclass(frozen=True, slots=True)
class Tag:
    """One entry of a TIFF or EXIF directory."""

    kind: int
    at: int
    """Offset of the value in the stream."""

    value: float | None
    """The first value; None for kinds that are no number, and for what is not there."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a PNG file."""

    kind: bytes
    at: int
    """Offset of the chunk's data in the stream."""

    length: int


def read_tags(stream: BinaryIO, *, start: int = 0) -> dict[int, Tag]:
    """Read the first directory of a TIFF file, a BigTIFF file or an EXIF block.

    Args:
        stream: The file; it is left at another place.
        start: Where the TIFF header begins.

    Returns:
        The tags by number; what can not be read is left out, so a damaged block gives fewer.
    """
    header = read_header(stream, start=start)
    if header is None:
        return {}
    layout, offset = header
    entries, _ = read_entries(stream, layout, offset=offset, start=start)
    # Of a number that is there twice the first counts, as for libtiff.
    first = {entry.number: entry for entry in reversed(entries)}
    return {number: _tag(stream, layout, entry, start) for number, entry in first.items()}


def _tag(stream: BinaryIO, layout: Layout, entry: Entry, start: int) -> Tag:
    code = {**CODES, RATIONAL: "II"}.get(entry.kind)
    if code is None:
        return Tag(entry.kind, entry.at, None)
    numbers = struct.Struct(layout.order + code)
    at, data = entry.at, entry.field
    if numbers.size * entry.count > len(data):
        at = start + layout.offset.unpack(data)[0]
        data = _read_at(stream, at, numbers.size)
    if len(data) < numbers.size:
        return Tag(entry.kind, at, None)
    value, *below = numbers.unpack_from(data)
    if not below:
        return Tag(entry.kind, at, value)
    return Tag(entry.kind, at, value / below[0] if below[0] else None)


def _read_at(stream: BinaryIO, at: int, length: int) -> bytes:
    try:
        stream.seek(at)
        return stream.read(length)
    except (OSError, OverflowError, ValueError):  # far behind any end
        return b""


def stated_dpi(stream: BinaryIO, name: str, exif: bytes | None) -> tuple[float, float] | None:
    """Find the resolution that a file states; libvips gives 25.4 or 72 dpi where it states none.

    Args:
        stream: The file.
        name: Its format, such as "png".
        exif: Its EXIF block, asked where the format itself says nothing.

    Returns:
        Dots per inch across and down, or None.
    """
    dpi = None
    if name == "jpeg":
        dpi = _jfif_dpi(stream)
    elif name == "png":
        dpi = _png_dpi(stream)
    elif name == "tiff":
        dpi = _tag_dpi(read_tags(stream))
    if dpi is None and exif is not None:
        dpi = _tag_dpi(read_tags(io.BytesIO(exif.removeprefix(EXIF_PREFIX))))
    dpi = believable_dpi(dpi)
    if dpi is None:
        return None
    # PNG counts in whole pixels per metre, so that 150 comes back as 150.0124.
    digits = 1 if name == "png" else 2
    return round(dpi[0], digits), round(dpi[1], digits)


def believable_dpi(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """Take a resolution that makes no sense, such as 0, for one that is not known."""
    is_believable = dpi is not None and all(0.1 <= value <= _MAX_DPI for value in dpi)
    return dpi if is_believable else None


def _tag_dpi(tags: dict[int, Tag]) -> tuple[float, float] | None:
    across, down = (tags.get(number) for number in (X_RESOLUTION, Y_RESOLUTION))
    unit = tags.get(RESOLUTION_UNIT)
    inches = _INCHES_PER_UNIT.get(2 if unit is None else int(unit.value or 0))
    if across is None or down is None or not across.value or not down.value or inches is None:
        return None
    return across.value / inches, down.value / inches


def _jfif_dpi(stream: BinaryIO) -> tuple[float, float] | None:
    stream.seek(0)
    head = stream.read(18)
    if len(head) < 18 or head[2:4] != b"\xff\xe0" or head[6:11] != b"JFIF\0":
        return None
    unit, across, down = struct.unpack(">BHH", head[13:18])
    inches = {1: 1.0, 2: 1 / 2.54}.get(unit)
    return None if inches is None else (across / inches, down / inches)


def _png_dpi(stream: BinaryIO) -> tuple[float, float] | None:
    for chunk in png_chunks(stream):
        if chunk.kind == b"pHYs" and chunk.length == 9:
            stream.seek(chunk.at)
            across, down, unit = struct.unpack(">IIB", stream.read(9))
            return (across * _METRES_PER_INCH, down * _METRES_PER_INCH) if unit == 1 else None
        if chunk.kind == b"IDAT":
            return None
    return None


def png_chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """Walk over the chunks of a PNG file without reading what is in them.

    Args:
        stream: The file; it may be moved between two chunks.

    Yields:
        The chunks that lie whole in the file, up to "IEND", without which it is cut short.
        What lies behind that is nothing of the picture's.
    """
    end = stream.seek(0, io.SEEK_END)
    at = 8
    while at + 12 <= end:
        stream.seek(at)
        length, kind = struct.unpack(">I4s", stream.read(8))
        if at + 12 + length > end:
            return
        yield Chunk(kind, at + 8, length)
        if kind == b"IEND":
            return
        at += 12 + length


def correct_dpi(stream: BinaryIO, name: str, dpi: tuple[float, float] | None) -> None:
    """Correct the resolution that libvips wrote into a PNG or TIFF file.

    It rounds PNG's whole pixels per metre down, and where none is known it states one all the
    same. Nothing moves: an unknown resolution is one without a unit.

    Args:
        stream: The file that was just written, open for reading and writing.
        name: Its format; others than "png" and "tiff" are left alone.
        dpi: Dots per inch across and down; None where they are not known.
    """
    if name == "tiff" and dpi is None:
        tag = read_tags(stream).get(RESOLUTION_UNIT)
        if tag is not None:
            stream.seek(0)
            order = "<" if stream.read(2) == b"II" else ">"
            stream.seek(tag.at)
            stream.write(struct.pack(order + "H", 1))
    elif name == "png":
        place = next((chunk for chunk in png_chunks(stream) if chunk.kind == b"pHYs"), None)
        if place is not None:
            across, down = (round(n / _METRES_PER_INCH) for n in dpi) if dpi else (1, 1)
            data = b"pHYs" + struct.pack(">IIB", across, down, dpi is not None)
            stream.seek(place.at - 4)
            stream.write(data + struct.pack(">I", zlib.crc32(data)))


def icc_channels(icc: bytes) -> int | None:
    """Say for how many colour channels a profile is: 1 for grey, 3 for RGB, else None."""
    return {b"GRAY": 1, b"RGB ": 3}.get(icc[16:20])
