"""EXIF, XMP and IPTC of a PNG file, wherever they stand in it and whatever they are packed into.

libvips looks before the pixels only. But PNG allows them behind, where exiftool puts what it adds;
and before there was a place for EXIF, ImageMagick wrote it as a text of hexadecimal digits, as it
does with IPTC to this day.
"""

import zlib
from typing import BinaryIO

from pixelift.image import iptc as iptc_room
from pixelift.image.exif import orientation_of
from pixelift.image.metadata import EXIF_PREFIX, png_chunks
from pixelift.image.xmp import MOST_BYTES

TEXTS = (b"tEXt", b"zTXt", b"iTXt")
"""Kinds of chunks that hold texts."""

XMP = b"XML:com.adobe.xmp"
"""Keyword of the text that is XMP."""

RAW = b"Raw profile type "
"""What the keywords of texts begin with that are blocks in digits."""

_RAW_NAMES = {
    b"exif": "exif-data",
    b"APP1": "exif-data",
    b"xmp": "xmp-data",
    b"iptc": "iptc-data",
    b"8bim": "iptc-data",
}
_DIGITS_A_LINE = 72


def read_blocks(stream: BinaryIO) -> dict[str, bytes]:
    """Read all blocks of a PNG file.

    Args:
        stream: The file; it is left at another place.

    Returns:
        EXIF, XMP and IPTC, by the names that libvips has for them. What has a chunk of its own
        counts more than what is written in digits, and the first more than a second.
    """
    own: dict[str, bytes] = {}
    in_digits: dict[str, bytes] = {}
    for chunk in png_chunks(stream):
        if chunk.kind not in (b"eXIf", *TEXTS) or chunk.length > MOST_BYTES:
            continue
        stream.seek(chunk.at)
        data = stream.read(chunk.length)
        keyword = data.partition(b"\0")[0]
        if chunk.kind == b"eXIf":
            own.setdefault("exif-data", data)
        elif keyword == XMP:
            own.setdefault("xmp-data", _text(chunk.kind, data))
        elif keyword.startswith(RAW):
            name = _RAW_NAMES.get(keyword.removeprefix(RAW))
            block = _from_digits(_text(chunk.kind, data)) if name else b""
            if name and not (name == "exif-data" and orientation_of(block) is None):
                in_digits.setdefault(name, block)
    return {name: block for name, block in (in_digits | own).items() if block}


def raw_iptc(iptc: bytes) -> bytes:
    """Make the text by which a PNG file holds IPTC.

    Args:
        iptc: IPTC without any wrapping.

    Returns:
        Kind and data of the chunk.
    """
    block = iptc_room.wrapped(iptc).removeprefix(iptc_room.MARK)
    digits = block.hex().encode()
    lines = [digits[at : at + _DIGITS_A_LINE] for at in range(0, len(digits), _DIGITS_A_LINE)]
    text = b"\niptc\n%8d\n" % len(block) + b"\n".join(lines) + b"\n"
    return b"zTXt" + RAW + b"iptc\0\0" + zlib.compress(text)


def _text(kind: bytes, data: bytes) -> bytes:
    """Take the text of a chunk; nothing where it is damaged or unpacks to more than a block has."""
    text = data.partition(b"\0")[2]
    is_packed = kind == b"zTXt"
    if kind == b"iTXt":
        is_packed = text[:1] == b"\1"
        # A flag, a method, a language, and the keyword in it.
        text = text[2:].split(b"\0", 2)[-1]
    elif is_packed:
        text = text[1:]
    if not is_packed:
        return text
    try:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(text, 2 * MOST_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else unpacked


def _from_digits(text: bytes) -> bytes:
    """Read what ImageMagick writes: a line with a name, one with a length, and digits."""
    parts = text.lstrip(b"\n").split(b"\n", 2)
    try:
        block = bytes.fromhex(parts[2].decode("ascii"))
    except (IndexError, ValueError):
        return b""
    return block.removeprefix(b"http://ns.adobe.com/xap/1.0/\0").removeprefix(EXIF_PREFIX)
