import inspect
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.cli import upscale as command
from pixelift.cli.main import main
from pixelift.cli.upscale import check_result, format_of, free_memory, plan_jobs
from pixelift.errors import ConfigError, ImageWriteError, OutOfMemoryError
from pixelift.image.formats import FORMATS
from pixelift.image.picture import Picture
from pixelift.infer.upscaler import DEFAULT_MODEL
from tests.fakes import write_model


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A user's folder with a network that is plain interpolation, for x2 and x4."""
    folder = tmp_path_factory.mktemp("home")
    for scale in (2, 4):
        write_model(folder / "models", scale=scale, gain=0.0, width=4, depth=2)
    return folder


@pytest.fixture
def run(home, tmp_path, monkeypatch, capsys):
    """Hand out a function that runs `pixelift upscale -m fake` in an empty folder."""
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def upscale(*arguments, model="fake", scale="2"):
        scale_words = ["-s", scale] if scale else []
        code = main(["upscale", *map(str, arguments), "-m", model, *scale_words])
        return code, *capsys.readouterr()

    return upscale


def save(path, size=(6, 4), mode="RGB", **options):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def size_of(path):
    with Image.open(path) as image:
        return image.size


def names_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# Where results go


def test_the_result_is_put_beside_the_picture_under_a_name_that_tells_the_scale(run):
    save("photo.png")

    code, out, err = run("photo.png")

    assert (code, err) == (0, "")
    assert out.startswith("photo.png 6x4 -> photo_x2.png 12x8, ")
    assert size_of("photo_x2.png") == (12, 8)
    assert names_in(Path()) == ["photo.png", "photo_x2.png"]


def test_the_scale_is_that_of_the_models_name_and_else_4(run):
    save("photo.png")

    assert run("photo.png", scale=None)[0] == 0
    assert run("photo.png", scale=None, model="fake_x2")[0] == 0
    assert size_of("photo_x4.png") == (24, 16)
    assert size_of("photo_x2.png") == (12, 8)


def test_a_result_is_named_as_it_was_told(run):
    save("photo.png")

    assert run("photo.png", "-o", "big.jpg")[0] == 0
    with Image.open("big.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (12, 8))


@pytest.mark.parametrize("output", ["out/", "there"])
def test_a_single_result_is_put_into_a_folder(run, output):
    save("photo.png")
    Path("there").mkdir()

    assert run("photo.png", "-o", output)[0] == 0
    assert size_of(Path(output) / "photo_x2.png") == (12, 8)


def test_several_results_are_put_into_a_folder_that_is_made(run):
    save("a.png")
    save("deep/b.png")

    assert run("a.png", "deep/b.png", "-o", "new/out")[0] == 0
    assert names_in(Path("new/out")) == ["a_x2.png", "b_x2.png"]


def test_folders_are_walked_and_mirrored(run):
    for name in ("in/b.png", "in/a.jpg", "in/sub/c.webp", "in/.hidden.png", "in/.git/d.png"):
        save(name)
    Path("in/notes.txt").write_text("no picture")

    code, out, _ = run("in", "-o", "out")

    assert code == 0
    assert names_in(Path("out")) == ["a_x2.jpg", "b_x2.png", "sub/c_x2.webp"]
    assert [line.split()[0] for line in out.splitlines()] == ["in/a.jpg", "in/b.png", "in/sub/c.webp"]


def test_a_folder_is_not_enlarged_again_by_the_same_command(run):
    save("in/a.png")
    save("in/sub/b.png")

    for _ in range(2):
        assert run("in", "--overwrite")[0] == 0
        assert names_in(Path("in")) == ["a.png", "a_x2.png", "sub/b.png", "sub/b_x2.png"]
    for _ in range(2):
        assert run("in", "-o", "in/out", "--overwrite")[0] == 0
    assert len(names_in(Path("in/out"))) == 4


@pytest.mark.parametrize(
    ("given", "format", "made"),
    [
        ("a.jpeg", None, "a_x2.jpeg"),
        ("a.JPG", None, "a_x2.JPG"),
        ("a.gif", None, "a_x2.png"),
        ("a", None, "a_x2.png"),
        ("v1.2", None, "v1.2_x2.png"),
        ("a.png", "jpeg", "a_x2.jpg"),
        ("a.jpeg", "jpeg", "a_x2.jpeg"),
        ("a.jpg", "png", "a_x2.png"),
        ("a.tif", "avif", "a_x2.avif"),
    ],
)
def test_the_name_keeps_its_ending_where_the_format_allows(given, format, made):
    (job,), _ = plan_jobs([Path(given)], output=None, scale=2, format=format)

    assert job.output == Path(made)
    assert Path(made).suffix.lower() in job.format.suffixes


def test_formats_and_quality_are_handed_on(run):
    save("photo.png", size=(60, 60))

    sizes = []
    for quality in ("10", "95"):
        assert run("photo.png", "--format", "webp", "--quality", quality, "--overwrite")[0] == 0
        sizes.append(Path("photo_x2.webp").stat().st_size)
    with Image.open("photo_x2.webp") as image:
        assert image.format == "WEBP"
    assert sizes[0] < sizes[1] / 2


def test_the_same_picture_named_twice_is_done_once(run):
    save("in/a.png")

    code, out, _ = run("in/a.png", "in/../in/a.png", "in")

    assert code == 0
    assert len(out.splitlines()) == 1


# Wrong usage: told before anything is done


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.png", "-o", "a.png", "--overwrite"], "would replace the input a.png"),
        (["a.png", "a_x2.png", "--overwrite"], "would replace the input"),
        (["a.png", "sub/a.png", "-o", "out"], "would both be out/a_x2.png"),
        (["a.png", "a.jpg", "--format", "png"], "would both be a_x2.png"),
        (["a.png", "a.jpg", "-o", "sub/a.png"], "sub/a.png is a file"),
        (["a.png", "-o", "result"], 'cannot tell the format of "result"'),
        (["a.png", "-o", "result.jpg", "--format", "png"], "named as JPEG, but --format is png"),
        (["a.png", "--quality", "0"], "allowed are 1 to 100"),
        (["a.png", "--quality", "50"], "PNG has no quality"),
        (["a.png", "--tile", "0"], "tile is 0"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused_as_a_whole(run, arguments, told):
    for name in ("a.png", "a_x2.png", "a.jpg", "sub/a.png"):
        save(name)
    before = names_in(Path())

    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert names_in(Path()) == before


def test_an_unknown_model_is_told_before_any_picture_is_looked_at(run):
    code, out, err = run("missing.png", model="fak")

    assert (code, out) == (2, "")
    assert err.startswith('pixelift: no model "fak". Did you mean "fake"?')


@pytest.mark.parametrize("scale", ["3", "0", "-2"])
def test_a_scale_that_is_not_offered_is_refused(run, scale):
    save("a.png")

    code, out, err = run("a.png", scale=scale)

    assert (code, out) == (2, "")
    assert "Its scales: 2, 4" in err or "allowed are those of the model" in err


def test_damaged_weights_are_told_in_one_line(run, home, tmp_path, monkeypatch):
    _, path = write_model(tmp_path / "own" / "models", scale=2)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path / "own"))
    save("a.png")

    code, out, err = run("a.png")

    assert (code, out) == (1, "")
    assert "is damaged" in err
    assert err.count("\n") == 1
    assert not Path("a_x2.png").exists()


