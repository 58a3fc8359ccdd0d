"""One picture from a pipe to a pipe."""

import errno
from typing import BinaryIO

from pixelift.errors import ImageReadError, ImageWriteError
from pixelift.image.encode import sample_type
from pixelift.image.formats import FORMATS
from pixelift.image.read_rows import open_rows
from pixelift.image.write import encode_rows
from pixelift.infer.upscaler import Upscaler

MAX_BYTES = 1 << 30
"""Largest file that is taken from a pipe, whose length nobody knows beforehand."""

USAGE = "Write: pixelift upscale - < small.png > large.png"


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
        ImageReadError: The bytes are no picture, or too many, or none can be read.
        ImageWriteError: The format can not hold the result, or nothing can be written.
        BrokenPipeError: Whoever was to read the result has gone.
    """
    try:
        data = source.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageReadError(
            f"cannot read the picture from stdin: {_reason(error)}. {USAGE}"
        ) from error
    if len(data) > MAX_BYTES:
        raise ImageReadError(
            f"the picture on stdin has more than {MAX_BYTES >> 20} MiB. Save it to a file first"
        )
    upscaler, _ = upscaler.choose(data, max_pixels=max_pixels)
    with open_rows(data, max_pixels=max_pixels) as rows:
        own = FORMATS[rows.header.format or "png"]
        fmt = FORMATS[format] if format else own if own.depths else FORMATS["png"]
        sr = upscaler.rows(rows, dtype=sample_type(rows.header, fmt))
        result = encode_rows(sr, fmt.name, quality=quality)
    try:
        target.write(result)
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ImageWriteError(
            f"cannot write the result to stdout: {_reason(error)}. {USAGE}"
        ) from error


def _reason(error: OSError) -> str:
    return "it is closed" if error.errno == errno.EBADF else (error.strerror or str(error))
