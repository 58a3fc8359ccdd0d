import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelift.patches.charts import SHARE, Axis, color_scale, histogram
from pixelift.patches.thumbnails import HEAT_STEPS, HeatScale

NONE = np.array([], np.float32)
LINEAR = Axis("Noise", "levels", 0.0, 10.0, is_log=False)


def drawn(axis, kept, rejected=NONE, **options):
    text = histogram(axis, kept=np.asarray(kept), rejected=rejected, what="photos", **options)
    return ElementTree.fromstring(text)


def bars(svg, kind):
    return [r for r in svg.iter("rect") if r.get("class") == kind]


def test_every_value_is_counted_in_one_bar(frozen):
    values = frozen(np.random.default_rng(1).normal(5, 4, 1000))
    svg = drawn(LINEAR, values)
    told = [int(re.search(r"([\d,]+) kept", t.text)[1].replace(",", "")) for t in svg.iter("title")]
    assert sum(told) == 1000
    assert "1,000 kept and 0 rejected photos" in svg.get("aria-label")


def test_values_that_are_not_finite_are_left_out():
    assert "1 kept" in drawn(LINEAR, [np.nan, np.inf, 3.0]).get("aria-label")


def test_heights_follow_the_counts():
    svg = drawn(LINEAR, [1.0, 1.0, 5.0])
    low, high = sorted(float(b.get("height")) for b in bars(svg, "kept"))
    assert high == pytest.approx(2 * low, abs=0.2)


def test_a_single_one_among_many_is_still_seen():
    svg = drawn(LINEAR, [2.0] * 5000, np.array([8.0]))
    (bar,) = bars(svg, "rejected")
    assert float(bar.get("height")) > 5
    assert "log scale" in "".join(svg.itertext())


def test_a_limit_stands_at_its_value_and_tells_it():
    svg = drawn(LINEAR, [5.0], limits=[("max.", 6.0)])
    (line,) = [e for e in svg.iter("line") if e.get("class") == "limit"]
    (six,) = [t for t in svg.iter("text") if t.text == "6"]
    assert line.get("x1") == six.get("x")
    assert "max. 6" in "".join(svg.itertext())


def test_nothing_to_count_is_drawn_as_an_empty_chart():
    svg = drawn(LINEAR, NONE)
    assert not bars(svg, "kept")


@pytest.mark.parametrize("title", ['<script>"', "a & b"])
def test_titles_are_escaped(title):
    axis = Axis(title, "levels", 0.0, 1.0, is_log=False)
    assert title.lower() in drawn(axis, [0.5]).get("aria-label")


MEASURED = st.floats(-1e6, 1e9, allow_subnormal=False, width=32)


@given(values=st.lists(MEASURED, max_size=20), unit=st.sampled_from(["levels", SHARE]))
@example(values=[-14.1, 1.7], unit="dB")
@example(values=[0.0, 0.0], unit="levels")
@example(values=[1e-9, 1e9], unit="levels")
@example(values=[5.0, 5.0], unit="levels")
@example(values=[0.25], unit=SHARE)
def test_an_axis_fits_any_values(values, unit):
    values = [abs(v) / 1e9 for v in values] if unit == SHARE else values
    axis = Axis.fitting("x", unit, values=np.array(values))
    assert axis.low < axis.high
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 20
    assert ticks == sorted(set(ticks))
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.low - slack <= ticks[0] < ticks[-1] <= axis.high + slack
    place = axis.place(np.array([*values, -1e12, 1e12]))
    assert ((place >= 0) & (place <= 1)).all()


def test_an_axis_shows_the_limits():
    axis = Axis.fitting("x", "levels", values=np.array([1.0, 2.0]), limits=[("max.", 9.0)])
    assert axis.low < 1 < 9 < axis.high


def test_an_axis_is_logarithmic_only_where_zeros_are_rare():
    spread = np.geomspace(0.01, 1000, 100)
    assert Axis.fitting("x", "levels", values=spread).is_log
    assert not Axis.fitting("x", "levels", values=np.append(spread, np.zeros(50))).is_log
    assert not Axis.fitting("x", "levels", values=np.linspace(5, 9, 100)).is_log


def test_shares_start_at_zero():
    assert Axis.fitting("x", SHARE, values=np.array([0.2, 0.3])).low == 0


@pytest.mark.parametrize("is_log", [True, False])
def test_values_and_places_are_inverse(is_log):
    axis = Axis("x", "levels", 2.0, 500.0, is_log=is_log)
    for place in (0.0, 0.3, 1.0):
        assert axis.place(np.array([axis.value(place)]))[0] == pytest.approx(place)


def test_the_colour_scale_tells_levels_and_decibels():
    svg = ElementTree.fromstring(color_scale(HeatScale(1.0, 1000.0)))
    words = [t.text for t in svg.iter("text")]
    # 20 dB is an error of a hundredth of the squared peak: 650 squared levels.
    assert {"10", "100", "20 dB", "levels²"} <= set(words)
    assert len([r for r in svg.iter("rect") if r.get("fill-opacity")]) == HEAT_STEPS