def test_a_format_is_told_by_the_name_or_by_the_option():
    assert format_of(Path("a.TIFF"), None) is FORMATS["tiff"]
    assert format_of(Path("result"), "avif") is FORMATS["avif"]
    with pytest.raises(ConfigError):
        format_of(Path("a.bmp"), None)


# Bad inputs: one line each, the others are done


def png_with_size(width, height):
    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def make_bad(kind):
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
    return path


BAD = ["missing", "truncated", "empty", "text", "animated", "bomb", "zero", "loop"]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_told_in_one_line_and_the_others_are_done(run, kind):
    bad = make_bad(kind)
    save("a.png")
    save("z.png")

    code, out, err = run("a.png", bad, "z.png", "-o", "out")

    assert code == 1
    assert err.startswith("pixelift: cannot read")
    assert bad.name in err
    assert err.count("\n") == 1
    assert names_in(Path("out")) == ["a_x2.png", "z_x2.png"]
    assert len(out.splitlines()) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_picture_is_told_in_one_line(run):
    save("a.png").chmod(0)

    code, _, err = run("a.png")

    assert code == 1
    assert "permission denied" in err


@pytest.mark.parametrize(
    ("mode", "name"), [("CMYK", "a.jpg"), ("P", "a.png"), ("1", "a.png"), ("LA", "a.png")]
)
def test_pictures_of_other_kinds_of_colour_are_done(run, mode, name):
    save(name, mode=mode)

    assert run(name)[0] == 0
    assert size_of(f"a_x2{Path(name).suffix}") == (12, 8)


def test_an_existing_file_is_kept_unless_told_otherwise(run):
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


def test_a_folder_without_pictures_is_told(run):
    Path("nothing").mkdir()
    save("a.png")

    code, out, err = run("nothing", "a.png")

    assert code == 1
    assert "no pictures in nothing" in err
    assert len(out.splitlines()) == 1


def test_a_missing_folder_of_the_output_is_told_with_what_to_type(run):
    save("a.png")

    code, _, err = run("a.png", "-o", "no/where/a.png")

    assert code == 1
    assert "Run: mkdir -p no/where" in err
    assert not Path("no").exists()


def test_a_folder_that_cannot_be_made_is_told(run):
    save("a.png")
    Path("file").touch()

    code, _, err = run("a.png", "-o", "file/out/")

    assert code == 1
    assert "cannot make the folder file/out" in err
    assert err.count("\n") == 1


