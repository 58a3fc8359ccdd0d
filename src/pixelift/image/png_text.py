"""The texts of a PNG file: titles, prompts, copyright; carried along chunk by chunk as they lie."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

from pixelift.image.metadata import png_chunks
from pixelift.image.png_blocks import RAW, TEXTS, XMP, raw_iptc

MOST_BYTES = 1 << 24
"""Of texts beyond these, all together, nothing is carried along."""

_AFTER_HEADER = 33
_BLOCK = 1 << 20


def read_texts(stream: BinaryIO) -> tuple[bytes, ...]:
    """Read the texts of a PNG file.

    Args:
        stream: The file; it is left at another place.

    Returns:
        Kind and data of each chunk, nothing in it unpacked; XMP and what `png_blocks` reads are
        none of them.
    """
    texts, left = [], MOST_BYTES
    for chunk in png_chunks(stream):
        if chunk.kind not in TEXTS or chunk.length > left:
            continue
        stream.seek(chunk.at)
        data = stream.read(chunk.length)
        keyword = data.partition(b"\0")[0]
        if 1 <= len(keyword) <= 79 and keyword != XMP and not keyword.startswith(RAW):
            texts.append(chunk.kind + data)
            left -= chunk.length
    return tuple(texts)


def add_texts(
    stream: BinaryIO,
    texts: Iterable[bytes],
    *,
    xmp: bytes | None = None,
    iptc: bytes | None = None,
) -> None:
    """Add texts to a PNG file that was just written, before its pixels, where all programs look.

    Args:
        stream: The file, open for reading and writing.
        texts: What `read_texts` returned.
        xmp: An XMP packet, which PNG holds as a text too.
        iptc: IPTC, which it holds as a text of digits.

    Raises:
        OSError: There is no space.
    """
    chunks = [*texts]
    if xmp:
        # By XMP's own rule: not compressed, no language.
        chunks.insert(0, b"iTXt" + XMP + bytes(5) + xmp)
    if iptc:
        chunks.insert(0, raw_iptc(iptc))
    data = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )
    if data:
        _insert(stream, _AFTER_HEADER, data)


def _insert(stream: BinaryIO, at: int, data: bytes) -> None:
    """Put bytes into a file; what lies behind moves on, the last of it first."""
    end = stream.seek(0, io.SEEK_END)
    while end > at:
        start = max(at, end - _BLOCK)
        stream.seek(start)
        block = stream.read(end - start)
        stream.seek(start + len(data))
        stream.write(block)
        end = start
    stream.seek(at)
    stream.write(data)
