import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from pixelift.atomic import hidden_stem
from pixelift.errors import ConfigError, DatasetError, EngineUnavailableError, WrongDatasetError
from pixelift.patches import photo as photo_module
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings, open_dataset
from pixelift.patches.prepare import find_finished, prepare
from tests.prepared import natural_photo

SETTINGS = Settings(holdout=0, screens=False)


@pytest.fixture
def photos(tmp_path, rng):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    shapes = {"a.png": (100, 80), "grey.png": (70, 70), "sub/b c.png": (61, 90)}
    for name, shape in shapes.items():
        image = Image.fromarray(natural_photo(rng, *shape))
        image.convert("L" if "grey" in name else "RGB").save(folder / name)
    return folder


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def run(photos, folder, *, settings=SETTINGS, workers=1, **options):
    sources = collect_photos([photos], "train")
    return prepare(sources, folder, settings=settings, workers=workers, **options)


def test_a_set_is_opened_with_all_its_photos_and_patches(photos, tmp_path):
    manifest = run(photos, tmp_path / "set")
    prepared = open_dataset(tmp_path / "set", verify="checksums")
    assert prepared.manifest == manifest
    assert [p.name for p in manifest.pictures] == ["a.png", "grey.png", "sub/b c.png"]
    assert prepared.picture(0).shape == (96, 72, 3)
    assert prepared.patches["picture"].tolist() == [0, 0, 1, 2]
    assert set(files(tmp_path / "set")) == {
        "manifest.json",
        "patches.parquet",
        *(f"pictures/0000{n}.npy" for n in range(3)),
    }


def test_any_number_of_workers_gives_the_same_bytes(photos, tmp_path, rng):
    shutil.copy(photos / "a.png", photos / "z.png")
    (photos / "broken.png").write_bytes(b"no picture")
    for n in range(6):
        Image.fromarray(natural_photo(rng, 60, 64)).save(photos / f"more{n}.jpg")
    settings = Settings()
    for workers in (1, 2, 4):
        run(photos, tmp_path / str(workers), settings=settings, workers=workers)
    assert files(tmp_path / "1") == files(tmp_path / "2") == files(tmp_path / "4")
    assert len(open_dataset(tmp_path / "1").manifest.rejected) == 2


def test_stopped_half_way_it_goes_on_and_gives_the_same_bytes(photos, tmp_path, monkeypatch):
    run(photos, tmp_path / "whole")

    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "resumed", progress=stop)
    with pytest.raises(DatasetError, match="no finished training set"):
        open_dataset(tmp_path / "resumed")
    decoded, told = [], []
    read = photo_module.read_u8
    monkeypatch.setattr(photo_module, "read_u8", lambda b: decoded.append(1) or read(b))
    run(photos, tmp_path / "resumed", progress=lambda *now: told.append(now))
    assert len(decoded) == 1
    assert told == [(1, 3, 0), (2, 3, 0), (3, 3, pytest.approx(61 * 90 / 1e6))]
    assert files(tmp_path / "whole") == files(tmp_path / "resumed")


KILLED = """
import sys, time
from pathlib import Path
from pixelift.patches import photo
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings
from pixelift.patches.prepare import prepare
save, calls = photo.save_array, []
def slow(path, array):
    calls.append(path)
    if len(calls) == 3:  # in the middle of the second photo, its picture half written
        path.write_bytes(array.tobytes()[:99])
        print("now", flush=True)
        time.sleep(60)
    return save(path, array)
photo.save_array = slow
settings = Settings(holdout=0, screens=False)
photos, folder = map(Path, sys.argv[1:])
prepare(collect_photos([photos], "train"), folder, settings=settings, workers=1)
"""


def test_killed_half_way_it_goes_on_and_gives_the_same_bytes(photos, tmp_path):
    run(photos, tmp_path / "whole")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(photos), str(tmp_path / "resumed")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "now\n"
        os.kill(process.pid, signal.SIGKILL)
    left = files(tmp_path / "resumed")
    assert "unfinished/00000.entry.json" in left
    assert "unfinished/00001.entry.json" not in left
    assert len(left["pictures/00001.npy"]) == 99
    assert "manifest.json" not in left
    run(photos, tmp_path / "resumed")
    assert files(tmp_path / "whole") == files(tmp_path / "resumed")


