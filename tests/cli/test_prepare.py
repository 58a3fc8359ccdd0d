import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixelift.cli.prepare import prepare
from pixelift.patches import photo as library
from pixelift.patches.dataset import Settings, open_dataset
from tests.patience import PATIENCE

FAST = ("--no-screens", "--workers", "1")
"""Screens would refuse the noise of these photos."""


@pytest.fixture
def photos(told, save):
    """Two photos of noise in a folder of the empty folder that the command is run in."""
    del told
    save("photos/a.png", size=(60, 50))
    return save("photos/deep/b.jpg", size=(50, 60)).parents[1]


def test_photos_become_a_training_set(told, photos, save):
    save("valid/c.png", size=(64, 64))
    save("single.png", size=(70, 50))

    code, out, err = told("prepare", photos, "single.png", "-o", "set", "--valid", "valid", *FAST)

    assert (code, err) == (0, "")
    assert out == "set: 3 photos to train on, 1 to validate with, 0 left out\n"
    prepared = open_dataset(Path("set"), verify="checksums")
    names = {entry.name: entry.split for entry in prepared.manifest.pictures}
    assert names == {
        "a.png": "train",
        "deep/b.jpg": "train",
        "single.png": "train",
        "c.png": "valid",
    }
    assert prepared.manifest.settings == Settings(screens=False)
    assert len(prepared.patches) > 0


def test_the_scale_is_that_of_the_measure_and_pictures_are_kept_once(told, photos):
    code, _, err = told("prepare", photos, "-o", "set", "--scale", 3, *FAST)

    assert (code, err) == (0, "")
    prepared = open_dataset(Path("set"))
    assert prepared.manifest.settings.scale == 3
    kept = {path.name for path in Path("set/pictures").iterdir()}
    assert kept == {f"{entry.number:05}.npy" for entry in prepared.manifest.pictures}


def test_the_defaults_are_those_of_the_library():
    defaults = {k: p.default for k, p in inspect.signature(prepare).parameters.items()}
    settings = Settings()
    assert defaults["scale"] == settings.scale
    assert (defaults["patch"], defaults["channels"]) == (settings.patch, settings.channels)
    assert defaults["no_screens"] is not settings.screens
    assert defaults["repair"] is settings.repair


def test_unreadable_photos_are_told_in_one_line_each_and_the_others_are_prepared(
    told, photos, save
):
    whole = save("photos/broken.png", size=(60, 60)).read_bytes()
    Path("photos/broken.png").write_bytes(whole[: len(whole) // 2])
    Path("photos/empty.jpg").touch()

    code, out, err = told("prepare", photos, "-o", "set", *FAST)

    assert code == 1
    assert out == "set: 1 photos to train on, 1 to validate with, 2 left out\n"
    broken, empty = err.splitlines()
    assert broken.startswith("pixelift: left out broken.png: cannot read")
    assert empty.startswith("pixelift: left out empty.jpg: cannot read")


def test_small_and_repeated_photos_are_told_and_are_no_failure(told, photos, save):
    save("photos/small.png", size=(20, 60))
    Path("photos/z.png").write_bytes(Path("photos/a.png").read_bytes())

    code, out, err = told("prepare", photos, "-o", "set", *FAST)

    assert code == 0
    assert out.endswith("2 left out\n")
    small, repeated = err.splitlines()
    assert small == "pixelift: left out small.png: 20x60 is smaller than a patch of 48 pixels"
    assert repeated == "pixelift: left out z.png: same file as a.png"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "0"], "workers is 0; allowed are numbers from 1 up"),
        (["--workers", "-2"], "workers is -2; allowed are numbers from 1 up"),
        (["--workers", "1.5"], '"1.5" is no whole number'),
        (["--scale", "1"], "scale is 1; allowed are 2 to 8, as --scale 4"),
        (["--scale", "9"], "scale is 9; allowed are 2 to 8"),
        (["--scale", "2.5"], '"2.5" is no whole number'),
        (["--scale", "two"], '"two" is no whole number'),
        (["--scale"], "--scale requires an argument"),
        (["--patch", "0"], "patch is 0; allowed are numbers from 1 up"),
        (["--channels", "cmyk"], 'Invalid value "cmyk" for --channels'),
        (["--network", "nothing"], 'no model "nothing"'),
        (["--valid", "nowhere"], "no such file or folder: nowhere"),
        (["missing.jpg"], "no such file or folder: missing.jpg"),
        (["nothing"], "no pictures in nothing; allowed are PNG, JPEG"),
        (["-o", "photos"], "photos is not empty and holds no training set"),
        (["-o", "photos/a.png"], "photos/a.png is a file"),
        (["-o", "photos/a.png/set"], "cannot write to photos/a.png/set: Not a directory"),
    ],
)
def test_wrong_usage_is_told_in_one_line_before_anything_is_done(told, photos, options, message):
    Path("nothing").mkdir()
    before = sorted(Path().rglob("*"))
    output = [] if "-o" in options else ["-o", "set"]

    code, out, err = told("prepare", photos, *output, *options)

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("missing", [["-o", "set"], ["photos"]])
def test_photos_and_a_place_for_the_set_are_needed(told, photos, missing):
    del photos
    code, out, err = told("prepare", *missing)

    assert (code, out) == (2, "")
    assert "Run: pixelift prepare --help" in err
    assert err.count("\n") == 1


