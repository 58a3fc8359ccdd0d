import inspect
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.cli import upscale as command
from pixelift.cli.main import main
from pixelift.image.geometry import MAX_PIXELS
from pixelift.image.resize import downscale
from pixelift.infer.auto import AUTO
from tests.patience import PATIENCE


def size_of(path):
    with Image.open(path) as image:
        return image.size


def names_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


# Where results go


def test_the_result_is_put_beside_the_picture_under_a_name_that_tells_the_scale(run, save):
    save("photo.png")

    code, out, err = run("photo.png")

    assert (code, err) == (0, "")
    assert out.startswith("photo.png 6x4 -> photo_x2.png 12x8, ")
    assert size_of("photo_x2.png") == (12, 8)
    assert names_in(Path()) == ["photo.png", "photo_x2.png"]


def test_the_scale_is_that_of_the_models_name_and_else_4(run, save):
    save("photo.png")

    assert run("photo.png", scale=None)[0] == 0
    assert run("photo.png", scale=None, model="fake_x2")[0] == 0
    assert size_of("photo_x4.png") == (24, 16)
    assert size_of("photo_x2.png") == (12, 8)


def test_a_result_is_named_as_it_was_told(run, save):
    save("photo.png")

    assert run("photo.png", "-o", "big.jpg")[0] == 0
    with Image.open("big.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (12, 8))


@pytest.mark.parametrize("output", ["out/", "there"])
def test_a_single_result_is_put_into_a_folder(run, output, save):
    save("photo.png")
    Path("there").mkdir()

    assert run("photo.png", "-o", output)[0] == 0
    assert size_of(Path(output) / "photo_x2.png") == (12, 8)


def test_several_results_are_put_into_a_folder_that_is_made(run, save):
    save("a.png")
    save("deep/b.png")

    assert run("a.png", "-o", "new/out", "deep/b.png")[0] == 0
    assert names_in(Path("new/out")) == ["a_x2.png", "b_x2.png"]


def test_folders_are_walked_and_mirrored(run, save):
    for name in ("in/b.png", "in/a.jpg", "in/sub/c.webp", "in/.hidden.png", "in/.git/d.png"):
        save(name)
    Path("in/notes.txt").write_text("no picture")

    code, out, _ = run("in", "-o", "out")

    assert code == 0
    assert names_in(Path("out")) == ["a_x2.jpg", "b_x2.png", "sub/c_x2.webp"]
    assert [line.split()[0] for line in out.splitlines()] == [
        "in/a.jpg",
        "in/b.png",
        "in/sub/c.webp",
    ]


@pytest.mark.parametrize(("word", "name"), [("jpg", "photo_x2.jpg"), ("tif", "photo_x2.tif")])
def test_a_format_may_be_called_by_its_usual_ending(run, save, word, name):
    save("photo.png")

    assert run("photo.png", "--format", word)[0] == 0
    assert run("photo.png", "--format", word, "-o", name, "--overwrite")[0] == 0
    assert sorted(p.name for p in Path().iterdir()) == sorted(["photo.png", name])


def test_formats_and_quality_are_handed_on(run, save):
    save("photo.png", size=(60, 60))

    sizes = []
    for quality in ("10", "95"):
        assert run("photo.png", "--format", "webp", "--quality", quality, "--overwrite")[0] == 0
        sizes.append(Path("photo_x2.webp").stat().st_size)
    with Image.open("photo_x2.webp") as image:
        assert image.format == "WEBP"
    assert sizes[0] < sizes[1] / 2


def test_the_same_picture_named_twice_is_done_once(run, save):
    save("in/a.png")

    code, out, _ = run("in/a.png", "in/../in/a.png", "in")

    assert code == 0
    assert len(out.splitlines()) == 1


# Wrong usage: told before anything is done


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.png", "-o", "a.png", "--overwrite"], "would replace the input a.png"),
        (["a.png", "a.jpg", "-o", "sub/a.png"], "sub/a.png is a file"),
        (["a.png", "-o", "result"], 'cannot tell the format of "result"'),
        (["a.png", "-o", "result.jpg", "--format", "png"], "named as JPEG, but --format is png"),
        (["a.png", "--quality", "0"], "allowed are 1 to 100"),
        (["a.png", "--quality", "50"], "PNG has no quality"),
        (["a.png", "--tile", "0"], "tile is 0"),
        (["a.png", "--max-megapixels", "0"], "allowed are numbers from 1 up"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused_as_a_whole(run, arguments, told, save):
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


# The last would be a number of a billion digits.
@pytest.mark.parametrize("scale", ["0", "-2", "17", "nan", "1/0", "2x", "1e999999999"])
def test_a_scale_that_does_not_exist_is_refused(run, scale, save):
    save("a.png")

    code, out, err = run("a.png", scale=scale)

    assert (code, out) == (2, "")
    assert "allowed is 1 to 16, as --scale 2.5" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "name", "size"),
    [
        (["-s", "2.5"], "a_x2.5.png", (15, 10)),
        (["-s", "1"], "a_x1.png", (6, 4)),
        (["-s", "x8"], "a_x8.png", (48, 32)),
        (["-s", "16"], "a_x16.png", (96, 64)),
        (["--width", "20"], "a_20w.png", (20, 13)),
        (["--height", "7"], "a_7h.png", (11, 7)),
        (["--width", "20", "--height", "7"], "a_20x7.png", (20, 7)),
        (["--megapixels", "0.0006"], "a_0.0006mp.png", (30, 20)),
    ],
)
def test_any_size_is_met_exactly(run, options, name, size, save):
    save("a.png")

    code, _, err = run("a.png", *options, scale=None)

    assert (code, err) == (0, "")
    assert size_of(name) == size