def test_killed_at_the_very_beginning_or_end_it_goes_on(photos, tmp_path):
    run(photos, tmp_path / "whole")
    (tmp_path / "begun" / "pictures").mkdir(parents=True)
    plan = tmp_path / "begun" / "unfinished" / "plan.json"
    plan.parent.mkdir()
    plan.with_name(f"{hidden_stem(plan)}-partial.json").write_text("{")
    run(photos, tmp_path / "begun")
    assert files(tmp_path / "begun") == files(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "ended")
    (tmp_path / "ended" / "unfinished").mkdir()
    (tmp_path / "ended" / "unfinished" / "plan.json").write_text("{}")
    (tmp_path / "ended" / "pictures" / "00003.npy").write_text("of a photo that repeats another")
    run(photos, tmp_path / "ended")
    assert files(tmp_path / "ended") == files(tmp_path / "whole")


def test_photos_that_repeat_others_are_left_out_with_name_and_distance(photos, tmp_path, rng):
    pixels = natural_photo(rng, 120, 160)
    Image.fromarray(pixels).save(photos / "d.png")
    Image.fromarray(pixels).save(photos / "e.jpg", quality=95)
    shutil.copy(photos / "a.png", photos / "z.png")
    settings = Settings(holdout=0)
    manifest = run(photos, tmp_path / "set", settings=settings)
    same, near = sorted(manifest.rejected, key=lambda r: r.rule, reverse=True)
    assert (same.name, same.rule, same.reason) == ("z.png", "same file", "same file as a.png")
    assert (near.name, near.rule) == ("e.jpg", "near-duplicate")
    assert near.reason.startswith("shows the same as d.png: their hashes differ in")
    assert 0 <= near.number <= settings.limits.duplicate_distance
    stored = list((tmp_path / "set" / "pictures").iterdir())
    assert len(stored) == len(manifest.pictures)
    kept = run(photos, tmp_path / "all", settings=Settings(screens=False))
    assert [r.rule for r in kept.rejected] == ["same file"]


def test_a_photo_to_validate_with_may_not_repeat_one_to_train_on(photos, tmp_path, rng):
    pixels = natural_photo(rng, 120, 160)
    Image.fromarray(pixels).save(photos / "d.png")
    Image.fromarray(pixels[::2, ::2]).save(tmp_path / "leak.png")
    sources = collect_photos([photos], "train") + collect_photos([tmp_path / "leak.png"], "valid")
    manifest = prepare(sources, tmp_path / "set", settings=Settings(), workers=1)
    assert [(r.name, r.rule) for r in manifest.rejected] == [("leak.png", "near-duplicate")]


def test_without_validation_photos_a_share_is_set_aside(photos, tmp_path):
    settings = Settings(holdout=0.34, screens=False)
    manifest = run(photos, tmp_path / "set", settings=settings)
    assert sorted(p.split for p in manifest.pictures) == ["train", "train", "valid"]
    valid = next(p.number for p in manifest.pictures if p.split == "valid")
    assert valid not in open_dataset(tmp_path / "set").patches["picture"]


def test_even_of_few_photos_one_is_set_aside(photos, tmp_path):
    settings = Settings(screens=False)
    sources = collect_photos([photos], "train")
    manifest = prepare(sources, tmp_path / "set", settings=settings, workers=1)
    assert sorted(p.split for p in manifest.pictures) == ["train", "train", "valid"]
    alone = prepare(sources[:1], tmp_path / "alone", settings=settings, workers=1)
    assert [p.split for p in alone.pictures] == ["train"]


def test_folders_that_hold_something_else_are_left_alone(photos, tmp_path):
    for name in ("thesis.txt", "pictures/holiday.jpg", "unfinished/novel.txt"):
        other = tmp_path / name.replace("/", "-") / "folder"
        (other / name).parent.mkdir(parents=True)
        (other / name).write_text("precious")
        with pytest.raises(DatasetError, match="not empty and holds no training set"):
            run(photos, other)
        assert files(other) == {name: b"precious"}
    (tmp_path / "set").write_text("precious")
    with pytest.raises(WrongDatasetError, match="is a file; a training set is a folder"):
        run(photos, tmp_path / "set")


def test_a_finished_set_is_found_again_and_left_as_it_is(photos, tmp_path, monkeypatch):
    first = run(photos, tmp_path / "set")
    before = files(tmp_path / "set")
    monkeypatch.setattr(photo_module, "read_u8", None)
    assert run(photos, tmp_path / "set") == first
    assert files(tmp_path / "set") == before
    sources = collect_photos([photos], "train")
    assert find_finished(sources, tmp_path / "none", settings=SETTINGS) is None


