"""Rows that come into being one after the other, given to libvips as an endless-patience file.

libvips encodes what it can pull: a file or an array. Rows that Python makes are neither, and its
library has no way to push them. So libvips is given a TIFF file without compression that does not
exist: its beginning is made from the size, and every read further on waits for the rows that it
asks for. They are asked for once and in order, since the picture is opened for that.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyvips

from pixelift.image.geometry import Size
from pixelift.image.rows import Samples
from pixelift.image.vips import operate

_STRIP_BYTES = 1 << 20
_SHORT, _LONG, _LONG8 = 3, 4, 16
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}
_UNSIGNED, _FLOAT = 1, 3
_ENTRY = struct.Struct("<HHQ8s")
_HEADER_BYTES = 16


class RawTiff:
    """A file that libvips reads; what it holds is asked for when it is read."""

    def __init__(
        self, size: Size, *, bands: int, dtype: np.dtype[Any], ask: Callable[[], Samples | None]
    ) -> None:
        """Say what kind of rows will come.

        Args:
            size: Size of the picture in pixels.
            bands: Channels of a pixel, with alpha.
            dtype: uint8, uint16 or float32.
            ask: Hands out the next rows, (h, W, bands) of that type; None when no more will come,
                which libvips takes for a file that is cut short.
        """
        self._head, self._length = _beginning(size, bands, dtype)
        self._ask = ask
        self._at = 0
        self._data = memoryview(b"")
        self._data_start = len(self._head)
        # libvips calls back through this object and does not keep it alive: whoever opens the file
        # holds on to the RawTiff until the picture is done.
        self._source = pyvips.SourceCustom()
        self._source.on_read(self._read)
        self._source.on_seek(self._seek)

    def open(self) -> pyvips.Image:
        """Open the file in libvips.

        Returns:
            The picture, to be read once from top to bottom, while the RawTiff is held on to.
        """
        return operate("tiffload_source", self._source, access="sequential", fail_on="error")

    def _seek(self, offset: int, whence: int) -> int:
        self._at = (0, self._at, self._length)[whence] + offset
        return self._at

    def _read(self, length: int) -> bytes:
        length = min(length, self._length - self._at)
        if self._at < len(self._head):
            part = self._head[self._at : self._at + length]
            self._at += len(part)
            return part
        parts: list[bytes] = []
        while length > 0:
            offset = self._at - self._data_start
            # Behind what has passed by there is nothing: libvips gets the end of the file.
            if offset < 0 or (offset >= len(self._data) and not self._next()):
                break
            # Bytes, since a view would keep all of these rows in memory.
            parts.append(bytes(self._data[self._at - self._data_start :][:length]))
            self._at += len(parts[-1])
            length -= len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next(self) -> bool:
        # Let go of first: while the next rows are made, nobody needs the memory of these.
        self._data_start += len(self._data)
        self._data = memoryview(b"")
        samples = self._ask()
        if samples is None:
            return False
        self._data = np.ascontiguousarray(samples).data.cast("B")
        return True


def _beginning(size: Size, bands: int, dtype: np.dtype[Any]) -> tuple[bytes, int]:
    """Make all that stands before the pixels of a BigTIFF file, and the length of the whole."""
    row_bytes = size.width * bands * dtype.itemsize
    strip_rows = max(1, min(size.height, _STRIP_BYTES // row_bytes))
    tops = range(0, size.height, strip_rows)
    counts = [min(strip_rows, size.height - top) * row_bytes for top in tops]
    tags: list[tuple[int, int, list[int]]] = [
        (256, _LONG, [size.width]),
        (257, _LONG, [size.height]),
        (258, _SHORT, [8 * dtype.itemsize] * bands),
        (259, _SHORT, [1]),  # no compression
        (262, _SHORT, [1 if bands < 3 else 2]),  # grey or RGB
        (273, _LONG8, [0] * len(counts)),  # where each strip begins: known when all else is
        (277, _SHORT, [bands]),
        (278, _LONG, [strip_rows]),
        (279, _LONG8, counts),
        (284, _SHORT, [1]),  # channels side by side
        *([(338, _SHORT, [2])] if bands in (2, 4) else []),  # straight alpha
        (339, _SHORT, [_FLOAT if dtype.kind == "f" else _UNSIGNED] * bands),
    ]
    after = _HEADER_BYTES + 8 + _ENTRY.size * len(tags) + 8
    start = after + sum(len(data) for tag in tags if len(data := _packed(tag)) > 8)
    start += -start % 16
    offsets = np.cumsum([start, *counts])
    entries, behind = b"", b""
    for number, kind, values in tags:
        filled = [int(n) for n in offsets[:-1]] if number == 273 else values
        data = _packed((number, kind, filled))
        place = data.ljust(8, b"\0") if len(data) <= 8 else struct.pack("<Q", after + len(behind))
        behind += data if len(data) > 8 else b""
        entries += _ENTRY.pack(number, kind, len(filled), place)
    head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, _HEADER_BYTES)
    head += struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", 0) + behind
    return head.ljust(start, b"\0"), int(offsets[-1])


def _packed(tag: tuple[int, int, list[int]]) -> bytes:
    _, kind, values = tag
    return struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