def test_a_folder_that_may_not_be_written_is_told_before_the_work(run, monkeypatch):
    save("a.png")
    Path("locked").mkdir(mode=0o555)
    # Root may write everywhere, so the answer of the system is given here.
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "locked")
    monkeypatch.setattr("pixelift.infer.upscaler.Upscaler.picture", None)

    code, _, err = run("a.png", "-o", "locked/")

    assert code == 1
    assert err == "pixelift: no permission to write in locked. Give another: -o FOLDER\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device to write to")
def test_a_device_is_not_replaced(run):
    save("a.png")

    code, _, err = run("a.png", "-o", "/dev/full", "--format", "png", "--overwrite")

    assert code == 1
    assert err.count("\n") == 1
    assert not Path("/dev/full").is_file()


@pytest.mark.parametrize("problem", [MemoryError(), OSError(5, "Input/output error")])
def test_a_failure_of_the_system_costs_one_picture_only(run, problem, monkeypatch):
    save("a.png")
    save("b.png")
    upscale = command.__dict__["run_job"].__globals__  # the module whose names run_job sees
    assert upscale is vars(command)
    from pixelift.infer.upscaler import Upscaler

    original = Upscaler.picture
    failures = iter([problem])

    def picture(self, given):
        for failure in failures:
            raise failure
        return original(self, given)

    monkeypatch.setattr(Upscaler, "picture", picture)

    code, out, err = run("a.png", "b.png")

    assert code == 1
    assert "a.png" in err
    assert err.count("\n") == 1
    assert out.startswith("b.png")
    assert not Path("a_x2.png").exists()


def make_picture(height, width):
    # One pixel, shown over and over: costs no memory.
    return Picture(np.broadcast_to(np.float32(0), (height, width, 3)))


def plan_one(name):
    (job,), _ = plan_jobs([Path(name)], output=None, scale=4, format=None)
    return job


def test_a_result_larger_than_its_format_holds_is_refused_before_the_work():
    check_result(plan_one("a.webp"), make_picture(10, 4095), 4)
    with pytest.raises(ImageWriteError, match="would be 16384x40; WebP holds at most 16383"):
        check_result(plan_one("a.webp"), make_picture(10, 4096), 4)


def test_a_result_larger_than_the_memory_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(command, "free_memory", lambda: 10**9)

    check_result(plan_one("a.png"), make_picture(1000, 2000), 4)
    with pytest.raises(OutOfMemoryError, match="take about 1.5 GB of memory; 1.0 GB are free"):
        check_result(plan_one("a.png"), make_picture(2000, 2000), 4)


def test_nothing_is_refused_where_the_free_memory_is_not_known(monkeypatch):
    monkeypatch.setattr(command, "free_memory", lambda: None)

    check_result(plan_one("a.png"), make_picture(30_000, 30_000), 4)


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system as Linux answers")
def test_the_free_memory_is_looked_up():
    assert free_memory() > 2**20


# Reports


def test_json_prints_one_object_for_each_picture_and_nothing_else(run):
    save("a.png")
    make_bad("empty")

    code, out, err = run("a.png", "empty.png", "missing.png", "--json")

    assert code == 1
    done, empty, missing = (json.loads(line) for line in out.splitlines())
    fields = "input output ok error width height out_width out_height seconds model scale".split()
    assert list(done) == list(empty) == list(missing) == fields
    seconds = done.pop("seconds")
    assert 0 < seconds < 60
    assert done == {
        "input": "a.png",
        "output": "a_x2.png",
        "ok": True,
        "error": None,
        "width": 6,
        "height": 4,
        "out_width": 12,
        "out_height": 8,
        "model": "fake",
        "scale": 2,
    }
    assert not empty["ok"]
    assert "is empty" in empty["error"]
    assert empty["output"] is empty["width"] is None
    assert err.count("\n") == 2


def test_a_bar_is_shown_in_a_terminal_only(run, monkeypatch):
    save("a.png")
    save("b.png")

    assert "pictures" not in run("a.png", "b.png")[2]

    shown = list(command._with_progress(iter(["a", "b"]), total=2, is_shown=True))
    assert shown == ["a", "b"]


def test_the_default_model_is_that_of_the_library():
    assert inspect.signature(command.upscale).parameters["model"].default == DEFAULT_MODEL


def test_the_whole_program_enlarges_a_picture(home, tmp_path):
    save(tmp_path / "a.png")
    made = subprocess.run(
        [sys.executable, "-m", "pixelift", "upscale", "a.png", "b.png", "-m", "fake", "-s", "4"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PIXELIFT_HOME": str(home)},
        timeout=120,
        check=False,
    )

    assert made.returncode == 1
    assert made.stdout.startswith("a.png 6x4 -> a_x4.png 24x16, ")
    assert made.stderr.startswith('pixelift: cannot read "b.png": there is no such file.')
    assert made.stderr.count("\n") == 1
    assert size_of(tmp_path / "a_x4.png") == (24, 16)
