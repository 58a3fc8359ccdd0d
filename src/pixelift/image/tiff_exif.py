"""EXIF of TIFF files, which libvips neither hands out nor writes.

In a TIFF file EXIF is no block: camera and author stand among the tags of the picture itself, and
two directories hold the rest. Reading gathers them into a block as JPEG has it; writing adds them
to a finished file, whose first directory is laid out anew behind everything else. Pixels stay where
they are.
"""

import io
import struct
from typing import BinaryIO

from pixelift.image.metadata import EXIF_PREFIX, ORIENTATION
from pixelift.image.tiff_tags import (
    LONG,
    SHORT,
    Directory,
    Entry,
    Layout,
    Value,
    lay_out,
    read_entries,
    read_header,
    read_value,
)

EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
"""Tags that lead to further directories."""

_INNER = {0: (EXIF, GPS), EXIF: (INTEROPERABILITY,), GPS: (), INTEROPERABILITY: ()}
"""Which tags lead to further directories: of the first one, 0, and of those that it leads to."""

_IPTC, _PHOTOSHOP = 33723, 34377
_UNDEFINED = 7
_DESCRIBING = frozenset(
    {
        *(270, 271, 272, 305, 306, 315, 316, 33432),  # from the caption to the copyright
        *(18246, 18249),  # stars
        *(40091, 40092, 40093, 40094, 40095),  # what Windows calls title, comment and so on
        ORIENTATION,
    }
)
"""Tags of the first directory that say something about the photo; the others are of the file."""

_WIDTH, _HEIGHT = 256, 257
_EXIF_WIDTH, _EXIF_HEIGHT = 40962, 40963

_OF_THE_FILE = (273, 279, 324, 325, 330, 513, 514)
"""Tags of a first directory that lead to pixels or to further pictures, which are not there."""

MOST_BYTES = 60_000
"""What a block may have: JPEG gives 64 KiB to it, and libvips adds a few values."""

# More is read, since the longest values are left out then.
_MOST_READ = 1 << 23
_BYTES_OF_ENTRY = 20
_BYTES_OF_HEADER = 14

_POINTERS = {4: "I", 13: "I", 16: "Q", 18: "Q"}


def read_tiff_exif(stream: BinaryIO) -> bytes | None:
    """Gather what the tags of a TIFF file say about its photo.

    Args:
        stream: The file; it is left at another place.

    Returns:
        EXIF as JPEG holds it, with its prefix; None where the file says nothing.
    """
    header = read_header(stream)
    if header is None:
        return None
    layout, offset = header
    found = _gather(stream, layout, offset)
    if not found.inner and not found.values.keys() - {ORIENTATION}:
        return None
    return _as_block(found, layout, MOST_BYTES)


def shortened(exif: bytes, most: int) -> bytes:
    """Lay a block of EXIF out anew without its longest values.

    Args:
        exif: The block as JPEG holds it.
        most: Bytes that it may have.

    Returns:
        The block with its prefix; one that can not be read holds nothing.
    """
    block = io.BytesIO(exif.removeprefix(EXIF_PREFIX))
    header = read_header(block)
    if header is None:
        return _as_block(Directory(), Layout("<", is_big=False), most)
    return _as_block(_gather(block, *header, is_block=True), header[0], most)


def _as_block(found: Directory, layout: Layout, most: int) -> bytes:
    _shorten(found, most - _BYTES_OF_HEADER)
    small = Layout(layout.order, is_big=False)
    mark = {"<": b"II", ">": b"MM"}[small.order]
    head = mark + struct.pack(small.order + "HI", 42, 8)
    return EXIF_PREFIX + head + lay_out(found, small, at=8)


def _shorten(found: Directory, most: int) -> None:
    """Leave the longest values out, one after the other, until the rest fits."""
    directories = [found]
    for directory in directories:
        directories += directory.inner.values()
    values = [
        (len(value.data), number, directory)
        for directory in directories
        for number, value in directory.values.items()
    ]
    left = sum(length + _BYTES_OF_ENTRY for length, _, _ in values)
    left += _BYTES_OF_ENTRY * len(directories)
    for length, number, directory in sorted(values, key=lambda value: value[0], reverse=True):
        if left <= most:
            return
        del directory.values[number]
        left -= length + _BYTES_OF_ENTRY


