import shutil
import sys
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import DatasetError, EngineUnavailableError, WrongDatasetError
from pixelift.image.resize import downscale
from pixelift.patches import prepare as prepare_module
from pixelift.patches.dataset import Settings, open_dataset
from pixelift.patches.prepare import collect_photos, prepare

SETTINGS = Settings(scales=(2, 3), patch=48, stride=24, holdout=0)


@pytest.fixture
def photos(tmp_path, rng):
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    shapes = {"a.png": (100, 80, 3), "sub/b c.png": (61, 90, 3), "grey.png": (70, 70)}
    for name, shape in shapes.items():
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / name)
    return folder


def files(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def run(photos, folder, **options):
    sources = collect_photos([photos], "train")
    return prepare(sources, folder, settings=SETTINGS, workers=1, **options)


def test_pictures_are_stored_once_decoded_with_their_matlab_lr(photos, tmp_path):
    run(photos, tmp_path / "set")
    prepared = open_dataset(tmp_path / "set", verify="hashes")
    assert [p.name for p in prepared.manifest.pictures] == ["a.png", "grey.png", "sub/b c.png"]
    hr = np.asarray(Image.open(photos / "a.png"))[:96, :78]
    assert np.array_equal(prepared.picture(0), hr)
    for scale in (2, 3):
        assert np.array_equal(prepared.picture(0, scale), downscale(hr, scale))
    grey = prepared.picture(1)
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert set(prepared.patches["picture"].tolist()) == {0, 1, 2}


def test_any_number_of_workers_gives_the_same_bytes(photos, tmp_path):
    run(photos, tmp_path / "one")
    prepare(collect_photos([photos], "train"), tmp_path / "two", settings=SETTINGS, workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_killed_half_way_it_goes_on_and_gives_the_same_bytes(photos, tmp_path, monkeypatch):
    run(photos, tmp_path / "whole")

    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "resumed", progress=stop)
    with pytest.raises(DatasetError, match="no finished training set"):
        open_dataset(tmp_path / "resumed")
    decoded = []
    read = prepare_module.read_picture
    monkeypatch.setattr(prepare_module, "read_picture", lambda b: decoded.append(1) or read(b))
    run(photos, tmp_path / "resumed")
    assert len(decoded) == 1
    assert files(tmp_path / "whole") == files(tmp_path / "resumed")


def test_bad_duplicate_and_small_photos_are_left_out_with_a_reason(photos, tmp_path, rng):
    shutil.copy(photos / "a.png", photos / "z.png")
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:200])
    Image.fromarray(rng.integers(0, 256, (20, 90), dtype=np.uint8)).save(photos / "tiny.png")
    manifest = run(photos, tmp_path / "set")
    reasons = {r.name: r.reason for r in manifest.rejected}
    assert set(reasons) == {"z.png", "broken.png", "tiny.png"}
    assert [r.name for r in manifest.rejected if r.is_failure] == ["broken.png"]
    assert reasons["z.png"] == "same file as a.png"
    assert reasons["tiny.png"] == "90x20 is smaller than a patch of 48 pixels"
    assert len(list((tmp_path / "set" / "pictures").iterdir())) == 3 * len(manifest.pictures)


def test_licences_are_taken_from_a_sources_table_above_the_photo(photos, tmp_path):
    table = "file\tlicence\tauthor\tkind\nphotos/sub/b c.png\tCC0\tSomebody\tdetail\n"
    (tmp_path / "SOURCES.tsv").write_text(table)
    manifest = run(photos, tmp_path / "set")
    assert manifest.pictures[2].credit == {"licence": "CC0", "author": "Somebody", "kind": "detail"}
    assert manifest.pictures[0].credit == {}


def test_without_validation_photos_a_share_is_set_aside(photos, tmp_path):
    settings = Settings(scales=(2,), patch=48, stride=24, holdout=0.34)
    manifest = prepare(
        collect_photos([photos], "train"), tmp_path / "set", settings=settings, workers=1
    )
    assert sorted(p.split for p in manifest.pictures) == ["train", "train", "valid"]
    valid = next(p.number for p in manifest.pictures if p.split == "valid")
    assert valid not in open_dataset(tmp_path / "set").patches["picture"]


def test_even_of_few_photos_one_is_set_aside(photos, tmp_path):
    settings = Settings(scales=(2,), patch=48, stride=24)
    sources = collect_photos([photos], "train")
    manifest = prepare(sources, tmp_path / "set", settings=settings, workers=1)
    assert sorted(p.split for p in manifest.pictures) == ["train", "train", "valid"]
    alone = prepare(sources[:1], tmp_path / "alone", settings=settings, workers=1)
    assert [p.split for p in alone.pictures] == ["train"]


def test_a_folder_that_holds_something_else_is_left_alone(photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(DatasetError, match="not empty and holds no training set"):
        run(photos, other)
    assert files(other) == {"thesis.txt": b"precious"}


def test_a_finished_set_and_one_of_other_settings_are_not_overwritten(photos, tmp_path):
    run(photos, tmp_path / "set")
    with pytest.raises(DatasetError, match="finished training set already"):
        run(photos, tmp_path / "set")
    with pytest.raises(KeyboardInterrupt):
        run(photos, tmp_path / "half", progress=lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(DatasetError, match="unfinished set of other photos or settings"):
        prepare(
            collect_photos([photos], "train"),
            tmp_path / "half",
            settings=Settings(scales=(4,), patch=48),
        )


def test_nothing_to_train_on_is_an_error_with_the_reasons(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    with pytest.raises(DatasetError, match="no pictures in"):
        collect_photos([folder], "train")
    with pytest.raises(DatasetError, match="no such file or folder"):
        collect_photos([folder / "missing.jpg"], "train")
    (folder / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"none of the 1 photos can be trained on \(bad.png"):
        run(folder, tmp_path / "set")


def test_a_worker_that_is_killed_is_told_with_how_to_go_on(photos, tmp_path, monkeypatch):
    class Killed(prepare_module.ProcessPoolExecutor):
        def submit(self, *_):
            raise BrokenProcessPool

    monkeypatch.setattr(prepare_module, "ProcessPoolExecutor", Killed)
    with pytest.raises(DatasetError, match="go on with fewer, as --workers 1"):
        prepare(collect_photos([photos], "train"), tmp_path / "set", settings=SETTINGS, workers=2)


def test_a_place_that_is_a_file_is_refused(photos, tmp_path):
    (tmp_path / "set").write_text("precious")
    with pytest.raises(WrongDatasetError, match="is a file; a training set is a folder"):
        run(photos, tmp_path / "set")


def test_without_pyarrow_nothing_is_begun(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(EngineUnavailableError, match="pip install"):
        run(photos, tmp_path / "set")
    assert not (tmp_path / "set").exists()
