import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import collect
from pixelift.image.source import open_picture


@pytest.fixture
def png():
    stream = io.BytesIO()
    Image.new("RGB", (5, 3), "red").save(stream, "PNG")
    return stream.getvalue()


def refusal(source):
    with pytest.raises(ImageReadError) as caught:
        read_picture(source)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "FILE"))
    return message


def test_a_file_is_open_only_inside_the_context(png, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png)
    with open_picture(path) as file:
        assert file.format.name == "png"
        assert file.name == f'"{path}"'
    assert file.stream.closed


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    path = tmp_path / "gone.jpg"
    assert refusal(path) == (
        f'cannot read "{path}": there is no such file. Check the spelling and the folder.'
    )


def test_a_folder_is_refused(tmp_path):
    assert "it is a folder. Give the picture in it." in refusal(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_somebody_to_write(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    assert "a device or a pipe" in refusal(pipe)
    assert "a device or a pipe" in refusal("/dev/null")


def test_a_file_without_permission_is_refused(png, tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(png)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "permission denied. Allow reading it" in refusal(path)


def test_a_disk_that_fails_while_reading_is_reported(png, tmp_path, monkeypatch):
    path = tmp_path / "bad.png"
    path.write_bytes(png)

    class Failing(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", lambda *_, **__: Failing())
    assert "Input/output error" in refusal(path)


def test_a_path_that_cannot_exist_is_refused():
    assert "null" in refusal("a\0b.png")
    assert "name too long" in refusal("x" * 5000).lower()


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert "it is empty" in refusal(path)
    assert refusal(b"") == (
        "cannot read the given 0 bytes: it is empty. Copy or download it again."
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"just some text, named like a picture", "it is no photo"),
        (b"\x00" * 200, "it is no photo"),
        (b"\x1aE\xdf\xa3" + bytes(60), "it is a film"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "SVG is not read"),
        (b'<?xml version="1.0"?>\n<svg width="9" height="9"></svg>', "SVG is not read"),
        (b"%PDF-1.4\n%\xe2\xe3", "PDF is not read"),
        (b"1 2 3\n4 5 6\n", "it is no photo"),
        (b"BM" + bytes(60), "BMP is not read"),
        (b"P6\n2 2\n255\n" + bytes(12), "it is no photo"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL is not read"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC is not read"),
    ],
)
@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv", ".jpg"])
def test_what_is_no_photo_is_refused_whatever_its_name(content, what, suffix, tmp_path):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    message = refusal(path)
    assert what in message
    assert "allowed are PNG, JPEG, WebP, TIFF, AVIF, GIF" in message
    assert what in refusal(content)


@pytest.mark.parametrize("suffix", [".v", ".mat", ".csv", ".dz"])
def test_libvips_own_formats_are_refused(suffix, tmp_path):
    path = tmp_path / f"picture{suffix}"
    pyvips.Image.black(8, 8).write_to_file(str(path))
    path = path if path.is_file() else tmp_path / "picture.dzi"
    assert "it is no photo" in refusal(path)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0"]
)
def test_a_first_line_without_a_picture_is_damaged(content):
    assert "damaged, cut short" in refusal(content)


def test_a_picture_of_no_width_is_refused(png):
    broken = bytearray(png)
    struct.pack_into(">I", broken, 16, 0)
    assert "damaged" in refusal(bytes(broken))
    gif = b"GIF89a" + bytes(6) + b"\x80\0\0" + bytes(6) + b";"
    assert "damaged" in refusal(gif)


def test_a_camera_raw_file_is_not_mistaken_for_its_thumbnail():
    thumbnail = io.BytesIO()
    # Tag 254 with 1 is how raw files call the small first picture; 50706 is the mark of DNG.
    Image.new("RGB", (16, 12)).save(thumbnail, "TIFF", tiffinfo={254: 1})
    assert "camera raw is not read" in refusal(thumbnail.getvalue())
    dng = io.BytesIO()
    Image.new("RGB", (16, 12)).save(dng, "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    assert "camera raw is not read" in refusal(dng.getvalue())
    assert "camera raw is not read" in refusal(b"II*\0\x10\0\0\0CR\2\0" + bytes(60))


@pytest.mark.parametrize(
    "name",
    [
        "Füße im Schnee.png",
        "写真 1.png",
        "a b  c.png",
        "weird[page=2].png",
        "-rf.png",
        "percent%20.png",
        "emoji 🌄.png",
        b"latin1 \xe9.png".decode("utf-8", "surrogateescape"),
    ],
)
def test_any_name_that_a_file_system_allows_is_read(png, name, tmp_path):
    path = tmp_path / name
    path.write_bytes(png)
    assert str(read_picture(path).size) == "5x3"
    assert str(read_picture(str(path)).size) == "5x3"


def test_a_name_of_two_lines_gives_a_message_of_one(tmp_path):
    assert r"two\nlines.png" in refusal(tmp_path / "two\nlines.png")


def test_a_wrong_suffix_does_not_matter(png, tmp_path):
    path = tmp_path / "actually a png.jpg"
    path.write_bytes(png)
    assert read_picture(path).format == "png"


def test_a_file_that_changed_is_read_anew(png, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png)
    assert (read_picture(path).pixels[0, 0] == [1, 0, 0]).all()
    Image.new("RGB", (5, 3), "blue").save(path)
    assert (read_picture(path).pixels[0, 0] == [0, 0, 1]).all()


def test_reading_leaves_no_file_open(png, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png)
    cut = tmp_path / "cut.png"
    cut.write_bytes(png[:40] + png[-12:])

    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    read_picture(path)
    before = open_files()
    for _ in range(20):
        read_picture(path)
        refusal(cut)
    assert open_files() <= before


def test_nothing_lands_on_standard_error(capfd):
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (300, 400, 3)).astype(np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"):
        stream = io.BytesIO()
        noise.save(stream, kind)
        data = stream.getvalue()
        refusal(data[: len(data) // 2])
    odd_tag = io.BytesIO()
    Image.new("RGB", (16, 12)).save(odd_tag, "TIFF", tiffinfo={65000: "not registered"})
    read_picture(odd_tag.getvalue())
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("notes.txt", "hello " * 100)
    return stream.getvalue()


FILM = struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 1000) + b"mdat"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize(
    "behind",
    [
        b"\0",
        bytes(12),
        bytes(5000),
        b"\xff" * 100,
        b"\r\n",
        b"some words",
        archive(),
        FILM + bytes(992),  # what phones call a motion photo
        b"Image_UTC_Data1234567890123SEFHk\0\0\0\1\0\0\0SEFT",
        "itself",
    ],
    ids=["0", "12", "5000", "ff", "line", "words", "zip", "film", "samsung", "itself"],
)
def test_what_people_have_behind_the_end_of_a_picture_does_not_matter(kind, behind, tmp_path):
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, kind)
    data = stream.getvalue()
    expected = read_picture(data).pixels
    longer = data + (data if behind == "itself" else behind)
    assert (read_picture(longer).pixels == expected).all()
    path = tmp_path / "longer"
    path.write_bytes(longer)
    with open_rows(path) as rows:
        assert (collect(rows).pixels == expected).all()


def test_of_a_stereo_photo_the_first_picture_is_read():
    stream = io.BytesIO()
    left, right = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    left.save(stream, "MPO", save_all=True, append_images=[right])
    assert (read_picture(stream.getvalue()).pixels[0, 0].round() == [1, 0, 0]).all()
