"""The directories of a TIFF file or an EXIF block: taken apart, and laid out anew.

Both byte orders, and BigTIFF with its 64-bit offsets. Files are not trusted: what leads out of the
file, or is longer than anything of its kind, is left out.
"""

import io
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import BinaryIO

SHORT, LONG, RATIONAL, LONG8 = 3, 4, 5, 16

WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 129: 1}
"""Bytes of the numbers of each kind that EXIF knows; a rational has two of them."""

CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""Kinds that are one whole number each, as `struct` calls them: a file may use any of them."""

_REALS = {11: "f", 12: "d"}
_RATIONALS = (RATIONAL, 10)
_MAX_ENTRIES = 4096
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """How the numbers of a file lie in its bytes."""

    order: str
    """ "<" or ">" of `struct`."""

    is_big: bool
    """Whether it is BigTIFF."""

    @property
    def count(self) -> struct.Struct:
        """How many entries a directory has."""
        return struct.Struct(self.order + ("Q" if self.is_big else "H"))

    @property
    def entry(self) -> struct.Struct:
        """An entry: number, kind, count, and the value or, where it is too long, its offset."""
        return struct.Struct(self.order + ("HHQ8s" if self.is_big else "HHI4s"))

    @property
    def offset(self) -> struct.Struct:
        """A place in the file."""
        return struct.Struct(self.order + ("Q" if self.is_big else "I"))

    @property
    def pointer_at(self) -> int:
        """Where the header says where the first directory is."""
        return 8 if self.is_big else 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory, as it lies there."""

    number: int
    kind: int
    count: int
    field: bytes
    """The value, or its offset."""

    at: int
    """Offset of that field in the stream."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one of the kinds in `WIDTHS`."""

    kind: int
    data: bytes
    """Its numbers in the byte order of the layout that they were read with."""

    def reordered(self, old: Layout, new: Layout) -> "Value":
        """Bring the value to the byte order of another layout."""
        width = WIDTHS[self.kind]
        if old.order == new.order or width == 1:
            return self
        parts = (self.data[at : at + width][::-1] for at in range(0, len(self.data), width))
        return Value(self.kind, b"".join(parts))


@dataclass(slots=True)
class Directory:
    """Values by their number, and further directories by that of the tag that leads there."""

    values: dict[int, Value] = field(default_factory=dict)
    inner: "dict[int, Directory]" = field(default_factory=dict)

    def reordered(self, old: Layout, new: Layout) -> "Directory":
        """Bring all values to the byte order of another layout."""
        return Directory(
            {number: value.reordered(old, new) for number, value in self.values.items()},
            {number: inner.reordered(old, new) for number, inner in self.inner.items()},
        )


def read_header(stream: BinaryIO, *, start: int = 0) -> tuple[Layout, int] | None:
    """Read how a file is laid out and where its first directory is.

    Args:
        stream: The file; it is left at another place.
        start: Where the TIFF header begins; offsets count from here.

    Returns:
        The layout and the offset of the first directory; None where it is no TIFF.
    """
    stream.seek(start)
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        return None
    layout = Layout(order, is_big=struct.unpack(order + "H", head[2:4])[0] == 43)
    place = head[layout.pointer_at :][: layout.offset.size]
    return (layout, layout.offset.unpack(place)[0]) if len(place) == layout.offset.size else None


