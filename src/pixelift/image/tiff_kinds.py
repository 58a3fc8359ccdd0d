"""Which kinds of TIFF are read: what a file says of its samples, checked before any is decoded.

libvips takes samples whose meaning it does not know for grey or RGB. So every kind that is not
known to come out right is refused here, by its name.
"""

from typing import BinaryIO

from pixelift.errors import ImageReadError
from pixelift.image.tiff_tags import read_numbers

BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANES = 258, 259, 262, 277, 284
EXTRA, FORMAT, SUBSAMPLING, INDEXED = 338, 339, 530, 346
"""Tag numbers of TIFF 6.0."""

_WIDTH, _HEIGHT, _BYTES_OF_STRIPS = 256, 257, 279

WHITE_IS_0, BLACK_IS_0, RGB, PALETTE, INKS, YCBCR, CIE_LAB, ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
"""Photometric interpretations that are read."""

JPEG = 7
"""The compression within which libtiff itself converts YCbCr."""

READ = (
    "grey, RGB, CMYK, Lab, palettes and YCbCr of 8 bits, the first four also of 16 and grey and "
    "RGB of float, with alpha or without"
)
"""What is allowed, for messages."""

_NAMES = {
    4: "a transparency mask",
    10: "ITU Lab",
    32803: "the raw values of a camera's sensor",
    32844: "LogL",
    32845: "LogLuv",
    34892: "the raw values of a camera's sensor",
    51177: "a depth map",
    52527: "a mask",
}
_COLOURS = {
    WHITE_IS_0: (1, "grey"),
    BLACK_IS_0: (1, "grey"),
    RGB: (3, "RGB"),
    PALETTE: (1, "a palette"),
    INKS: (4, "CMYK"),
    YCBCR: (3, "YCbCr"),
    CIE_LAB: (3, "Lab"),
    ICC_LAB: (3, "Lab"),
}
"""Channels of each, without alpha, and what it is called."""

_UNSIGNED, _SIGNED, _FLOAT, _VOID = 1, 2, 3, 4
_ASSOCIATED = 1
_PLAIN = (1, 5, 8, 32773, 32946, 34925, 50000)
"""Compressions that give samples back as they are: none, LZW, Deflate and their kin."""

# What libtiff spreads out itself; the larger blocks it does not get right at every size.
_SPREAD = ((2, 2), (2, 1), (1, 2), (4, 1), (4, 2))


def check_kind(stream: BinaryIO, name: str) -> None:
    """Refuse a TIFF file whose samples are of a kind that would be misread.

    Args:
        stream: The file; it is left at another place.
        name: What messages call it.

    Raises:
        ImageReadError: It is of such a kind. What is damaged is left to the decoder.
    """
    photometric = number_of(stream, PHOTOMETRIC)
    if photometric is None:
        return
    reason = _unread(stream, photometric)
    if reason:
        raise ImageReadError(
            f"cannot read {name}: {reason}; allowed are {READ}. Convert it to RGB first."
        )


def number_of(stream: BinaryIO, tag: int, default: int | None = None) -> int | None:
    """Read the first number of a tag.

    Args:
        stream: The file; it is left at another place.
        tag: Its number.
        default: What it is where the file does not say.
    """
    found = read_numbers(stream, tag, most=1 << 12)
    # Of another type than whole numbers libtiff leaves such a tag aside.
    return found[0] if found and isinstance(found[0], int) else default


