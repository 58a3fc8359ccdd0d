from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pixelift.degrade import folder as module
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS
from pixelift.degrade.folder import Drawn, Replayed, degrade_folder
from pixelift.degrade.recorded import read_record
from pixelift.errors import ConfigError, WrongDatasetError
from tests.prepared import natural_photo

PHOTO = Drawn(PRESETS["photo"], 2, 7, "photo")


@pytest.fixture
def photos(tmp_path, rng):
    for name in ("a.png", "b/c.png", "b/d.png"):
        (tmp_path / "hr" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(natural_photo(rng, 41, 50)).save(tmp_path / "hr" / name)
    return tmp_path / "hr"


def run(photos, output, plans=PHOTO):
    outcomes = []
    return degrade_folder(photos, output, plans=plans, report=outcomes.append), outcomes


def pixels(path):
    return np.array(Image.open(path))


def test_lr_pictures_are_what_their_recorded_plans_make(photos, tmp_path):
    _, outcomes = run(photos, tmp_path / "lr")
    assert [o.name for o in outcomes] == ["a.png", "b/c.png", "b/d.png"]
    assert not any(o.error or o.was_there for o in outcomes)
    record = read_record(tmp_path / "lr" / "plans.json")
    assert (record.scale, record.drawn) == (2, "photo, seed 7")
    for name, made in record.pictures.items():
        lr = apply_plan(pixels(photos / name)[:40], made.plan)
        assert np.array_equal(pixels(tmp_path / "lr" / name), lr)
    assert len({made.plan for made in record.pictures.values()}) == 3


def test_a_record_replays_bit_for_bit(photos, tmp_path):
    run(photos, tmp_path / "lr")
    record = read_record(tmp_path / "lr" / "plans.json")
    again, outcomes = run(photos, tmp_path / "again", Replayed(record))
    assert again == record
    assert not any(o.error for o in outcomes)
    for name in record.pictures:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "lr" / name).read_bytes()


def test_what_is_not_that_of_the_record_is_told(photos, tmp_path, rng):
    run(photos, tmp_path / "lr")
    record = read_record(tmp_path / "lr" / "plans.json")
    Image.fromarray(natural_photo(rng, 41, 50)).save(photos / "a.png")
    Image.fromarray(natural_photo(rng, 41, 50)).save(photos / "new.png")
    _, outcomes = run(photos, tmp_path / "again", Replayed(record))
    told = {o.name: o.error for o in outcomes}
    assert "another picture than the one that the plan was made for" in told["a.png"]
    assert "no plan for new.png in the record" in told["new.png"]
    assert told["b/c.png"] == ""
    assert not (tmp_path / "again" / "a.png").exists()


def test_a_plan_depends_on_seed_and_name_alone(photos, tmp_path):
    both, _ = run(photos, tmp_path / "lr")
    (photos / "a.png").unlink()
    fewer, _ = run(photos, tmp_path / "fewer")
    assert fewer.pictures["b/c.png"] == both.pictures["b/c.png"]
    other, _ = run(photos, tmp_path / "other", Drawn(PRESETS["photo"], 2, 8, "photo"))
    assert other.pictures["b/c.png"] != both.pictures["b/c.png"]


def test_a_stopped_run_goes_on_and_ends_as_if_nothing_had_happened(photos, tmp_path, monkeypatch):
    whole, _ = run(photos, tmp_path / "whole")
    count = Counter()

    def stopping(hr, plan):
        count["calls"] += 1
        if count["calls"] == 2:
            raise KeyboardInterrupt
        return apply_plan(hr, plan)

    monkeypatch.setattr(module, "apply_plan", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "lr")
    record, outcomes = run(photos, tmp_path / "lr")
    assert record == whole
    assert [o.was_there for o in outcomes] == [True, False, False]
    assert count["calls"] == 4


def test_bad_files_are_listed_and_the_others_done(photos, tmp_path):
    (photos / "bad.png").write_bytes(b"no picture")
    Image.new("RGB", (1, 1)).save(photos / "tiny.png")
    Image.new("RGB", (8, 8)).save(photos / "a.jpg")
    record, outcomes = run(photos, tmp_path / "lr")
    told = {o.name: o.error for o in outcomes}
    assert "cannot read" in told["bad.png"]
    assert "too small for scale 2" in told["tiny.png"]
    assert "would both become a.png" in told["a.jpg"]
    assert set(record.pictures) == {"b/c.png", "b/d.png"}


def test_places_that_make_no_sense_are_refused(photos, tmp_path):
    with pytest.raises(WrongDatasetError, match="lies in"):
        run(photos, photos / "lr")
    with pytest.raises(WrongDatasetError, match="no folder"):
        run(tmp_path / "missing", tmp_path / "lr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WrongDatasetError, match="no pictures in"):
        run(tmp_path / "empty", tmp_path / "lr")
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongDatasetError, match="cannot make"):
        run(photos, tmp_path / "file")
    run(photos, tmp_path / "lr")
    with pytest.raises(ConfigError, match="holds LR pictures of x2 by photo, seed 7, and these"):
        run(photos, tmp_path / "lr", Drawn(PRESETS["heavy"], 2, 7, "heavy"))
