"""What `pixelift upscale` does about pictures and places that it can do nothing with."""

import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


def size_of(path):
    with Image.open(path) as image:
        return image.size


def names_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_damaged_weights_are_told_in_one_line(run, tmp_path, monkeypatch, save):
    _, path = write_model(tmp_path / "own" / "models", scale=2)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path / "own"))
    save("a.png")

    code, out, err = run("a.png")

    assert (code, out) == (1, "")
    assert "is damaged" in err
    assert err.count("\n") == 1
    assert not Path("a_x2.png").exists()


def png_with_size(width, height):
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


def make_bad(kind, save):
    path = Path(f"{kind}.png")
    if kind == "truncated":
        data = save(path, size=(64, 64)).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("not a picture")
    elif kind == "animated":
        frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    elif kind == "bomb":
        path.write_bytes(png_with_size(100_000, 100_000))
    elif kind == "zero":
        path.write_bytes(png_with_size(0, 5))
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "long":
        path = Path(f"{'x' * 300}.png")
    return path


BAD = ["missing", "truncated", "empty", "text", "animated", "bomb", "zero", "loop", "long"]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_told_in_one_line_and_the_others_are_done(run, kind, save):
    bad = make_bad(kind, save)
    save("a.png")
    save("z.png")

    code, out, err = run("a.png", bad, "z.png", "-o", "out")

    assert code == 1
    assert err.startswith("pixelift: cannot ")
    assert bad.name in err
    assert err.count("\n") == 1
    assert names_in(Path("out")) == ["a_x2.png", "z_x2.png"]
    assert len(out.splitlines()) == 2


def test_an_unreadable_picture_is_told_in_one_line(run, monkeypatch, save):
    save("a.png")

    # Root may read everything, so the answer of the system is given here.
    original = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return original(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)

    code, _, err = run("a.png")

    assert code == 1
    assert "permission denied" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("mode", "name"), [("CMYK", "a.jpg"), ("P", "a.png"), ("1", "a.png"), ("LA", "a.png")]
)
def test_pictures_of_other_kinds_of_colour_are_done(run, mode, name, save):
    save(name, mode=mode)

    assert run(name)[0] == 0
    assert size_of(f"a_x2{Path(name).suffix}") == (12, 8)


def test_an_existing_file_is_kept_unless_told_otherwise(run, save):
    save("a.png")
    save("b.png")
    Path("a_x2.png").write_text("precious")

    code, _, err = run("a.png", "b.png")

    assert code == 1
    assert err == "pixelift: a_x2.png exists already. Replace it with --overwrite\n"
    assert Path("a_x2.png").read_text() == "precious"
    assert Path("b_x2.png").exists()

    assert run("a.png", "--overwrite")[0] == 0
    assert size_of("a_x2.png") == (12, 8)


def test_a_folder_without_pictures_is_told(run, save):
    Path("nothing").mkdir()
    save("a.png")

    code, out, err = run("nothing", "a.png")

    assert code == 1
    assert "no pictures in nothing" in err
    assert len(out.splitlines()) == 1


def test_a_missing_folder_of_the_output_is_told_with_what_to_type(run, save):
    save("a.png")

    code, _, err = run("a.png", "-o", "no/where/a.png")

    assert code == 1
    assert "Run: mkdir -p no/where" in err
    assert not Path("no").exists()


def test_a_folder_that_cannot_be_made_is_told(run, save):
    save("a.png")
    Path("file").touch()

    code, _, err = run("a.png", "-o", "file/out/")

    assert code == 1
    assert "cannot make the folder file/out" in err
    assert err.count("\n") == 1


def test_a_folder_that_may_not_be_written_is_told_before_the_work(run, monkeypatch, save):
    save("a.png")
    Path("locked").mkdir(mode=0o555)
    # Root may write everywhere, so the answer of the system is given here.
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "locked")
    monkeypatch.setattr("pixelift.infer.upscaler.Upscaler.rows", None)

    code, _, err = run("a.png", "-o", "locked/")

    assert code == 1
    assert err == "pixelift: no permission to write in locked. Give another: -o FOLDER\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device to write to")
def test_a_device_is_not_replaced(run, save):
    save("a.png")

    code, _, err = run("a.png", "-o", "/dev/full", "--format", "png", "--overwrite")

    assert code == 1
    assert err.count("\n") == 1
    assert not Path("/dev/full").is_file()


@pytest.mark.parametrize("problem", [MemoryError(), OSError(5, "Input/output error")])
def test_a_failure_of_the_system_costs_one_picture_only(run, problem, monkeypatch, save):
    save("a.png", size=(7, 4))
    save("b.png")
    original = Upscaler.rows

    def rows(self, given, **options):
        if given.header.size.width == 7:
            raise problem
        return original(self, given, **options)

    monkeypatch.setattr(Upscaler, "rows", rows)

    code, out, err = run("a.png", "b.png")

    assert code == 1
    assert "a.png" in err
    assert err.count("\n") == 1
    assert out.startswith("b.png")
    assert not Path("a_x2.png").exists()
