"""One picture from a pipe to a pipe."""

from typing import BinaryIO

from pixelift.errors import ImageReadError
from pixelift.image.encode import sample_type
from pixelift.image.formats import FORMATS
from pixelift.image.read_rows import open_rows
from pixelift.image.write import encode_rows
from pixelift.infer.upscaler import Upscaler

MAX_BYTES = 1 << 30
"""Largest file that is taken from a pipe, whose length nobody knows beforehand."""


def pipe_picture(
    source: BinaryIO,
    target: BinaryIO,
    upscaler: Upscaler,
    *,
    format: str | None,
    quality: int | None,
    max_pixels: int,
) -> None:
    """Make one picture; nothing is written before all of it is made.

    Args:
        source: Where the bytes of the picture come from.
        target: Where those of the result go.
        upscaler: The opened model.
        format: Format of the result; None keeps that of the picture where it can be written.
        quality: Quality for formats that have one.
        max_pixels: A larger picture is refused before any of its pixels is decoded.

    Raises:
        ImageReadError: The bytes are no picture, or too many.
        ImageWriteError: The format can not hold the result.
    """
    data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageReadError(
            f"the picture on stdin has more than {MAX_BYTES >> 20} MiB. Save it to a file first"
        )
    upscaler, _ = upscaler.choose(data, max_pixels=max_pixels)
    with open_rows(data, max_pixels=max_pixels) as rows:
        own = FORMATS[rows.header.format or "png"]
        fmt = FORMATS[format] if format else own if own.depths else FORMATS["png"]
        sr = upscaler.rows(rows, dtype=sample_type(rows.header, fmt))
        target.write(encode_rows(sr, fmt.name, quality=quality))
    target.flush()