def test_a_size_below_that_of_the_picture_costs_that_picture_only(run, save):
    save("a.png")
    save("b.png", size=(3, 2))

    code, out, err = run("a.png", "b.png", "--width", "5", scale=None)

    assert code == 1
    assert "a picture of 6x4 cannot become 5x3: its width may become 6 to 96" in err
    assert out.startswith("b.png 3x2 -> b_5w.png 5x3")


def test_a_folder_that_was_stopped_is_finished_by_the_same_command(run, save):
    for name in ("a", "b", "ü c"):
        save(f"in/{name}.png")
    assert run("in", "-o", "out")[0] == 0
    before = {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    Path("out/b_x2.png").unlink()

    code, out, err = run("in", "-o", "out")

    assert (code, err) == (0, "")
    assert [line.endswith("is there already") for line in out.splitlines()] == [True, False, True]
    assert names_in(Path("out")) == ["a_x2.png", "b_x2.png", "ü c_x2.png"]
    same = [path for path in before if path.stat().st_mtime_ns == before[path]]
    assert len(same) == 2


def test_those_that_failed_are_named_again_at_the_end_of_a_long_batch(run, save):
    for n in range(11):
        save(f"in/{n}.png")
    Path("in/3.png").write_bytes(b"")
    Path("in/7.png").write_bytes(b"no picture")

    code, out, err = run("in", "-o", "out")

    assert code == 1
    assert len(out.splitlines()) == 9
    last = "pixelift: 2 of 11 pictures could not be done: in/3.png, in/7.png"
    assert err.splitlines()[-1] == last


class Pipe:
    """Standard input and output of bytes."""

    def __init__(self, data=b""):
        self.buffer = io.BytesIO(data)

    def flush(self):
        pass


def test_a_picture_comes_from_stdin_and_goes_to_stdout(home, monkeypatch, tmp_path, save):
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    data = save(tmp_path / "a.jpg").read_bytes()
    monkeypatch.setattr("sys.stdin", Pipe(data))
    monkeypatch.setattr("sys.stdout", out := Pipe())

    assert main(["upscale", "-", "-s", "2", "-m", "fake", "--format", "png"]) == 0

    with Image.open(io.BytesIO(out.buffer.getvalue())) as image:
        assert (image.format, image.size) == ("PNG", (12, 8))


def test_a_pipe_beside_other_pictures_is_refused(run, save):
    save("a.png")

    code, out, err = run("-", "a.png")

    assert (code, out) == (2, "")
    assert "a pipe takes one picture" in err


def test_a_result_can_be_held_to_the_picture(run, save):
    save("a.png", size=(40, 30))

    options = {"plain.png": (), "off.png": ("--no-consistent",), "on.png": ("--consistent",)}
    for name, words in options.items():
        assert run("a.png", "-o", name, *words)[0] == 0
    plain, off, on = (np.asarray(Image.open(name)) for name in options)
    assert np.array_equal(plain, off)
    lr = np.asarray(Image.open("a.png")).astype(int)
    scale = len(on) // len(lr)
    far_off, far_on = (np.abs(downscale(sr, scale).astype(int) - lr).mean() for sr in (off, on))
    assert far_on < far_off


def test_pictures_above_a_limit_are_refused_with_what_to_type(run, save):
    save("small.png")
    save("large.png", size=(1100, 1000))

    code, out, err = run("small.png", "large.png", "--max-megapixels", "1")

    assert code == 1
    assert out.startswith("small.png")
    assert "large.png" in err
    assert "it is 1100x1000 = 2 megapixels; allowed are 1." in err
    assert "--max-megapixels 2 (in Python: max_pixels=1100000)" in err
    assert err.count("\n") == 1


def test_the_limit_is_that_of_the_library():
    default = inspect.signature(command.upscale).parameters["max_megapixels"].default
    assert default * 1_000_000 == MAX_PIXELS


# Reports


def test_json_prints_one_object_for_each_picture_and_nothing_else(run, save):
    save("a.png")
    Path("empty.png").touch()

    code, out, err = run("a.png", "empty.png", "missing.png", "--json")

    assert code == 1
    done, empty, missing = (json.loads(line) for line in out.splitlines())
    fields = [
        "input",
        "output",
        "ok",
        "error",
        "width",
        "height",
        "out_width",
        "out_height",
        "seconds",
        "model",
        "scale",
        "skipped",
        "why",
    ]
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
        "skipped": False,
        "why": None,
    }
    assert not empty["ok"]
    assert "is empty" in empty["error"]
    assert empty["output"] is empty["width"] is None
    assert err.count("\n") == 2


def test_a_bar_is_shown_in_a_terminal_only(run, save):
    save("a.png")
    save("b.png")

    assert "pictures" not in run("a.png", "b.png")[2]


def test_the_default_model_looks_at_the_picture():
    assert inspect.signature(command.upscale).parameters["model"].default == AUTO


def test_the_whole_program_enlarges_a_picture(home, tmp_path, save):
    save(tmp_path / "a.png")
    made = subprocess.run(
        [sys.executable, "-m", "pixelift", "upscale", "a.png", "b.png", "-m", "fake", "-s", "4"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PIXELIFT_HOME": str(home)},
        timeout=PATIENCE,
        check=False,
    )

    assert made.returncode == 1
    assert made.stdout.startswith("a.png 6x4 -> a_x4.png 24x16, ")
    assert made.stderr.startswith('pixelift: cannot read "b.png": there is no such file.')
    assert made.stderr.count("\n") == 1
    assert size_of(tmp_path / "a_x4.png") == (24, 16)
