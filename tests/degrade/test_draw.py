import hashlib

import msgspec
import numpy as np
import pytest

from pixelift.degrade.draw import PRESETS, Degradation, draw_plan, resolve
from pixelift.degrade.plan import (
    Blur,
    Compress,
    Motion,
    Noise,
    Resize,
    Sharpen,
    clean_plan,
    encode_plan,
)
from pixelift.errors import ConfigError


def plans(degradation, count=400, scale=4):
    return [draw_plan(degradation, scale=scale, rng=np.random.default_rng(n)) for n in range(count)]


def steps_of(kind, drawn):
    return [step for plan in drawn for step in plan.steps if isinstance(step, kind)]


def test_clean_draws_the_clean_plan_alone():
    assert set(plans(PRESETS["clean"], 20)) == {clean_plan(4)}


@pytest.mark.parametrize("preset", ["photo", "heavy"])
def test_what_is_drawn_lies_in_the_ranges_and_comes_as_often_as_it_should(preset):
    wanted, drawn = PRESETS[preset], plans(PRESETS[preset])
    rounds = len(steps_of(Resize, drawn))
    noise, compress = steps_of(Noise, drawn), steps_of(Compress, drawn)
    low, high = wanted.noise_sigma_255
    assert low <= min(n.sigma_255 for n in noise) <= max(n.sigma_255 for n in noise) <= high
    low, high = wanted.quality
    assert low == min(c.quality for c in compress)
    assert max(c.quality for c in compress) == high
    blurred = len(steps_of(Blur, drawn)) + len(steps_of(Motion, drawn))
    for found, share in (
        (len(noise), wanted.noise_share),
        (len(compress), wanted.compress_share),
        (blurred, wanted.blur_share),
    ):
        assert found / rounds == pytest.approx(share, abs=0.06)
    kernels = {step.kernel for step in steps_of(Resize, drawn)}
    assert kernels == set(wanted.kernels)
    assert rounds / len(drawn) - 1 == pytest.approx(wanted.twice_share, abs=0.08)


def test_a_first_round_comes_in_any_order_and_stops_short_of_the_scale():
    everything = Degradation(blur_share=1.0, noise_share=1.0, compress_share=1.0, twice_share=1.0)
    firsts = [plan.steps[:4] for plan in plans(everything, 300)]
    assert len({tuple(type(step) for step in first) for first in firsts}) == 24
    between = [s.hr_per_px for first in firsts for s in first if isinstance(s, Resize)]
    assert 2.5 <= min(between) <= max(between) <= 4


def test_real_draws_each_thing_as_often_as_it_says():
    wanted, drawn = PRESETS["real"], plans(PRESETS["real"], 1500)
    noise, compress = steps_of(Noise, drawn), steps_of(Compress, drawn)
    last_two = [[s for s in plan.steps if isinstance(s, Resize)][-2:] for plan in drawn]
    resized = [pair[0] for pair in last_two if len(pair) == 2]
    sharpened = steps_of(Sharpen, drawn)
    for found, of, share in (
        (len(sharpened), len(drawn), wanted.sharpen_share),
        (sum(n.is_chroma for n in noise), len(noise), wanted.chroma_share),
        (sum(c.format == "webp" for c in compress), len(compress), wanted.webp_share),
        (sum(c.format == "avif" for c in compress), len(compress), wanted.avif_share),
        (len(resized), len(drawn), 1 - (1 - wanted.resized_share) * (1 - wanted.twice_share)),
    ):
        assert found / of == pytest.approx(share, abs=0.04)
    assert {step.kernel for step in steps_of(Resize, drawn)} == set(wanted.kernels)
    assert wanted.sharpen_amount[0] <= min(s.amount for s in sharpened)
    assert max(s.amount for s in sharpened) <= wanted.sharpen_amount[1]
    assert not any(n.is_chroma and n.is_grey for n in noise)


def test_what_is_resized_once_more_was_smaller_as_often_as_it_was_larger():
    only = Degradation(resized_share=1.0, resized_factor=(0.5, 2.0), compress_share=1.0)
    drawn = plans(only)
    for plan in drawn:
        assert [type(step) for step in plan.steps[:3]] == [Resize, Compress, Resize]
    factors = np.array([4 / plan.steps[0].hr_per_px for plan in drawn])
    assert 0.499 <= factors.min() <= factors.max() <= 2.001
    assert (factors < 1).mean() == pytest.approx(0.5, abs=0.06)
    again = sum(isinstance(plan.steps[-1], Compress) for plan in drawn)
    assert again / len(drawn) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("preset", "digest"), [("photo", "24a97345576f0910"), ("heavy", "6ed5d357f4621543")]
)
def test_presets_that_sets_were_recorded_with_draw_what_they_always_drew(preset, digest):
    lines = [encode_plan(plan) for plan in plans(PRESETS[preset])]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == digest


def test_blurs_mean_the_same_at_every_scale():
    only = Degradation(blur_share=1.0, blur_lr_px=(0.5, 0.5))
    for scale in (2, 4):
        assert {b.sigma_px for b in steps_of(Blur, plans(only, 5, scale))} == {0.5 * scale}


def test_the_generator_decides_everything():
    for seed in range(5):
        a, b = (
            draw_plan(PRESETS["heavy"], scale=3, rng=np.random.default_rng(seed)) for _ in range(2)
        )
        assert a == b


def test_names_and_tables_are_resolved_and_others_refused():
    assert resolve("photo") is PRESETS["photo"]
    table = Degradation(noise_share=0.5)
    assert resolve(table) is table
    with pytest.raises(
        ConfigError, match=r'no degradation "foto"; allowed are clean, photo, real, heavy'
    ):
        resolve("foto")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kernels": []}, "kernels is empty"),
        ({"quality": [90, 20]}, r"quality is \[90, 20\]; the smaller one comes first"),
        ({"resized_factor": [2, 0.5]}, r"resized_factor is \[2.0, 0.5\]"),
        ({"sharpen_amount": [1, 3]}, "`float` <= 2"),
        ({"quality": [0, 20]}, "`int` >= 1"),
        ({"noise_shar": 0.5}, "unknown field `noise_shar`"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(table, Degradation)
