import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError
from pixelift.patches.dataset import Rejected, Settings
from pixelift.report import gallery
from pixelift.report.page import write_report
from tests.drawn_set import draw_set

VOID = {"meta", "img", "input", "br", "line", "rect"}
HOSTILE = "<script>alert('x')</script>\" onload=\"y\u202e.jpg"


class Page(HTMLParser):
    """Reads a page strictly: each element is closed in order, and its parts are collected."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} is given twice"
        self.links += [v for k, v in attrs if k in {"src", "href", "srcset", "action", "data"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def page(prepared, tmp_path):
    path = tmp_path / "report.html"
    write_report(prepared, path)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def prepared(tmp_path):
    rejected = [
        Rejected(name=HOSTILE, reason="noise of 9 <b>levels</b>", rule="noise", number=9.25),
        Rejected(name="torn.jpg", reason="cannot be read", rule="unreadable", is_failure=True),
    ]
    shapes = [(144, 200, 3), (300, 100, 3), (96, 96, 3)]
    names = [HOSTILE, "b.jpg", "c.jpg"]
    prepared = draw_set(tmp_path / "set", shapes, names=names, rejected=rejected, valid=[2])
    prepared.patches["reason"][:3] = ["flat", "flat", "clipped"]
    prepared.patches["number"][:3] = [0.25, 0.5, 0.75]
    return prepared


def test_the_page_asks_nobody_for_anything(prepared, tmp_path):
    found = page(prepared, tmp_path)
    assert found.links
    assert all(link.startswith(("data:image/", "#")) for link in found.links)
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base"}
    styles = (tmp_path / "report.html").read_text().partition("</style>")[0]
    assert "url(" not in styles
    assert "@import" not in styles


def test_every_link_of_the_page_has_a_target(prepared, tmp_path):
    found = page(prepared, tmp_path)
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(ids)


def test_all_pictures_decode_and_have_a_text(prepared, tmp_path):
    pictures = [a for tag, a in page(prepared, tmp_path).tags if tag == "img"]
    for picture in pictures:
        Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2]))).load()
        assert "alt" in picture
    # The heat map says nothing that its photo does not say.
    assert {p.get("class") for p in pictures if not p["alt"]} == {"heat"}


def test_a_hostile_name_stays_a_name(prepared, tmp_path):
    found = page(prepared, tmp_path)
    shown = HOSTILE.replace("\u202e", "\ufffd")
    assert shown.rpartition("/")[2] in found.text
    assert any(shown in a.get("alt", "") for _, a in found.tags)
    assert not any("onload" in a for _, a in found.tags)
    assert "noise of 9 <b>levels</b>" in found.text


def test_nothing_that_the_set_says_is_taken_for_markup(tmp_path):
    evil = "<img src=x onerror='y'>&amp;\"{{ 7*7 }}{% x %}$_x$\u202e\n"
    settings = Settings(network=evil)
    rejected = [Rejected(name=evil, reason=evil, rule=evil)]
    folder = tmp_path / "<b>set"
    prepared = draw_set(
        folder, [(96, 96, 3)], names=[f"{evil}/{evil}"], rejected=rejected, settings=settings
    )
    (photo,) = prepared.manifest.pictures
    photo.credit.update(author=evil, licence=evil)
    photo.measures[evil] = 1.0
    prepared.patches["reason"][0] = "<u>flat"
    found = page(prepared, tmp_path)
    assert not {tag for tag, _ in found.tags} & {"b>set", "u", "script"}
    assert not any("onerror" in a or a.get("src") == "x" for _, a in found.tags)
    shown = evil.replace("\u202e", "\ufffd").replace("\n", "\ufffd")
    # Folder, name, two facts, rule twice, name and reason of a rejected photo, author and licence
    # in one line, licence in the head, title of the chart.
    assert found.text.count(shown) == 12
    assert "What training sees of <b>set" in found.text


def test_the_counts_are_those_of_the_table(prepared, tmp_path):
    text = page(prepared, tmp_path).text
    patches = prepared.patches
    rejected = int((patches["reason"] != "").sum())
    assert rejected == 3
    assert f"{len(patches) - rejected} patches kept" in text
    assert f"{rejected} patches rejected, {rejected / len(patches):.1%}" in text
    assert "2 photos to train on" in text
    assert "1 photos set aside" in text
    assert "2 photos rejected" in text
    assert prepared.manifest.photos_sha256 in text
    assert f"2 patches, {2 / len(patches):.2%}" in text
    assert f"1 patch, {1 / len(patches):.2%}" in text


def test_rejected_photos_are_listed_with_rule_number_and_reason(prepared, tmp_path):
    text = page(prepared, tmp_path).text
    assert "1 × noise, 1 × unreadable" in text
    assert "9.25" in text
    assert "cannot be read" in text


def test_nothing_rejected_is_said_so(tmp_path):
    text = page(draw_set(tmp_path / "set", [(96, 96, 3)]), tmp_path).text
    assert "Not one photo was rejected" in text
    assert "Not one patch was rejected" in text


def test_everything_rejected_is_a_page_too(tmp_path):
    prepared = draw_set(tmp_path / "set", [(96, 96, 3)])
    prepared.patches["reason"] = "flat"
    assert "0 patches kept" in page(prepared, tmp_path).text


@pytest.mark.parametrize("is_screened", [True, False])
def test_limits_are_drawn_where_they_were_used(tmp_path, is_screened):
    settings = Settings(screens=is_screened)
    found = page(draw_set(tmp_path / "set", [(96, 96, 3)], settings=settings), tmp_path)
    limits = [a for tag, a in found.tags if a.get("class") == "limit"]
    assert ("was not screened" in found.text) == (not is_screened)
    # Noise, blockiness and sharpness of photos, variance and clipping of patches: line and text.
    assert len(limits) == (10 if is_screened else 0)


def test_the_network_loss_is_shown_where_it_was_measured(prepared, tmp_path):
    assert "Network loss" not in page(prepared, tmp_path).text
    prepared.patches["network_loss"][5:] = 3.0
    assert "Network loss" in page(prepared, tmp_path).text


def test_pictures_of_luma_alone_work(tmp_path):
    settings = Settings(channels="y")
    prepared = draw_set(tmp_path / "set", [(96, 144, 1)], settings=settings)
    assert any(tag == "img" for tag, _ in page(prepared, tmp_path).tags)


def test_a_large_set_gives_a_bounded_number_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "MAX_PHOTOS", 5)
    prepared = draw_set(tmp_path / "set", [(48, 48, 1)] * 60)
    found = page(prepared, tmp_path)
    assert sum(tag == "figure" for tag, _ in found.tags) == 5
    assert sum(tag == "img" for tag, _ in found.tags) == 5 * 2 + 2 * gallery.SHEET
    assert "5 of 60 photos" in found.text
    assert "55 are left out" in found.text


def test_the_same_set_gives_the_same_bytes(prepared, tmp_path):
    for name in ("a.html", "b.html"):
        write_report(prepared, tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_an_older_page_stays_whole_when_the_new_one_fails(prepared, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    (prepared.folder / "pictures/00000.npy").unlink()
    with pytest.raises(DatasetError, match="no report at"):
        write_report(prepared, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["report.html"]


def test_a_folder_that_does_not_exist_is_told(prepared, tmp_path):
    with pytest.raises(DatasetError, match="No such file or directory"):
        write_report(prepared, tmp_path / "nowhere/report.html")


def test_the_set_is_not_changed(prepared, tmp_path):
    before = prepared.patches.copy()
    prepared.patches.flags.writeable = False
    write_report(prepared, tmp_path / "report.html")
    assert all(
        np.array_equal(before[n], prepared.patches[n], equal_nan=n != "reason")
        for n in before.dtype.names
    )
