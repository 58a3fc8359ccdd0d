"""Lab of 8 bits in TIFF, of both kinds: libvips refuses one, and takes the other for RGB."""

import errno
import shutil
import struct
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pyvips

from pixelift.errors import ImageReadError
from pixelift.image import metadata
from pixelift.image.source import PictureFile, no_temporary
from pixelift.image.tiff_tags import CODES, read_header
from pixelift.image.vips import operate

_CIE, _ICC = 8, 9
"""Kinds of Lab, by their number in TIFF: a and b are signed, or 128 stands for 0."""


def is_lab8(file: PictureFile) -> bool:
    """Tell whether a file holds Lab with 8 bits a channel.

    Args:
        file: The file.
    """
    bits = file.tags.get(metadata.BITS_PER_SAMPLE)
    return _kind(file) in (_CIE, _ICC) and bits is not None and bits.value == 8


def _kind(file: PictureFile) -> int | None:
    tag = file.tags.get(metadata.PHOTOMETRIC)
    return None if tag is None or tag.value is None else int(tag.value)


@contextmanager
def as_plain_numbers(file: PictureFile) -> Iterator[pyvips.Source]:
    """Let libvips see a copy of a file in which it does not look for colours.

    Args:
        file: The file, of which `is_lab8` is true.

    Yields:
        What libvips opens within the context; it may be read long after.

    Raises:
        ImageReadError: There is no room for the copy.
    """
    # As libvips leaves ICC's Lab alone, both are called that. A copy, since nobody writes to an
    # input; in a file without a name, since it may be large.
    tag = file.tags[metadata.PHOTOMETRIC]
    header = read_header(file.stream)
    order = "<" if header is None else header[0].order
    with ExitStack() as stack:
        file.stream.seek(0)
        try:
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file.stream, copy)
            copy.seek(tag.at)
            copy.write(struct.pack(order + CODES[tag.kind], _ICC))
            copy.flush()
        except OSError as error:
            if error.errno == errno.EIO:  # of the file itself
                raise
            raise ImageReadError(no_temporary(file, error.strerror or str(error))) from error
        copy.seek(0)
        # libvips keeps a descriptor of its own.
        yield pyvips.Source.new_from_descriptor(copy.fileno())


def to_lab(image: pyvips.Image, file: PictureFile) -> pyvips.Image:
    """Say of plain numbers what they mean.

    Args:
        image: The copy, opened.
        file: The file.

    Returns:
        Lab, and alpha where there is one, in the range of 8 bits.
    """
    lightness, a, b, *alpha = (operate("extract_band", image, band) for band in range(image.bands))
    if _kind(file) == _CIE:
        # The same bits, read as numbers with a sign.
        a, b = (operate("copy", channel, format="char") for channel in (a, b))
    else:
        a, b = (operate("linear", channel, [1], [-128]) for channel in (a, b))
    lightness = operate("linear", lightness, [100 / 255], [0])
    channels = [operate("cast", channel, "float") for channel in (lightness, a, b, *alpha)]
    return operate("copy", operate("bandjoin", channels), interpretation="lab")
