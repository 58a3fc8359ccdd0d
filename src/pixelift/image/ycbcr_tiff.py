"""YCbCr in TIFF: libvips takes it for RGB, except where it is inside of JPEG."""

import math
from collections.abc import Callable

import pyvips

from pixelift.image import tiff_kinds
from pixelift.image.source import PictureFile
from pixelift.image.tiff_tags import read_numbers
from pixelift.image.vips import operate

_COEFFICIENTS, _REFERENCE = 529, 532
_BT601 = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


def conversion_of(file: PictureFile) -> Callable[[pyvips.Image], pyvips.Image] | None:
    """Find out how what libvips hands out of a file becomes RGB.

    Asked before libvips opens the file, since both share the place in it.

    Args:
        file: The file.

    Returns:
        What makes RGB of 8 bits of the picture; None where it is no YCbCr, or libtiff converts it.
    """
    if file.format.name != "tiff":
        return None
    kind, compression = (
        tiff_kinds.number_of(file.stream, tag)
        for tag in (tiff_kinds.PHOTOMETRIC, tiff_kinds.COMPRESSION)
    )
    if kind != tiff_kinds.YCBCR or compression == tiff_kinds.JPEG:
        return None
    if tiff_kinds.subsampling(file.stream) != (1, 1):
        # libtiff converts these, and adds alpha that is 255 everywhere.
        return lambda image: operate("extract_band", image, 0, n=3)
    matrix, offsets = _matrix(
        _numbers(file, _COEFFICIENTS, _BT601), _numbers(file, _REFERENCE, _FULL_RANGE)
    )

    def to_rgb(image: pyvips.Image) -> pyvips.Image:
        centred = operate("linear", image, [1, 1, 1], offsets)
        rgb = operate("recomb", centred, pyvips.Image.new_from_array(matrix))
        whole = operate("cast", operate("round", rgb, "rint"), "uchar")
        return operate("copy", whole, interpretation="srgb")

    return to_rgb


def _matrix(
    coefficients: tuple[float, ...], reference: tuple[float, ...]
) -> tuple[list[list[float]], list[float]]:
    red, green, blue = coefficients
    black, white, *_ = reference
    # TIFF 6.0, section 20: codes become Y in 0 to 255, Cb and Cr in -127 to 127.
    y = 255 / (white - black)
    cb = 127 / (reference[3] - reference[2]) * (2 - 2 * blue)
    cr = 127 / (reference[5] - reference[4]) * (2 - 2 * red)
    matrix = [[y, 0, cr], [y, -cb * blue / green, -cr * red / green], [y, cb, 0]]
    return matrix, [-black, -reference[2], -reference[4]]


def _numbers(file: PictureFile, tag: int, default: tuple[float, ...]) -> tuple[float, ...]:
    found = read_numbers(file.stream, tag)
    if len(found) != len(default) or not all(map(math.isfinite, found)):
        return default
    # A file whose numbers lead to a division by zero has no better ones than the usual.
    if tag == _COEFFICIENTS:
        return found if found[1] > 0 else default
    return found if all(found[at] < found[at + 1] for at in (0, 2, 4)) else default
