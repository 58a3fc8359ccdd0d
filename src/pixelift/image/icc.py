"""A colour profile written from what a file states as numbers: primaries, white and a curve.

ICC.1:2010 (version 4), a display profile by matrix and curve: all that pictures tagged without a
profile ever mean, and what every reader of profiles understands.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Xy = tuple[float, float]
"""A colour by its chromaticity, CIE 1931 x and y."""

D65: Xy = (0.3127, 0.329)
SRGB: tuple[Xy, Xy, Xy] = ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
"""Red, green and blue of sRGB and BT.709."""

_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_LARGEST = 32_767
_DATE = (2026, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Curve:
    """What makes light of a value: (a * value + b) ** power from `start` on, c * value below."""

    power: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    start: float = 0.0


SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def make_profile(
    curve: Curve,
    *,
    primaries: tuple[Xy, Xy, Xy] = SRGB,
    white: Xy = D65,
    is_grey: bool = False,
) -> bytes | None:
    """Write a profile.

    Args:
        curve: The curve of all channels.
        primaries: Chromaticities of red, green and blue; not asked for grey.
        white: Chromaticity of white.
        is_grey: Whether it is for pictures of one channel.

    Returns:
        The profile; None where no colours have such primaries and such a white.
    """
    tags = {
        b"desc": _text("As stated by the picture"),
        b"cprt": _text("Public domain"),
        b"wtpt": _xyz(_D50),
    }
    if is_grey:
        tags[b"kTRC"] = _curve(curve)
    else:
        matrix = _matrix(primaries, white)
        if matrix is None:
            return None
        colours, adaptation = matrix
        tags |= {name: _xyz(column) for name, column in zip(_COLUMNS, colours.T, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))
        tags[b"chad"] = b"sf32" + bytes(4) + _fixed(adaptation.ravel())
    return _profile(tags, b"GRAY" if is_grey else b"RGB ")


_COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")


def _matrix(
    primaries: tuple[Xy, Xy, Xy], white: Xy
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Make the XYZ of the primaries, under D50, and what brings the white to D50."""
    points = np.array([*primaries, white], np.float64)
    if not (np.isfinite(points).all() and (points[:, 1] > 0).all()):
        return None
    x, y = points.T
    colours = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    light = colours[:, 3]
    if abs(np.linalg.det(colours[:, :3])) < 1e-6:
        return None
    shares = np.linalg.solve(colours[:, :3], light)
    cones = _BRADFORD @ light
    if (cones <= 0).any() or (shares <= 0).any():
        return None
    scale = np.diag(_BRADFORD @ _D50 / cones)
    adaptation = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD
    adapted = adaptation @ (colours[:, :3] * shares)
    if max(np.abs(adapted).max(), np.abs(adaptation).max()) > _LARGEST:
        return None
    return adapted, adaptation


def _profile(tags: dict[bytes, bytes], colours: bytes) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, value in tags.items():
        # Equal values lie there once.
        if value not in places:
            places[value] = at + len(data)
            data += value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", places[value], len(value))
    head = struct.pack(">I4s4B", at + len(data), bytes(4), 4, 0x20, 0, 0)
    head += b"mntr" + colours + b"XYZ " + struct.pack(">6H", *_DATE) + b"acsp"
    head = head.ljust(68, b"\0") + _fixed(_D50)
    return head.ljust(128, b"\0") + table + data


def _text(words: str) -> bytes:
    data = words.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _xyz(values: "tuple[float, ...] | NDArray[np.float64]") -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _curve(curve: Curve) -> bytes:
    if not curve.start:
        return b"para" + struct.pack(">4xHxx", 0) + _fixed((curve.power,))
    values = (curve.power, curve.a, curve.b, curve.c, curve.start)
    return b"para" + struct.pack(">4xHxx", 3) + _fixed(values)


def _fixed(values: "tuple[float, ...] | NDArray[np.float64]") -> bytes:
    whole = np.rint(np.asarray(values, np.float64) * 65536)
    return whole.astype(">i4").tobytes()