def add_exif(stream: BinaryIO, exif: bytes | None, *, iptc: bytes | None = None) -> None:
    """Add EXIF to a TIFF file with one picture that was just written.

    Args:
        stream: The file, open for reading and writing.
        exif: The block as JPEG holds it; one that can not be read adds nothing.
        iptc: IPTC, which TIFF holds in a tag of its own.

    Raises:
        OSError: There is no space.
    """
    block = io.BytesIO((exif or b"").removeprefix(EXIF_PREFIX))
    source, target = read_header(block), read_header(stream)
    if target is None:
        return
    layout, offset = target
    found = Directory()
    if source is not None:
        found = _gather(block, *source)
        _shorten(found, MOST_BYTES)
        found = found.reordered(source[0], layout)
    if iptc:
        found.values[_IPTC] = Value(_UNDEFINED, iptc)
    if not found.inner and not found.values:
        return
    entries, following = read_entries(stream, layout, offset=offset)
    _say_size(found, entries, layout)
    end = stream.seek(0, io.SEEK_END)
    at = end + -end % 8
    laid = lay_out(found, layout, at=at, kept=entries, following=following)
    stream.write(bytes(at - end) + laid)
    # Last of all: until now the file is what it was.
    stream.seek(layout.pointer_at)
    stream.write(layout.offset.pack(at))


def read_tiff_iptc(stream: BinaryIO) -> bytes | None:
    """Take the IPTC of a TIFF file.

    Args:
        stream: The file; it is left at another place.

    Returns:
        IPTC, or the resources of Photoshop that may hold it; None where there is neither.
    """
    header = read_header(stream)
    if header is None:
        return None
    layout, offset = header
    entries = {entry.number: entry for entry in read_entries(stream, layout, offset=offset)[0]}
    for number in (_IPTC, _PHOTOSHOP):
        entry = entries.get(number)
        value = None if entry is None else read_value(stream, layout, entry, most=_MOST_READ)
        if value is not None:
            # Some programs write it as if its letters were numbers of four bytes.
            is_swapped = value.kind == LONG and value.data[3:4] == b"\x1c"
            swapped = value.reordered(Layout("<", is_big=False), Layout(">", is_big=False))
            return swapped.data if is_swapped else value.data
    return None


def _gather(stream: BinaryIO, layout: Layout, offset: int, *, is_block: bool = False) -> Directory:
    """Take what describes the photo, from the first directory and those that it leads to.

    Of a block that is EXIF by itself the whole first directory describes the photo.
    """

    def is_wanted(level: int, number: int) -> bool:
        of_photo = number not in _OF_THE_FILE if is_block else number in _DESCRIBING
        return bool(level) or of_photo

    left = _MOST_READ

    def take(level: int, offset: int) -> Directory:
        nonlocal left
        result = Directory()
        entries = read_entries(stream, layout, offset=offset)[0]
        # Each number once: a file that leads to the same directory a thousand times is a trap.
        for entry in {entry.number: entry for entry in reversed(entries)}.values():
            if entry.number in _INNER[level]:
                place = _pointer(entry, layout)
                inner = take(entry.number, place) if place else Directory()
                if inner.values or inner.inner:
                    result.inner[entry.number] = inner
            elif is_wanted(level, entry.number):
                value = read_value(stream, layout, entry, most=left)
                if value is not None:
                    result.values[entry.number] = value
                    left -= len(value.data)
        return result

    return take(0, offset)


def _pointer(entry: Entry, layout: Layout) -> int | None:
    code = _POINTERS.get(entry.kind)
    if code is None or struct.calcsize(code) > len(entry.field):
        return None
    return int(struct.unpack_from(layout.order + code, entry.field)[0])


def _say_size(found: Directory, entries: list[Entry], layout: Layout) -> None:
    """Set the size that EXIF states, where it states one, to that of the picture."""
    sizes = {entry.number: entry.field for entry in entries if entry.number in (_WIDTH, _HEIGHT)}
    kinds = {entry.number: entry.kind for entry in entries}
    exif = found.inner.get(EXIF, Directory())
    for stated, true in ((_EXIF_WIDTH, _WIDTH), (_EXIF_HEIGHT, _HEIGHT)):
        if stated in exif.values and true in sizes:
            code = layout.order + ("H" if kinds[true] == SHORT else "I")
            (size,) = struct.unpack_from(code, sizes[true])
            exif.values[stated] = Value(LONG, struct.pack(layout.order + "I", size))
