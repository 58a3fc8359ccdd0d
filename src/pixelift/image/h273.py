"""Colours by their numbers in H.273, as PNG (cICP) and AVIF (nclx) state them, as a profile."""

from pixelift.image.icc import D65, SRGB, SRGB_CURVE, Curve, Xy, make_profile

UNSPECIFIED = 2
"""The number, of primaries and of curves, that says nothing."""

_SRGB = 13
_HIGH_RANGE = {16: "PQ", 18: "HLG"}

_FILM: Xy = (0.31, 0.316)
_P3 = ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
_NTSC = ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07))
_PRIMARIES: dict[int, tuple[tuple[Xy, Xy, Xy], Xy]] = {
    1: (SRGB, D65),
    4: (((0.67, 0.33), (0.21, 0.71), (0.14, 0.08)), _FILM),
    5: (((0.64, 0.33), (0.29, 0.6), (0.15, 0.06)), D65),
    6: (_NTSC, D65),
    7: (_NTSC, D65),
    9: (((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)), D65),
    11: (_P3, (0.314, 0.351)),
    12: (_P3, D65),
}
_TELEVISION = Curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES = {
    1: _TELEVISION,
    4: Curve(2.2),
    5: Curve(2.8),
    6: _TELEVISION,
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    8: Curve(1.0),
    _SRGB: SRGB_CURVE,
    14: _TELEVISION,
    15: _TELEVISION,
}


def profile_of(primaries: int, transfer: int, *, is_grey: bool) -> bytes | None:
    """Make a profile of colours that `unread` lets pass.

    Args:
        primaries: Number of the primaries and the white.
        transfer: Number of the curve.
        is_grey: Whether the picture has one channel.

    Returns:
        The profile; None for sRGB.
    """
    if transfer == _SRGB and (is_grey or primaries == 1):
        return None
    points, white = _PRIMARIES[primaries]
    return make_profile(_CURVES[transfer], primaries=points, white=white, is_grey=is_grey)


def unread(primaries: int, transfer: int) -> str | None:
    """Say what is wrong with colours that no profile can hold.

    Args:
        primaries: Number of the primaries and the white.
        transfer: Number of the curve.

    Returns:
        What it is, for a message; None where there is a profile.

    Example:
        >>> unread(9, 16)
        'it is of high dynamic range (PQ)'
    """
    if transfer in _HIGH_RANGE:
        return f"it is of high dynamic range ({_HIGH_RANGE[transfer]})"
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        return f"its colours are of the unusual kind {primaries}/{transfer} of H.273"
    return None
