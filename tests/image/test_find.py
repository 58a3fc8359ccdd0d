import io
import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.find import PICTURE_SUFFIXES, find_pictures, search
from pixelift.image.read import read_picture

OTHER_SUFFIXES = [".bmp", ".ico", ".jp2", ".pcx", ".pdf", ".ppm", ".tga", ".txt"]


def test_pictures_are_found_at_any_depth_in_a_fixed_order(tmp_path):
    names = ["b.JPG", "a/z.png", "a b/ü.webp", "notes.txt", ".hidden.png", ".git/x.png"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    found = [p.relative_to(tmp_path).as_posix() for p in find_pictures(tmp_path)]
    assert found == ["a/z.png", "a b/ü.webp", "b.JPG"]


def test_what_cannot_be_looked_at_is_listed_with_its_reason_and_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the names of sockets have to be short
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").symlink_to("a.png")
    (tmp_path / "broken.png").symlink_to("nowhere")
    (tmp_path / "circle.png").symlink_to("circle.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo("pipe.png")
    os.mkfifo("no picture")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        found = search(tmp_path)

    assert [path.name for path in found.pictures] == ["a.png", "b.png"]
    assert {unseen.path.name: unseen.why for unseen in found.unseen} == {
        "broken.png": "it is a link to nothing",
        "circle.png": "too many levels of symbolic links",
        "pipe.png": "it is a pipe",
        "socket.png": "it is a socket",
        "zero.png": "it is a device",
    }
    assert all(str(unseen).startswith("cannot read ") for unseen in found.unseen)


@pytest.mark.parametrize("call", ["scandir", "stat"])
def test_a_folder_that_may_not_be_listed_or_entered_costs_only_itself(tmp_path, monkeypatch, call):
    for name in ("a.png", "locked/b.png", "open/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    original = getattr(os, call)

    def refuse(path, *arguments, **options):
        if Path(os.path.normpath(path)) == tmp_path / "locked":
            raise PermissionError(13, "Permission denied")
        return original(path, *arguments, **options)

    monkeypatch.setattr(os, call, refuse)
    found = search(tmp_path)
    monkeypatch.undo()

    assert [path.name for path in found.pictures] == ["a.png", "c.png"]
    (unseen,) = found.unseen
    assert unseen.is_folder
    assert unseen.path == tmp_path / "locked"
    assert "permission denied. Allow it: chmod u+rx" in str(unseen)


def test_a_folder_that_has_gone_is_empty(tmp_path):
    assert search(tmp_path / "gone").pictures == []


@pytest.mark.parametrize("suffix", sorted(PICTURE_SUFFIXES))
def test_a_picture_of_each_ending_that_is_looked_for_can_be_read(suffix):
    stream = io.BytesIO()
    Image.new("RGB", (9, 6), "teal").save(stream, Image.registered_extensions()[suffix])

    assert str(read_picture(stream.getvalue()).size) == "9x6"


@pytest.mark.parametrize("suffix", OTHER_SUFFIXES)
def test_what_cannot_be_read_is_not_looked_for(suffix, tmp_path):
    path = tmp_path / f"picture{suffix}"
    if suffix in Image.registered_extensions():
        Image.new("RGB", (16, 16), "teal").save(path)
    else:
        path.write_text("no picture")

    assert find_pictures(tmp_path) == []
    with pytest.raises(ImageReadError):
        read_picture(path)


def test_the_names_that_jpegs_have_are_all_known():
    assert {".jpg", ".jpeg", ".jpe", ".jfif"} <= PICTURE_SUFFIXES
