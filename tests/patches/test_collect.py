import os
import sys

import pytest

from pixelift.errors import DatasetError
from pixelift.patches.collect import collect_photos, find_credit


def test_photos_of_a_folder_are_named_by_their_path_below_it(tmp_path):
    for name in ("b.png", "deep/a.jpg", "deep/notes.txt", ".hidden/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    sources = collect_photos([tmp_path, tmp_path / "deep" / "a.jpg"], "valid")
    assert [s.name for s in sources] == ["b.png", "deep/a.jpg", "a.jpg"]
    assert {s.split for s in sources} == {"valid"}
    assert sources[1].path == sources[2].path


def test_empty_folders_folders_without_pictures_and_wrong_paths_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="no pictures in"):
        collect_photos([tmp_path], "train")
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(DatasetError, match=r"no pictures in .* allowed are PNG"):
        collect_photos([tmp_path], "train")
    with pytest.raises(DatasetError, match="no such file or folder"):
        collect_photos([tmp_path / "missing.jpg"], "train")


def test_licences_are_taken_from_a_sources_table_above_the_photo(tmp_path):
    photo = tmp_path / "photos" / "sub" / "b c.png"
    photo.parent.mkdir(parents=True)
    table = "file\tlicence\tauthor\tkind\nphotos/sub/b c.png\tCC0\tSomebody\tdetail\n"
    (tmp_path / "SOURCES.tsv").write_text(table)
    assert find_credit(photo) == {"licence": "CC0", "author": "Somebody", "kind": "detail"}
    assert find_credit(photo.with_name("other.png")) == {}


def test_what_is_no_file_is_listed_with_the_reason(tmp_path):
    (tmp_path / "a.png").touch()
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to("nowhere")

    sources = collect_photos([tmp_path, tmp_path / "b.png"], "train")

    assert [s.name for s in sources] == ["a.png", "b.png", "c.png", "b.png"]
    assert [bool(s.why_not) for s in sources] == [False, True, True, True]


@pytest.mark.skipif(sys.platform != "linux", reason="makes a file name of bytes that are no text")
def test_names_are_text_that_a_manifest_can_hold(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    assert [s.name for s in collect_photos([tmp_path], "train")] == [r"caf\xe9.png"]