def test_given_again_a_finished_set_is_told_and_left_as_it_is(told, photos):
    Path("photos/broken.png").write_bytes(b"no picture")
    command = ("prepare", photos, "-o", "set", *FAST)
    assert told(*command)[0] == 1
    before = Path("set/manifest.json").stat()

    code, out, err = told(*command)

    assert (code, err) == (0, "")
    assert out == "set is finished: 1 photos to train on, 1 to validate with, 1 left out\n"
    # Not all that the system knows of it: reading it may move the time of the last reading.
    after = Path("set/manifest.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_finished_set_of_other_settings_is_not_overwritten(told, photos):
    assert told("prepare", photos, "-o", "set", *FAST)[0] == 0

    code, out, err = told("prepare", photos, "-o", "set", "--scale", "2", *FAST)

    assert (code, out) == (2, "")
    assert "set holds a finished training set of other photos or settings" in err


def test_the_report_is_written_with_the_set_or_later(told, photos):
    command = ("prepare", photos, "-o", "set", *FAST)
    assert told(*command)[0] == 0
    assert not Path("set/report.html").exists()

    code, out, err = told(*command, "--report")

    assert (code, err) == (0, "")
    assert out.startswith("set is finished: ")
    page = Path("set/report.html").read_bytes()
    assert told("prepare", photos, "-o", "other", *FAST, "--report")[0] == 0
    assert b"a.png" in page or b"deep/b.jpg" in page
    assert open_dataset(Path("set")).manifest == open_dataset(Path("other")).manifest


def test_luma_alone_is_kept_where_it_is_asked_for(told, photos):
    assert told("prepare", photos, "-o", "set", "--channels", "y", *FAST)[0] == 0
    prepared = open_dataset(Path("set"))
    assert prepared.manifest.settings.channels == "y"
    assert prepared.picture(0).shape[2] == 1


def test_the_loss_of_a_network_is_measured(told, photos, home, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    code, _, err = told("prepare", photos, "-o", "set", "--scale", "2", "--network", "fake", *FAST)
    assert (code, err) == (0, "")
    prepared = open_dataset(Path("set"))
    assert prepared.manifest.settings.network == "fake_x2"
    assert prepared.patches["network_loss"].min() > 0


def test_photos_that_would_teach_artefacts_are_told_with_the_number(told, photos):
    code, _, err = told("prepare", photos, "-o", "set", "--workers", "1")
    assert code == 1
    assert "none of the 2 photos can be trained on (a.png: noise of" in err


def test_of_many_photos_left_out_the_first_are_told_and_where_the_rest_are_listed(
    told, photos, save
):
    for n in range(25):
        save(f"photos/small{n:02}.png", size=(20, 20))

    code, out, err = told("prepare", photos, "-o", "set", *FAST)

    lines = err.splitlines()
    assert code == 0
    assert out.endswith("25 left out\n")
    assert len(lines) == 21
    assert lines[19].startswith("pixelift: left out small19.png: 20x20 is smaller")
    assert lines[20].startswith("pixelift: left out 5 more, 25 in all; manifest.json in the set")


def test_a_person_sees_a_bar_with_the_rate_and_the_time_that_remains(photos, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pixelift", "prepare", str(photos), "-o", "set", *FAST],
        env=os.environ | {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert "2/2" in done.stderr
    assert "MP/s" in done.stderr


def test_photos_of_which_none_can_be_used_are_a_failure(told, save):
    save("photos/small.png", size=(9, 9))

    code, out, err = told("prepare", "photos", "-o", "set", *FAST)

    assert (code, out) == (1, "")
    assert "none of the 1 photos can be trained on (small.png: 9x9 is smaller" in err
    assert err.count("\n") == 1


def test_stopped_by_ctrl_c_it_says_so_and_the_same_command_goes_on(told, photos, monkeypatch):
    original, calls = library.read_u8, []

    def interrupted(encoded):
        calls.append(encoded)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(encoded)

    monkeypatch.setattr(library, "read_u8", interrupted)
    command = ("prepare", photos, "-o", "set", *FAST)

    code, out, err = told(*command)
    assert (code, out) == (130, "")
    assert err == (
        "pixelift: stopped. What is prepared is kept; the same command goes on where it was\n"
    )

    assert told(*command)[0] == 0
    assert len(calls) == 3
    assert len(json.loads(Path("set/manifest.json").read_text())["pictures"]) == 2


def test_without_pyarrow_it_is_told_at_once_what_to_install(without, photos, tmp_path):
    done = without("pyarrow", "prepare", photos, "-o", "set", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "pixelift: training sets need pyarrow, which is not installed. "
        "Run: pip install 'pixelift[train]'\n"
    )
    assert not Path("set").exists()


def test_the_whole_program_prepares_with_several_processes(photos, tmp_path):
    words = ["prepare", str(photos), "-o", "set", "--no-screens", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "pixelift", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "set: 1 photos to train on, 1 to validate with, 0 left out\n"


def test_without_jinja2_a_report_is_refused_before_the_work(without, photos, tmp_path):
    done = without("jinja2", "prepare", photos, "-o", "set", "--report", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "pixelift: the report needs jinja2, which is not installed. "
        "Run: pip install 'pixelift[train]'\n"
    )
    assert not (tmp_path / "set").exists()
    done = without("jinja2", "prepare", photos, "-o", "set", *FAST, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_photos_with_names_that_are_no_text_and_what_is_no_file_stop_nothing(told, photos, save):
    save("photos/a.png", size=(60, 50)).rename(os.fsdecode(b"photos/caf\xe9.png"))
    os.mkfifo("photos/pipe.png")

    code, out, err = told("prepare", photos, "-o", "set", "--report", *FAST)

    assert code == 1
    assert out == "set: 1 photos to train on, 1 to validate with, 1 left out\n"
    assert err == (
        'pixelift: left out pipe.png: cannot read "photos/pipe.png": it is a pipe; allowed is a '
        "file. Remove it, or save it anew.\n"
    )
