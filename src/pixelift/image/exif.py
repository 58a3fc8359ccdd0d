"""What an EXIF block may still say of a picture: upright, of another size, without a thumbnail.

The block is corrected where it lies and nothing in it moves, since notes of a camera's maker may
count from its beginning; only one that is too long for a file is laid out anew.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from pixelift.image.geometry import Size
from pixelift.image.metadata import EXIF_PREFIX, ORIENTATION, read_tags
from pixelift.image.tiff_exif import EXIF, GPS, INTEROPERABILITY, MOST_BYTES, shortened
from pixelift.image.tiff_tags import (
    CODES,
    LONG,
    SHORT,
    Entry,
    Layout,
    read_entries,
    read_header,
)

_FIRST = 0
_SIZES = {(_FIRST, 256): 1, (_FIRST, 257): 0, (EXIF, 40962): 1, (EXIF, 40963): 0} | {
    (INTEROPERABILITY, 4097): 1,
    (INTEROPERABILITY, 4098): 0,
}
"""Where a width or a height is stated: 1 or 0."""

_IN_PIXELS = (37396, 41492, 41486, 41487, 41488)
"""What counts in pixels of the picture as it was: where the subject is, and how dense they were."""

Change = Callable[[int, Entry, Layout], Entry | None]
"""What becomes of an entry of the directory that a tag leads to, 0 for the first: None drops it."""


def upright_exif(exif: bytes) -> bytes:
    """Make EXIF say that its picture stands upright, and leave its thumbnail out.

    The orientation becomes 1 in every directory, of whatever type it was and however often it is
    there. The thumbnail shows the picture as it lay. All other bytes stay as they are.

    Args:
        exif: The block, with or without the "Exif" prefix of JPEG.

    Returns:
        The block with the prefix; one that can not be read is only given the prefix.
    """
    found: set[int] = set()

    def change(directory: int, entry: Entry, layout: Layout) -> Entry | None:
        if entry.number != ORIENTATION:
            return entry
        if directory in found:
            return None
        found.add(directory)
        return _of_number(entry, layout, SHORT, 1)

    return _changed(exif, change)


def orientation_of(exif: bytes) -> int | None:
    """Read how a picture lies.

    Args:
        exif: The block, with or without the prefix.

    Returns:
        1 to 8, 1 where the block does not say; None for what is no EXIF.
    """
    block = io.BytesIO(exif.removeprefix(EXIF_PREFIX))
    if read_header(block) is None:
        return None
    tag = read_tags(block).get(ORIENTATION)
    stated = 1 if tag is None or tag.value is None else int(tag.value)
    return stated if 1 <= stated <= 8 else 1


def fitting_exif(exif: bytes, size: Size) -> bytes:
    """Make EXIF fit the file that a picture is written into.

    Args:
        exif: The block, with or without the prefix.
        size: Size of the picture.

    Returns:
        The block with the prefix: upright, with that size wherever it states one, without what
        counts in the pixels of another one, and without its longest values where it is too long.
    """
    stated: list[bool] = []

    def set_size(directory: int, entry: Entry, layout: Layout) -> Entry | None:
        side = _SIZES.get((directory, entry.number))
        if side is None:
            return entry
        true = (size.height, size.width)[side]
        stated.append(_number(entry, layout) == true)
        return _of_number(entry, layout, LONG, true)

    def drop(directory: int, entry: Entry, _: Layout) -> Entry | None:
        return None if directory == EXIF and entry.number in _IN_PIXELS else entry

    exif = _changed(upright_exif(exif), set_size)
    if not all(stated):
        exif = _changed(exif, drop)
    return shortened(exif, MOST_BYTES) if len(exif) > MOST_BYTES else exif


def _changed(exif: bytes, change: Change) -> bytes:
    block = bytearray(exif.removeprefix(EXIF_PREFIX))
    header = read_header(io.BytesIO(block))
    if header is None:
        return EXIF_PREFIX + bytes(block)
    layout, first = header
    for name, offset, entries, following in _tables(bytes(block), layout, first):
        changed = (change(name, entry, layout) for entry in entries)
        kept = [entry for entry in changed if entry is not None]
        if kept != entries or following:
            _write(block, layout, offset, kept, freed=len(entries) - len(kept))
    return EXIF_PREFIX + bytes(block)


def _tables(
    block: bytes, layout: Layout, first: int
) -> Iterator[tuple[int, int, list[Entry], int]]:
    """Find the first directory and those that it leads to, each once."""
    stream = io.BytesIO(block)
    waiting, seen = [(_FIRST, first)], set()
    while waiting:
        name, offset = waiting.pop()
        if offset in seen:
            continue
        seen.add(offset)
        entries, following = read_entries(stream, layout, offset=offset)
        yield name, offset, entries, following
        for entry in entries:
            if entry.number in (EXIF, GPS, INTEROPERABILITY):
                place = _number(entry, layout)
                if place is not None:
                    waiting.append((entry.number, place))


def _write(
    block: bytearray, layout: Layout, offset: int, entries: list[Entry], *, freed: int
) -> None:
    """Put a directory back into its place; no other follows it."""
    table = layout.count.pack(len(entries))
    table += b"".join(layout.entry.pack(e.number, e.kind, e.count, e.field) for e in entries)
    table += bytes(layout.offset.size + freed * layout.entry.size)
    end = min(len(block), offset + len(table))
    block[offset:end] = table[: end - offset]


def _number(entry: Entry, layout: Layout) -> int | None:
    code = CODES.get(entry.kind)
    if code is None or entry.count != 1 or struct.calcsize(code) > len(entry.field):
        return None
    return int(struct.unpack_from(layout.order + code, entry.field)[0])


def _of_number(entry: Entry, layout: Layout, kind: int, number: int) -> Entry:
    field = struct.pack(layout.order + CODES[kind], number)
    return replace(entry, kind=kind, count=1, field=field.ljust(layout.offset.size, b"\0"))
