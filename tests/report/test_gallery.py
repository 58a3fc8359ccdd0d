import numpy as np
import pytest

from pixelift.report import gallery
from pixelift.report.gallery import choose_patches, choose_photos, show_patches, show_photos
from pixelift.report.thumbnails import HeatScale
from tests.drawn_set import draw_set, patch_rows

SCALE = HeatScale(1.0, 1000.0)


def test_photos_with_most_to_learn_come_first(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)] * 4, valid=[1])
    assert [e.number for e in choose_photos(prepared)] == [3, 2, 0]


def test_a_photo_without_a_kept_patch_comes_last(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3)] * 3)
    prepared.patches["reason"][prepared.patches["picture"] == 2] = "flat"
    assert [e.number for e in choose_photos(prepared)] == [1, 0, 2]


def test_too_many_photos_are_thinned_evenly(tmp_path, monkeypatch):
    prepared = draw_set(tmp_path, [(48, 48, 1)] * 9)
    monkeypatch.setattr(gallery, "MAX_PHOTOS", 3)
    assert sorted(e.number for e in choose_photos(prepared)) == [0, 4, 8]


def test_a_sheet_takes_as_few_patches_of_a_photo_as_fill_it(frozen):
    rows = np.concatenate([patch_rows(n, (480, 480)) for n in range(4)])
    rows["restoration_error"] += 1000 * rows["picture"]
    chosen = choose_patches(frozen(rows), -rows["restoration_error"], count=8)
    assert np.bincount(chosen["picture"]).tolist() == [2, 2, 2, 2]
    assert (np.diff(chosen["restoration_error"]) <= 0).all()
    assert chosen["restoration_error"][0] == rows["restoration_error"].max()


def test_a_sheet_of_one_photo_is_filled_from_it():
    rows = patch_rows(0, (480, 480))
    assert len(choose_patches(rows, rows["restoration_error"], count=8)) == 8


def test_a_sheet_of_nothing_is_empty():
    rows = patch_rows(0, (0, 0))
    assert len(choose_patches(rows, rows["restoration_error"])) == 0


def test_a_caption_tells_what_was_measured(tmp_path):
    prepared = draw_set(tmp_path, [(120, 200, 3)], names=["holiday/sea.jpg"])
    prepared.patches["reason"][0] = "flat"
    (photo,) = show_photos(prepared, choose_photos(prepared), SCALE)
    assert (photo.folder, photo.name) == ("holiday/", "sea.jpg")
    assert photo.facts["Pixels"] == "200 × 120"
    assert photo.facts["Noise"] == "1 levels"
    assert photo.facts["Sharpness"] == "−8 dB"
    assert photo.facts["Patches kept"] == "87.5% of 8"
    assert photo.credit == "licence not stated"


def test_the_map_covers_whole_patches_and_the_cell_that_is_cut_off(tmp_path):
    prepared = draw_set(tmp_path, [(96, 160, 3)])
    (photo,) = show_photos(prepared, choose_photos(prepared), SCALE)
    assert photo.cover == pytest.approx(1.2)  # four cells of 48 over 160 pixels


def test_a_photo_without_rows_is_shown_all_the_same(tmp_path):
    prepared = draw_set(tmp_path, [(96, 96, 3), (30, 40, 3)])
    photos = list(show_photos(prepared, choose_photos(prepared), SCALE))
    assert photos[1].facts["Patches kept"] == "0% of 0"


def test_the_frame_of_a_patch_lies_where_the_patch_is(tmp_path):
    prepared = draw_set(tmp_path, [(144, 144, 3)])
    shown = list(show_patches(prepared, prepared.patches, column="restoration_error"))
    assert [shown[n].frame for n in (0, 4, 8)] == [
        (0, 0, 0.5, 0.5),
        (0.25, 0.25, 0.5, 0.5),
        (0.5, 0.5, 0.5, 0.5),
    ]
    assert shown[7].place == (96, 48)
