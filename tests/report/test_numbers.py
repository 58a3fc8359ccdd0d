import re

import numpy as np
import pytest

from pixelift.patches.dataset import Rejected, Settings
from pixelift.report.numbers import patch_charts, photo_charts
from tests.drawn_set import draw_set

FLAWED = (
    Rejected(name="a.jpg", reason="noisy", rule="noise", number=9.25),
    Rejected(name="b.jpg", reason="soft", rule="blur", number=-30.0),
    Rejected(name="c.jpg", reason="cannot be read", rule="unreadable"),
)


def counted(chart):
    return re.search(r'aria-label="[^"]* of ([\d,]+ kept and [\d,]+ rejected \w+)"', chart.drawing)[
        1
    ]


def test_each_measure_of_patches_has_a_chart(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)])
    prepared.patches["reason"][0] = "flat"
    charts = list(patch_charts(prepared.manifest.settings, prepared.patches))
    assert [chart.title for chart in charts] == [
        *("Restoration error", "Edge density", "Luma variance", "Clipped pixels")
    ]
    assert {counted(chart) for chart in charts} == {"3 kept and 1 rejected patches"}
    assert charts[0].middle == "Kept: median 12; nine in ten from 11.1 to 12.9."


def test_the_network_loss_has_one_where_it_was_measured(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)])
    prepared.patches["network_loss"][1:] = 3.0
    charts = {c.title: c for c in patch_charts(prepared.manifest.settings, prepared.patches)}
    assert counted(charts["Network loss"]) == "3 kept and 0 rejected patches"


def test_where_nothing_is_kept_there_is_no_median(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)])
    prepared.patches["reason"] = "flat"
    charts = list(patch_charts(prepared.manifest.settings, prepared.patches))
    assert {chart.middle for chart in charts} == {""}


def test_rejected_photos_are_counted_by_the_number_that_decided(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)] * 3, rejected=FLAWED, valid=[1])
    assert {chart.title: counted(chart) for chart in photo_charts(prepared.manifest)} == {
        "Noise": "2 kept and 1 rejected photos",
        "JPEG blockiness": "2 kept and 0 rejected photos",
        "Sharpness": "2 kept and 1 rejected photos",
    }


@pytest.mark.parametrize("is_screened", [True, False])
def test_limits_are_drawn_where_they_were_used(tmp_path, is_screened):
    settings = Settings(screens=is_screened)
    prepared = draw_set(tmp_path, [(96, 96, 3)], settings=settings)
    charts = [*patch_charts(settings, prepared.patches), *photo_charts(prepared.manifest)]
    limited = {chart.title for chart in charts if 'class="limit"' in chart.drawing}
    used = {"Luma variance", "Clipped pixels", "Noise", "JPEG blockiness", "Sharpness"}
    assert limited == (used if is_screened else set())


def test_the_rows_are_not_changed(tmp_path, frozen):
    prepared = draw_set(tmp_path, [(96, 96, 3)])
    rows = frozen(prepared.patches)
    before = rows.copy()
    list(patch_charts(prepared.manifest.settings, rows))
    assert all(np.array_equal(before[n], rows[n]) for n in ("variance", "restoration_error"))
