import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips

from pixelift.errors import ImageWriteError
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.write import encode_picture, write_picture


def noise(rng, side=16):
    samples = rng.integers(0, 256, (side, side, 3))
    return Picture(samples.astype(np.float32) * np.float32(1 / 255))


def refusal(picture, path, **options):
    with pytest.raises(ImageWriteError) as caught:
        write_picture(picture, path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("cannot write")
    return message


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_a_quality_that_does_not_exist_is_refused(rng, tmp_path, quality):
    message = refusal(noise(rng), tmp_path / "a.jpg", quality=quality)
    assert f"the quality is {quality}; allowed is 1 (small) to 100 (good)" in message


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.gif", "a.png.bak", ".png"])
def test_an_unknown_suffix_is_refused_with_those_that_are_known(rng, tmp_path, name):
    message = refusal(noise(rng), tmp_path / name)
    assert ".png, .jpg, .jpeg, .jpe, .jfif, .webp, .tif, .tiff, .avif" in message
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused_with_those_that_are_known(rng):
    with pytest.raises(ImageWriteError, match=r'"gif" is no format .* png, jpeg, webp, tiff, avif'):
        encode_picture(noise(rng), "gif")


def test_a_picture_too_large_for_its_format_is_refused():
    wide = Picture(np.zeros((1, 16_384, 1), np.float32))
    with pytest.raises(ImageWriteError, match="16384x1; WebP holds at most 16383 pixels a side"):
        encode_picture(wide, "webp")
    assert read_picture(encode_picture(wide, "png")).size == wide.size


def test_an_existing_file_is_refused_and_left_alone(rng, tmp_path):
    path = tmp_path / "there.png"
    path.write_bytes(b"precious")
    assert "it exists already. Choose another name, or say overwrite." in refusal(noise(rng), path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced_when_told(rng, tmp_path):
    path = tmp_path / "there.png"
    path.write_bytes(b"old")
    picture = noise(rng)
    assert write_picture(picture, str(path), overwrite=True) == path
    assert (read_picture(path).pixels == picture.pixels).all()
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_nowhere_counts_as_existing(rng, tmp_path):
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "nowhere.png")
    assert "it exists already" in refusal(noise(rng), link)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_while_writing_is_not_replaced(rng, tmp_path, monkeypatch, links):
    path = tmp_path / "race.png"
    encode = pyvips.Target.new_to_descriptor

    def somebody_else_writes(descriptor):
        path.write_bytes(b"theirs")
        return encode(descriptor)

    monkeypatch.setattr(pyvips.Target, "new_to_descriptor", somebody_else_writes)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    assert "it exists already" in refusal(noise(rng), path)
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def no_links(*_):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_file_systems_without_links_work_too(rng, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", no_links)
    picture = noise(rng)
    path = write_picture(picture, tmp_path / "a.png")
    assert (read_picture(path).pixels == picture.pixels).all()
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_refused(rng, tmp_path):
    message = refusal(noise(rng), tmp_path / "no such" / "a.png")
    assert f'there is no folder "{tmp_path / "no such"}". Create it first: mkdir -p' in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_device_in_the_place_is_refused(rng, tmp_path):
    folder = tmp_path / "folder.png"
    folder.mkdir()
    assert "it is a folder" in refusal(noise(rng), folder, overwrite=True)
    link = tmp_path / "null.png"
    link.symlink_to("/dev/null")
    assert "it is a device" in refusal(noise(rng), link, overwrite=True)
    assert sorted(tmp_path.iterdir()) == [folder, link]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder_is_refused(rng, tmp_path, monkeypatch, number):
    # Simulated, because root may write everywhere.
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    assert f'no permission to write into "{tmp_path}"' in refusal(noise(rng), tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_a_full_disk_leaves_nothing_behind(rng, tmp_path, monkeypatch, suffix, capfd):
    monkeypatch.setattr(
        pyvips.Target,
        "new_to_descriptor",
        lambda _, new=pyvips.Target.new_to_descriptor: new(full),
    )
    full = os.open("/dev/full", os.O_RDWR)
    try:
        message = refusal(noise(rng, 64), tmp_path / f"a{suffix}")
    finally:
        os.close(full)
    assert "the disk is full. Free some space, or choose another folder." in message
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_a_limit_on_file_sizes_leaves_nothing_behind(tmp_path):
    # In a process of its own: the limit would hold for everything pytest writes.
    code = f"""
import numpy as np, resource, signal
from pixelift.errors import ImageWriteError
from pixelift.image.picture import Picture
from pixelift.image.write import write_picture
picture = Picture(np.random.default_rng(0).random((400, 400, 3), np.float32))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for suffix in ("png", "jpg", "webp", "tif"):
    try:
        write_picture(picture, {str(tmp_path)!r} + "/a." + suffix, quality=100)
    except ImageWriteError as err:
        print(err)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all("File too large. Choose another name or folder." in line for line in lines)
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_any_interruption_leaves_the_folder_as_it_was(rng, tmp_path, monkeypatch, failure):
    old = tmp_path / "a.png"
    old.write_bytes(b"old")

    def interrupt(*_, **__):
        assert len(list(tmp_path.iterdir())) == 2
        raise failure

    monkeypatch.setattr("pixelift.atomic._move", interrupt)
    with pytest.raises(failure):
        write_picture(noise(rng), old, overwrite=True)
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


def test_the_file_has_the_usual_permissions(rng, tmp_path):
    mask = os.umask(0o027)
    try:
        path = write_picture(noise(rng), tmp_path / "a.png")
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_picture_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch, overwrite):
    # After a power cut, a name without its bytes would be taken for a picture that is done.
    path, sizes = tmp_path / "a.png", []
    sync = os.fsync

    def waited_for(descriptor):
        sizes.append((os.fstat(descriptor).st_size, path.exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", waited_for)
    write_picture(Picture(np.zeros((9, 9, 3), np.float32)), path, overwrite=overwrite)
    assert sizes[0] == (path.stat().st_size, False)