def _unread(stream: BinaryIO, photometric: int) -> str | None:
    if photometric not in _COLOURS:
        what = _NAMES.get(photometric, f"of the unknown kind {photometric}")
        return f"it holds {what}" if photometric in _NAMES else f"its colours are {what}"
    channels, what = _COLOURS[photometric]
    samples = number_of(stream, SAMPLES, 1) or 1
    if not channels <= samples <= channels + 1:
        many = "1 channel" if samples == 1 else f"{samples} channels"
        return f"it has {many} where {what} has {channels}, or {channels + 1} with alpha"
    if number_of(stream, INDEXED) and photometric != PALETTE:
        return f"it has a palette and says that its values are {what}"
    has_alpha = samples > channels
    is_associated = has_alpha and number_of(stream, EXTRA) == _ASSOCIATED
    if is_associated and photometric not in (BLACK_IS_0, RGB, INKS):
        return f"its alpha is multiplied into {what}"
    bits = number_of(stream, BITS, 1) or 1
    kind = number_of(stream, FORMAT, _UNSIGNED) or _UNSIGNED
    # Of what libvips unpacks itself it finds the rows only where the channels lie side by side.
    is_unpacked = photometric not in (RGB, INKS) and (photometric < CIE_LAB or bits == 16)
    is_half = kind == _FLOAT and bits == 16
    if samples > 1 and (is_unpacked or is_half) and number_of(stream, PLANES, 1) != 1:
        return f"it is {what} with each channel by itself"
    if photometric == YCBCR:
        return _unread_ycbcr(stream, bits, kind, has_alpha=has_alpha)
    if _is_known(photometric, bits, kind, has_alpha=has_alpha):
        return None
    label = {_SIGNED: "signed ", _FLOAT: "float ", 5: "complex ", 6: "complex "}.get(kind, "")
    return f"it is {what} with {label}samples of {bits} bits{' and alpha' if has_alpha else ''}"


def _is_known(photometric: int, bits: int, kind: int, *, has_alpha: bool) -> bool:
    is_unsigned = kind in (_UNSIGNED, _VOID)
    if photometric in (WHITE_IS_0, BLACK_IS_0):
        few = bits in (1, 2, 4) and not has_alpha
        is_float = photometric == BLACK_IS_0 and kind == _FLOAT and bits in (16, 32)
        return is_float or (is_unsigned and (few or bits in (8, 16)))
    if photometric == RGB:
        return (is_unsigned and bits in (8, 16)) or (kind == _FLOAT and bits in (16, 32))
    if photometric == PALETTE:
        return is_unsigned and (bits in (8, 16) or (bits in (1, 2, 4) and not has_alpha))
    if photometric == INKS:
        return is_unsigned and bits in (8, 16)
    if bits == 8:
        return is_unsigned or (kind == _SIGNED and photometric == CIE_LAB)
    # libvips knows Lab of more bits, of one of its two kinds.
    is_deep = (bits, kind) in ((16, _UNSIGNED), (16, _SIGNED), (16, _VOID), (32, _FLOAT))
    return photometric == CIE_LAB and is_deep and not has_alpha


def _unread_ycbcr(stream: BinaryIO, bits: int, kind: int, *, has_alpha: bool) -> str | None:
    compression = number_of(stream, COMPRESSION, 1) or 1
    if bits != 8 or kind not in (_UNSIGNED, _VOID) or has_alpha:
        more = " and alpha" if has_alpha else ""
        return f"it is YCbCr with samples of {bits} bits{more}"
    if compression == JPEG:
        return None
    if compression not in _PLAIN:
        return f"it is YCbCr in compression {compression}"
    if _is_fuller_than_stated(stream, compression):
        return "it is YCbCr with one colour for each pixel, but does not say so"
    steps = subsampling(stream)
    if steps != (1, 1) and steps not in _SPREAD:
        return f"it is YCbCr with one colour for {steps[0]}x{steps[1]} pixels"
    return None


def _is_fuller_than_stated(stream: BinaryIO, compression: int) -> bool:
    """Whether a file without the tag, and so with a quarter of the colours, has all of them."""
    if compression != 1 or read_numbers(stream, SUBSAMPLING):
        return False
    width, height = (number_of(stream, tag, 0) or 0 for tag in (_WIDTH, _HEIGHT))
    lengths = read_numbers(stream, _BYTES_OF_STRIPS, most=1 << 20)
    return 0 < 3 * width * height <= sum(lengths)


def subsampling(stream: BinaryIO) -> tuple[int, int]:
    """Read for how many pixels, across and down, YCbCr has one colour.

    Args:
        stream: The file; it is left at another place.
    """
    found = read_numbers(stream, SUBSAMPLING)
    match found:
        case (int(across), int(down)):
            return across, down
        case _:
            return 2, 2