def test_a_set_of_other_photos_or_settings_is_not_overwritten(photos, tmp_path, rng):
    run(photos, tmp_path / "set")
    before = files(tmp_path / "set")
    with pytest.raises(WrongDatasetError, match="finished training set of other photos"):
        run(photos, tmp_path / "set", settings=Settings(scale=3, screens=False))
    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "half", progress=lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    Image.fromarray(natural_photo(rng, 60, 64)).save(photos / "new.png")
    for folder, kind in (("set", "a finished training set"), ("half", "an unfinished set")):
        with pytest.raises(WrongDatasetError, match=f"{kind} of other photos or settings"):
            run(photos, tmp_path / folder)
    assert files(tmp_path / "set") == before


def test_a_set_of_the_first_version_is_refused(photos, tmp_path):
    (tmp_path / "set").mkdir()
    old = '{"format": "pixelift-dataset", "version": 1}'
    (tmp_path / "set" / "manifest.json").write_text(old)
    with pytest.raises(WrongDatasetError, match=r"of version 1.*Prepare the photos again"):
        run(photos, tmp_path / "set")
    assert files(tmp_path / "set") == {"manifest.json": old.encode()}


def test_nothing_to_train_on_is_an_error_with_the_reasons(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"none of the 1 photos can be trained on \(bad.png"):
        run(folder, tmp_path / "set")


def full_disk(after):
    """Make a disk that takes so many arrays and is full from then on."""
    save, calls = photo_module.save_array, []

    def save_array(path, array):
        calls.append(path)
        if len(calls) > after:
            raise OSError(28, "No space left on device")
        return save(path, array)

    return save_array


def test_a_full_disk_ends_the_run_and_keeps_what_is_prepared(photos, tmp_path, monkeypatch):
    run(photos, tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(photo_module, "save_array", full_disk(3))
        with pytest.raises(
            DatasetError, match=r"No space left on device. What is prepared is kept"
        ):
            run(photos, tmp_path / "set")
    assert "unfinished/00000.entry.json" in files(tmp_path / "set")
    run(photos, tmp_path / "set")
    assert files(tmp_path / "whole") == files(tmp_path / "set")


def test_a_disk_that_is_full_at_the_end_loses_nothing_either(photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    run(photos, tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr("pixelift.patches.prepare.write_patches", full)
        with pytest.raises(DatasetError, match="make room there"):
            run(photos, tmp_path / "set")
    run(photos, tmp_path / "set")
    assert files(tmp_path / "whole") == files(tmp_path / "set")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_told(photos, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(WrongDatasetError, match=r"cannot write to .*: Permission denied"):
        run(photos, tmp_path / "locked" / "set")


class Twice:
    """A network that repeats pixels; can be sent to other processes."""

    def __call__(self, lr):
        return (lr.repeat(2, axis=0).repeat(2, axis=1) / 255).astype(np.float32)


def test_the_loss_of_a_network_is_measured_in_all_processes_alike(photos, tmp_path):
    settings = Settings(scale=2, holdout=0, screens=False, network="twice")
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        run(photos, folder, settings=settings, workers=workers, restore=Twice())
    assert files(tmp_path / "1") == files(tmp_path / "2")
    prepared = open_dataset(tmp_path / "1")
    assert prepared.manifest.settings.network == "twice"
    assert (prepared.patches["network_loss"] > prepared.patches["restoration_error"]).any()
    with pytest.raises(ConfigError, match="belong together"):
        run(photos, tmp_path / "set", restore=Twice())


@pytest.mark.parametrize("package", ["pyarrow", "PIL"])
def test_without_a_package_nothing_is_begun(photos, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineUnavailableError, match="pip install"):
        run(photos, tmp_path / "set", settings=Settings())
    assert not (tmp_path / "set").exists()


def test_the_time_of_day_and_the_place_leave_no_trace_in_a_set(photos, tmp_path):
    run(photos, tmp_path / "one")
    time.sleep(0.01)
    os.utime(photos / "a.png", (1, 1))
    shutil.move(photos, tmp_path / "elsewhere")
    run(tmp_path / "elsewhere", tmp_path / "deep" / "two")
    assert files(tmp_path / "one") == files(tmp_path / "deep" / "two")