def read_entries(
    stream: BinaryIO, layout: Layout, *, offset: int, start: int = 0
) -> tuple[list[Entry], int]:
    """Read the entries of a directory.

    Args:
        stream: The file; it is left at another place.
        layout: How it is laid out.
        offset: Where the directory is, counted from `start`.
        start: Where the TIFF header begins.

    Returns:
        The entries that are there whole, and the offset of the next directory, 0 for none.
    """
    try:
        stream.seek(start + offset)
        (count,) = layout.count.unpack(stream.read(layout.count.size))
        size = layout.entry.size
        table = stream.read(size * min(count, _MAX_ENTRIES))
        behind = stream.read(layout.offset.size)
    except (struct.error, OSError, OverflowError, ValueError):
        return [], 0
    entries = []
    for index in range(len(table) // size):
        number, kind, length, value = layout.entry.unpack_from(table, index * size)
        at = start + offset + layout.count.size + (index + 1) * size - len(value)
        entries.append(Entry(number, kind, length, value, at))
    is_whole = len(behind) == layout.offset.size and count <= _MAX_ENTRIES
    return entries, int(layout.offset.unpack(behind)[0]) if is_whole else 0


def read_value(
    stream: BinaryIO, layout: Layout, entry: Entry, *, most: int, start: int = 0
) -> Value | None:
    """Read the value of an entry.

    Args:
        stream: The file; it is left at another place.
        layout: How it is laid out.
        entry: The entry.
        most: Bytes above which a value is not read.
        start: Where the TIFF header begins.

    Returns:
        The value; None where it is longer, is of another kind than EXIF knows, or is not there.
    """
    width = WIDTHS.get(entry.kind, 0) * (2 if entry.kind in _RATIONALS else 1)
    length = width * entry.count
    if not 0 < length <= most:
        return None
    data = entry.field[:length]
    if length > len(entry.field):
        try:
            stream.seek(start + layout.offset.unpack(entry.field)[0])
            data = stream.read(length)
        except (OSError, OverflowError, ValueError):
            return None
    return Value(entry.kind, data) if len(data) == length else None


def read_numbers(stream: BinaryIO, number: int, *, most: int = 64) -> tuple[float, ...]:
    """Read all numbers of a tag of the first directory of a TIFF file.

    Args:
        stream: The file; it is left at another place.
        number: The tag.
        most: Numbers above which none is read.

    Returns:
        The numbers; none where the tag is not there, or holds no numbers. Of a tag that is there
        twice the first counts, as for libtiff. A rational over 0 is 0.
    """
    header = read_header(stream)
    if header is None:
        return ()
    layout, offset = header
    entries, _ = read_entries(stream, layout, offset=offset)
    entry = next((entry for entry in entries if entry.number == number), None)
    if entry is None or entry.count > most:
        return ()
    code = {5: "II", 10: "ii"}.get(entry.kind) or {**CODES, **_REALS}.get(entry.kind)
    if code is None:
        return ()
    numbers = struct.Struct(layout.order + code * entry.count)
    data = entry.field
    if numbers.size > len(data):
        try:
            stream.seek(layout.offset.unpack(data)[0])
            data = stream.read(numbers.size)
        except (OSError, OverflowError, ValueError):
            return ()
    if len(data) < numbers.size:
        return ()
    found = numbers.unpack_from(data)
    if entry.kind in _RATIONALS:
        pairs = zip(found[::2], found[1::2], strict=True)
        return tuple(above / below if below else 0.0 for above, below in pairs)
    return found


def lay_out(
    directory: Directory,
    layout: Layout,
    *,
    at: int,
    kept: Collection[Entry] = (),
    following: int = 0,
) -> bytes:
    """Make the bytes of a directory, of its values and of all directories in it.

    Args:
        directory: What it holds, in the byte order of the layout.
        layout: How the file is laid out.
        at: Offset at which the bytes will lie, a multiple of 8.
        kept: Entries of an earlier directory of this file that stay as they are: their values
            lie where they lay. What `directory` holds under the same number takes their place.
        following: Offset of the next directory; 0 for none.

    Returns:
        The bytes, a multiple of 8 of them.

    Raises:
        struct.error: An offset is too large for the layout.
    """
    records: dict[int, tuple[int, int, bytes]] = {
        entry.number: (entry.kind, entry.count, entry.field) for entry in kept
    }
    numbers = sorted({*records, *directory.values, *directory.inner})
    table = layout.count.size + layout.entry.size * len(numbers) + layout.offset.size
    behind = io.BytesIO()
    end = at + table + -table % _ALIGNMENT

    def place(data: bytes) -> bytes:
        offset = end + behind.tell()
        behind.write(data + bytes(-len(data) % _ALIGNMENT))
        return layout.offset.pack(offset)

    for number, value in directory.values.items():
        data = value.data
        width = WIDTHS[value.kind] * (2 if value.kind in _RATIONALS else 1)
        is_short = len(data) <= layout.offset.size
        records[number] = (value.kind, len(data) // width, data if is_short else place(data))
    for number, inner in directory.inner.items():
        laid = lay_out(inner, layout, at=end + behind.tell())
        records[number] = (LONG8 if layout.is_big else LONG, 1, place(laid))
    head = layout.count.pack(len(numbers))
    head += b"".join(layout.entry.pack(number, *records[number]) for number in numbers)
    head += layout.offset.pack(following)
    return head + bytes(-len(head) % _ALIGNMENT) + behind.getvalue()
