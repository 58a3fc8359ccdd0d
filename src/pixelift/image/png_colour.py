"""What a PNG file states of its colours in other words than a profile, made into one.

PNG has four ways to say it, of which the strongest counts: cICP, iCCP, sRGB, and gAMA with cHRM
(PNG, third edition, 4.3). Other formats have none of them but the profile.
"""

import struct
from typing import BinaryIO

from pixelift.image import h273
from pixelift.image.icc import D65, SRGB, SRGB_CURVE, Curve, Xy, make_profile
from pixelift.image.metadata import png_chunks

_UNIT = 100_000
_KINDS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
# What differs less than this from sRGB is sRGB, rounded or measured by somebody else.
_SAME_GAMMA, _SAME_XY = 0.005, 0.002
_GAMMAS = (0.05, 20.0)


def stated_profile(stream: BinaryIO, *, is_grey: bool) -> bytes | None:
    """Make a profile of what a PNG file states of its colours beside its own profile.

    Args:
        stream: The file; it is left at another place.
        is_grey: Whether the picture has one channel.

    Returns:
        The profile; None where the file is sRGB, says nothing, or has a profile that counts.
    """
    found = _chunks(stream)
    if b"cICP" in found:
        primaries, transfer, *_ = found[b"cICP"]
        return h273.profile_of(primaries, transfer, is_grey=is_grey)
    if b"iCCP" in found or b"sRGB" in found:
        return None
    curve = _curve(found.get(b"gAMA", b""))
    points = None if is_grey else _points(found.get(b"cHRM", b""))
    if curve is None and points is None:
        return None
    colours, white = points or (SRGB, D65)
    return make_profile(curve or SRGB_CURVE, primaries=colours, white=white, is_grey=is_grey)


def counts_more_than_profile(stream: BinaryIO) -> bool:
    """Tell whether a PNG file states its colours in the way that counts more than its profile.

    Args:
        stream: The file; it is left at another place.
    """
    return b"cICP" in _chunks(stream)


def unread_colours(stream: BinaryIO) -> str | None:
    """Say what colours a PNG file states that no profile can hold.

    Args:
        stream: The file; it is left at another place.

    Returns:
        What is wrong with them, for a message; None for those that are read.
    """
    stated = _chunks(stream).get(b"cICP")
    if stated is None:
        return None
    primaries, transfer, matrix, full_range = stated
    if matrix or full_range != 1:
        return f"its colours are no RGB of the full range ({matrix}/{full_range} of H.273)"
    return h273.unread(primaries, transfer)


def _chunks(stream: BinaryIO) -> dict[bytes, bytes]:
    """Take what a file says of its colours: each kind once, the first; of a profile nothing."""
    found: dict[bytes, bytes] = {}
    for chunk in png_chunks(stream):
        if chunk.kind == b"IDAT":
            break
        if chunk.kind in _KINDS and chunk.kind not in found:
            stream.seek(chunk.at)
            found[chunk.kind] = stream.read(min(chunk.length, 32))
    stated = found.get(b"cICP", b"")
    if len(stated) != 4 or h273.UNSPECIFIED in stated[:2]:
        found.pop(b"cICP", None)
    return found


def _curve(data: bytes) -> Curve | None:
    if len(data) != 4:
        return None
    gamma = struct.unpack(">I", data)[0] / _UNIT
    if not _GAMMAS[0] <= gamma <= _GAMMAS[1] or abs(gamma - 1 / 2.2) < _SAME_GAMMA:
        return None
    return Curve(1 / gamma)


def _points(data: bytes) -> tuple[tuple[Xy, Xy, Xy], Xy] | None:
    """Read primaries and white; None where they are those of sRGB, or make no sense."""
    if len(data) != 32:
        return None
    numbers = [number / _UNIT for number in struct.unpack(">8I", data)]
    usual = [value for point in (D65, *SRGB) for value in point]
    if all(abs(one - two) < _SAME_XY for one, two in zip(numbers, usual, strict=True)):
        return None
    white, red, green, blue = ((numbers[at], numbers[at + 1]) for at in range(0, 8, 2))
    primaries = red, green, blue
    known = make_profile(SRGB_CURVE, primaries=primaries, white=white) is not None
    return (primaries, white) if known else None
