import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pixelift.report.charts import SHARE, Axis, color_scale, histogram
from pixelift.report.thumbnails import HEAT_STEPS, HeatScale

NONE = np.array([], np.float32)
LINEAR = Axis("Noise", "levels", 0.0, 10.0, is_log=False)


def drawn(axis, kept, rejected=NONE, **options):
    text = histogram(axis, kept=np.asarray(kept), rejected=rejected, what="photos", **options)
    return ElementTree.fromstring(text)


def parts(svg, kind):
    return [g for g in svg.iter("g") if g.get("class") == kind]


def corners(part):
    """The corners of what is drawn in a part of a chart, (N, 2): from the left, from the top."""
    return np.array(re.findall(r"([\d.]+) ([\d.]+)", part.find("path").get("d")), float)


def height(bar):
    return np.ptp(corners(bar)[:, 1])


def test_every_value_is_counted_in_one_bar(frozen):
    values = frozen(np.random.default_rng(1).normal(5, 4, 1000))
    svg = drawn(LINEAR, values)
    told = [
        int(re.search(r"([\d,]+) kept", bar.find("title").text)[1].replace(",", ""))
        for bar in parts(svg, "kept")
    ]
    assert sum(told) == 1000
    assert "1,000 kept and 0 rejected photos" in svg.get("aria-label")


def test_values_that_are_not_finite_are_left_out():
    assert "1 kept" in drawn(LINEAR, [np.nan, np.inf, 3.0]).get("aria-label")


def test_heights_follow_the_counts():
    svg = drawn(LINEAR, [1.0, 1.0, 5.0])
    low, high = sorted(height(bar) for bar in parts(svg, "kept"))
    assert high == pytest.approx(2 * low, abs=0.01)


def test_a_single_one_among_many_is_still_seen():
    svg = drawn(LINEAR, [2.0] * 5000, np.array([8.0]))
    (bar,) = parts(svg, "rejected")
    assert height(bar) > 5
    assert "log scale" in "".join(svg.itertext())


def test_a_limit_stands_at_its_value_and_tells_it():
    svg = drawn(LINEAR, [5.0], limits=[("max.", 6.0)])
    line, label = parts(svg, "limit")
    (six,) = [t for t in svg.iter("text") if t.text == "6"]
    assert corners(line)[:, 0] == pytest.approx(float(six.get("x")), abs=1e-3)
    assert label.find("text").text == "max. 6"


def test_nothing_to_count_is_drawn_as_an_empty_chart():
    svg = drawn(LINEAR, NONE)
    assert not parts(svg, "kept")


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
    edges = axis.edges(8)
    assert (edges[0], edges[-1]) == (axis.low, axis.high)
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize(
    ("low", "high", "is_log"),
    [(-14.8, 2.5, False), (0, 1e-3, False), (0, 1, False), (0.08, 1.2e5, True), (2, 31, True)],
)
def test_an_axis_has_a_few_round_numbers(low, high, is_log):
    svg = drawn(Axis("x", "levels", low, high, is_log=is_log), [high])
    words = [t.text for t in svg.iter("text") if t.get("style").count("middle")]
    assert 3 <= len(words) <= 9
    assert all(re.fullmatch("−?[125]0*|−?1?[0-9]|0.0*[1-9]|[125]0*,000|0", w) for w in words), words


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


def test_a_chart_takes_its_colours_from_the_page():
    svg = drawn(LINEAR, [5.0], np.array([8.0]), limits=[("max.", 6.0)])
    for kind in ("kept", "rejected", "limit"):
        assert f"var(--{kind})" in parts(svg, kind)[0].find("path").get("style")
    assert "#" not in "".join(e.get("style", "") for e in svg.iter())


def test_a_chart_changes_nothing_beside_it():
    texts = [
        histogram(LINEAR, kept=np.array([5.0]), rejected=NONE, what=what)
        for what in ("patches", "photos")
    ]
    ids = [set(re.findall(r' id="([^"]*)"', text)) for text in texts]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert not any("<style" in text or "clip-path" in text for text in texts)


def test_settings_of_matplotlib_do_not_show():
    plain = color_scale(HeatScale(1.0, 1000.0))
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert color_scale(HeatScale(1.0, 1000.0)) == plain


def test_the_colour_scale_tells_levels_and_decibels():
    svg = ElementTree.fromstring(color_scale(HeatScale(1.0, 1000.0)))
    words = [t.text for t in svg.iter("text")]
    # 20 dB is an error of a hundredth of the squared peak: 650 squared levels.
    assert {"10", "100", "20 dB", "levels²"} <= set(words)
    # Each colour lies half transparent on grey, as on a photo.
    assert sum("opacity: 0." in p.get("style", "") for p in svg.iter("path")) == HEAT_STEPS
