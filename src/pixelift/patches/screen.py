"""Which photos and patches may be trained on at all: a verdict with its reason and number."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

KEPT: Final = ""
FLAT: Final = "flat"
CLIPPED: Final = "clipped"

Rule = Literal["noise", "blockiness", "blur"]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the line is drawn between what teaches detail and what teaches artefacts.

    Set on 158 ordinary photos, of which 5 fail, and on spoilt copies of them, see each limit; the
    measures are explained in `patches/artefacts.py`.
    """

    noise_sigma_max: float = 4.0
    """Noise in levels of luma. Of noise of sigma 10 in R, G and B, which is 5.7 in luma, 99 % is
    caught; the most that was measured of a photo without noise, a brick wall, is 3.5."""
    blockiness_max: float = 1.5
    """Steps at block borders against those inside, as a ratio. Of JPEG of quality 30, 97 % is
    caught; of quality 75, which lies at 1.2 to 2.4, a quarter."""
    sharpness_min: float = -17.0
    """Detail near Nyquist in decibels. Every photo enlarged by 2 was below, by 1.5 a half."""
    clipped_max: float = 0.5
    """Share of a patch's pixels, 0 to 1, that are as dark or as bright as can be."""
    flat_variance: float = 1.0
    """Luma variance, in squared levels, below which a patch is nothing but one colour."""
    duplicate_distance: int = 8
    """Bits of 64 by which the perceptual hashes of two versions of one photo may differ. Versions
    differed by 8 at most; two different photos by 12 at least."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a photo cannot be used."""

    rule: Rule
    number: float
    """What was measured, in the unit of the limit."""
    limit: float
    reason: str
    """A sentence for people, with both numbers."""


def screen_picture(measures: Mapping[str, float], limits: Limits) -> Verdict | None:
    """Judge a photo by what was measured of it.

    A measure that is missing or NaN could not be taken, and nothing is held against the photo.

    Args:
        measures: `noise_sigma`, `blockiness` and `sharpness`, as `measure_artefacts` gives them;
            others are not looked at.
        limits: What is allowed.

    Returns:
        The first rule that is broken, or None where the photo may be used.

    Example:
        >>> screen_picture({"noise_sigma": 14.2, "sharpness": -3.0}, Limits()).reason
        'noise of 14.2 levels; at most 4 are allowed'
        >>> screen_picture({"noise_sigma": 0.3}, Limits()) is None
        True
    """
    noise = measures.get("noise_sigma", math.nan)
    if noise > limits.noise_sigma_max:
        allowed = limits.noise_sigma_max
        reason = f"noise of {noise:.3g} levels; at most {allowed:g} are allowed"
        return Verdict("noise", noise, allowed, reason)
    blocks = measures.get("blockiness", math.nan)
    if blocks > limits.blockiness_max:
        allowed = limits.blockiness_max
        reason = (
            f"JPEG blocks: steps at their borders are {blocks:.3g} times those inside; "
            f"at most {allowed:g} times is allowed"
        )
        return Verdict("blockiness", blocks, allowed, reason)
    detail = measures.get("sharpness", math.nan)
    if detail < limits.sharpness_min:
        allowed = limits.sharpness_min
        reason = (
            f"blurred or enlarged: its finest detail is at {detail:.4g} dB; "
            f"at least {allowed:g} dB is needed"
        )
        return Verdict("blur", detail, allowed, reason)
    return None


def screen_patches(
    rows: NDArray[np.void], limits: Limits
) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
    """Judge patches by what was measured of them, all at once.

    Args:
        rows: Rows with the fields `variance` (squared levels) and `clipped` (share, 0 to 1), (N,).
        limits: What is allowed.

    Returns:
        For each patch the reason why it is rejected, or an empty string where it is kept, (N,)
        U16; and the number that decided, in the unit of the limit, NaN where it is kept, (N,).

    Example:
        >>> fields = [("variance", "f4"), ("clipped", "f4")]
        >>> patches = np.array([(0.25, 0), (300, 0), (300, 0.75)], fields)
        >>> screen_patches(patches, Limits())
        (array(['flat', '', 'clipped'], dtype='<U16'), array([0.25,  nan, 0.75], dtype=float32))
    """
    flat = rows["variance"] < limits.flat_variance
    clipped = ~flat & (rows["clipped"] > limits.clipped_max)
    reasons = np.full(len(rows), KEPT, "U16")
    numbers = np.full(len(rows), np.nan, np.float32)
    for broken, rule, field in ((flat, FLAT, "variance"), (clipped, CLIPPED, "clipped")):
        reasons[broken] = rule
        numbers[broken] = rows[field][broken]
    return reasons, numbers
