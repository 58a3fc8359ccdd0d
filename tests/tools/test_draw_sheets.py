"""Sheets of text and lines to train on: drawn the same everywhere, and full."""

import csv
import sys

import numpy as np

from tools import draw_sheets
from tools.draw_sheets import HEIGHT, WIDTH, Sheet


def test_a_sheet_follows_from_its_seed():
    first, again, other = (np.asarray(Sheet(seed).finish()) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_sheet_is_full_of_edges():
    sheet = np.asarray(Sheet(5).finish()).astype(float)
    assert sheet.shape == (HEIGHT, WIDTH, 3)
    ninths = sheet.mean(axis=2)[: HEIGHT // 3 * 3, : WIDTH // 3 * 3]
    ninths = ninths.reshape(3, HEIGHT // 3, 3, WIDTH // 3)
    assert (ninths.std(axis=(1, 3)) > 1).sum() >= 6


def test_a_folder_of_sheets_says_where_they_are_from(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["draw_sheets", str(tmp_path / "new"), "--sheets", "1"])
    draw_sheets.main()
    with (tmp_path / "new" / "SOURCES.tsv").open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream, delimiter="\t")
    assert (tmp_path / "new" / row["file"]).is_file()
    assert row["licence"] == "CC0-1.0"
    assert row["source"] == "tools/draw_sheets.py"
