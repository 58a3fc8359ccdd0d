import math

import msgspec
import numpy as np
import pytest

from pixelift.patches.screen import Limits, screen_patches, screen_picture

GOOD = {"noise_sigma": 0.4, "blockiness": 1.1, "sharpness": -4.0}
FIELDS = [("picture", "i4"), ("variance", "f4"), ("clipped", "f4")]


def patches(*scores, frozen):
    return frozen(np.array([(n, *s) for n, s in enumerate(scores)], FIELDS))


def test_a_good_photo_gets_no_verdict():
    assert screen_picture(GOOD, Limits()) is None


@pytest.mark.parametrize(
    ("measure", "number", "rule", "reason"),
    [
        ("noise_sigma", 14.2, "noise", "noise of 14.2 levels; at most 4 are allowed"),
        (
            "blockiness",
            1.934,
            "blockiness",
            "JPEG blocks: steps at their borders are 1.93 times those inside; "
            "at most 1.5 times is allowed",
        ),
        (
            "sharpness",
            -21.34,
            "blur",
            "blurred or enlarged: its finest detail is at -21.34 dB; at least -17 dB is needed",
        ),
    ],
)
def test_a_broken_limit_is_named_with_both_numbers(measure, number, rule, reason):
    verdict = screen_picture(GOOD | {measure: number}, Limits())
    assert verdict is not None
    assert (verdict.rule, verdict.number, verdict.reason) == (rule, number, reason)
    assert f"{verdict.limit:g}" in reason


@pytest.mark.parametrize("measure", GOOD)
def test_what_could_not_be_measured_is_not_held_against_a_photo(measure):
    assert screen_picture(GOOD | {measure: math.nan}, Limits()) is None
    assert screen_picture({k: v for k, v in GOOD.items() if k != measure}, Limits()) is None
    assert screen_picture({}, Limits()) is None


def test_a_photo_exactly_at_the_limits_passes():
    limits = Limits()
    at_limits = {
        "noise_sigma": limits.noise_sigma_max,
        "blockiness": limits.blockiness_max,
        "sharpness": limits.sharpness_min,
    }
    assert screen_picture(at_limits, limits) is None


def test_limits_can_be_moved():
    strict = Limits(noise_sigma_max=0.2)
    verdict = screen_picture(GOOD, strict)
    assert verdict is not None
    assert verdict.reason == "noise of 0.4 levels; at most 0.2 are allowed"


def test_unknown_limits_are_refused():
    with pytest.raises(msgspec.ValidationError, match="noise_max"):
        msgspec.json.decode(b'{"noise_max": 3}', type=Limits)
    assert msgspec.json.decode(msgspec.json.encode(Limits()), type=Limits) == Limits()


def test_flat_and_clipped_patches_carry_their_reason_and_number(frozen):
    rows = patches((0.25, 0), (300, 0.1), (300, 0.75), (0, 1), (1, 0.5), frozen=frozen)
    reasons, numbers = screen_patches(rows, Limits())
    assert reasons.tolist() == ["flat", "", "clipped", "flat", ""]
    assert numbers == pytest.approx([0.25, math.nan, 0.75, 0, math.nan], nan_ok=True)
    assert (reasons.dtype, numbers.dtype) == (np.dtype("U16"), np.float32)


def test_a_picture_without_patches_has_no_verdicts(frozen):
    reasons, numbers = screen_patches(patches(frozen=frozen), Limits())
    assert len(reasons) == len(numbers) == 0


def test_limits_out_of_reach_keep_every_patch(frozen):
    rows = patches((0, 1), (0.5, 0.9), frozen=frozen)
    reasons, numbers = screen_patches(rows, Limits(flat_variance=0, clipped_max=1))
    assert reasons.tolist() == ["", ""]
    assert np.isnan(numbers).all()
