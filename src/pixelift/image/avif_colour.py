"""What an AVIF file states of its colours beside a profile: numbers of H.273, in a box nclx."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from pixelift.image import h273

_MOST_BYTES = 1 << 24
"""A longer list of what is in the file is not read."""


def stated_colours(stream: BinaryIO) -> tuple[int, int] | None:
    """Find the colours of the picture that a file is first of all.

    Args:
        stream: The file; it is left at another place.

    Returns:
        Numbers of the primaries and of the curve; None where the file does not state both. Where
        it is not said which numbers are this picture's, the first ones are.
    """
    found = dict(_boxes(_meta(stream)[4:]))
    parts = dict(_boxes(found.get(b"iprp", b"")))
    properties = [*_boxes(parts.get(b"ipco", b""))]
    own = _properties_of(_primary(found.get(b"pitm", b"")), parts.get(b"ipma", b""))
    chosen = [properties[n - 1] for n in own if 0 < n <= len(properties)] or properties
    for kind, data in chosen:
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 8:
            primaries, transfer = struct.unpack_from(">HH", data, 4)
            return None if h273.UNSPECIFIED in (primaries, transfer) else (primaries, transfer)
    return None


def _meta(stream: BinaryIO) -> bytes:
    """Read the box that says what is in the file; it stands among the first."""
    end = stream.seek(0, io.SEEK_END)
    at = 0
    while at + 16 <= end:
        stream.seek(at)
        length, kind, long = struct.unpack(">I4sQ", stream.read(16))
        head = 16 if length == 1 else 8
        length = {0: end - at, 1: long}.get(length, length)
        if length < head:
            break
        if kind == b"meta":
            stream.seek(at + head)
            return stream.read(min(length - head, _MOST_BYTES))
        at += length
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        length = length or len(data) - at
        if length < 8:
            return
        yield kind, data[at + 8 : at + length]
        at += length


def _primary(data: bytes) -> int:
    return int.from_bytes(data[4:8] if data[:1] == b"\1" else data[4:6], "big")


def _properties_of(item: int, data: bytes) -> list[int]:
    """Read which properties an item has, by their places, the first of which is 1."""
    if len(data) < 8:
        return []
    is_long, is_wide = data[0] >= 1, data[3] & 1
    (count,) = struct.unpack_from(">I", data, 4)
    at, width = 8, 2 if is_wide else 1
    for _ in range(min(count, len(data))):
        end = at + (4 if is_long else 2)
        if end >= len(data):
            break
        number, many = int.from_bytes(data[at:end], "big"), data[end]
        at = end + 1 + many * width
        if number == item:
            places = data[end + 1 : at]
            mask = 0x7FFF if is_wide else 0x7F
            steps = range(0, len(places) - width + 1, width)
            return [int.from_bytes(places[n : n + width], "big") & mask for n in steps]
    return []
