"""What `pixelift upscale` makes of folders: results stay results, and what is locked is told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.patience import PATIENCE

IS_ROOT = os.name == "posix" and os.geteuid() == 0
DROPPED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


def size_of(path):
    with Image.open(path) as image:
        return image.size


def names_in(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_folder_is_not_enlarged_again_by_the_same_command(run, save):
    save("in/a.png")
    save("in/sub/b.png")

    for _ in range(2):
        assert run("in", "--overwrite")[0] == 0
        assert names_in(Path("in")) == ["a.png", "a_x2.png", "sub/b.png", "sub/b_x2.png"]
    assert run("in", "-o", Path("in").resolve(), "--overwrite")[0] == 0
    assert len(names_in(Path("in"))) == 4
    for _ in range(2):
        assert run("in", "-o", "in/out", "--overwrite")[0] == 0
    assert names_in(Path("in/out")) == ["a_x2.png", "sub/b_x2.png"]


def test_results_of_another_factor_are_not_enlarged_again(run, save):
    save("in/a.png")
    assert run("in")[0] == 0

    code, out, err = run("in", scale="4")

    assert (code, len(out.splitlines())) == (0, 1)
    assert names_in(Path("in")) == ["a.png", "a_x2.png", "a_x4.png"]
    assert err == (
        "pixelift: in/a_x2.png is the result of in/a.png and is left alone. "
        "To enlarge a result once more, give it by itself\n"
    )
    assert run("in/a_x2.png", scale="4")[0] == 0
    assert Path("in/a_x2_x4.png").exists()


def test_pictures_of_one_name_are_all_made_and_found_again(run, save):
    save("in/a.gif", size=(5, 4))
    save("in/a.png", size=(6, 4))
    save("in/b.png")

    for told in ("s\n", "is there already\n"):
        code, out, err = run("in")
        assert code == 0
        assert out.count(told) == 3
        assert err.startswith("pixelift: in/a.gif becomes in/a.gif_x2.png, since in/a_x2.png is ")
        assert err.count("\n") == 1
    assert size_of("in/a.gif_x2.png") == (10, 8)
    assert size_of("in/a_x2.png") == (12, 8)


def test_the_content_decides_the_format_and_nothing_of_it_is_lost(run, save):
    save("in/a.jpg", mode="RGBA", format="PNG")
    save("in/b.jpg", mode="RGBA", format="WEBP")
    save("in/c.png", format="JPEG")

    assert run("in")[0] == 0
    assert {"in/a_x2.png", "in/b_x2.webp", "in/c_x2.jpg"} <= {
        f"in/{name}" for name in names_in(Path("in"))
    }
    with Image.open("in/a_x2.png") as a, Image.open("in/b_x2.webp") as b:
        assert (a.mode, a.format, b.format) == ("RGBA", "PNG", "WEBP")


def test_what_is_no_file_is_told_and_never_waited_for(run, save):
    save("in/a.png")
    os.mkfifo("in/b.png")
    Path("in/c.png").symlink_to("nowhere")
    Path("in/d.png").symlink_to("/dev/zero")
    Path("in/e").symlink_to(Path("in").resolve())

    code, out, err = run("in")

    assert (code, len(out.splitlines())) == (1, 1)
    assert [line.partition(": it is a ")[2].partition(";")[0] for line in err.splitlines()] == [
        "device or a pipe",
        "",
        "device or a pipe",
    ]
    assert 'cannot read "in/c.png": there is no such file' in err


def test_what_a_watched_folder_has_to_tell_is_told_once(run, save, monkeypatch):
    save("in/a.gif", size=(5, 4))
    save("in/a.png", size=(6, 4))
    looks = iter(range(4))

    def wait(_):
        if next(looks, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("pixelift.batch.watching.time.sleep", wait)

    code, out, err = run("in", "--watch")

    assert code == 130
    assert sorted(line.split()[0] for line in out.splitlines()) == ["in/a.gif", "in/a.png"]
    assert err.count("becomes in/a.gif_x2.png") == 1
    assert names_in(Path("in")) == ["a.gif", "a.gif_x2.png", "a.png", "a_x2.png"]


@pytest.fixture
def somewhere(tmp_path, save):
    """Make a folder with one that may be listed and not entered, and one the other way round."""
    folder = tmp_path / "in"
    for name in ("a.png", "listed/b.png", "entered/c.png"):
        save(folder / name, size=(64, 64))
    (folder / "listed").chmod(0o444)
    (folder / "entered").chmod(0o111)
    yield tmp_path
    for name in ("listed", "entered"):
        (folder / name).chmod(0o755)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="locks folders as POSIX does")
@pytest.mark.skipif(
    IS_ROOT and shutil.which("setpriv") is None, reason="root may read everything, and no setpriv"
)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["upscale", "in", "-m", "fake", "-s", "2", "-o", "out"], 1),
        (["degrade", "in", "-o", "out"], 1),
        (["prepare", "in", "in/a.png", "--no-screens", "--workers", "1", "-o", "out"], 1),
        (["evaluate", "-m", "bicubic", "-s", "2", "--hr", "in/listed"], 2),
        (["evaluate", "-m", "bicubic", "-s", "2", "--hr", "in"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_locked_folder_costs_only_itself(home, somewhere, arguments, code):
    done = subprocess.run(
        [*(DROPPED if IS_ROOT else ()), sys.executable, "-m", "pixelift", *arguments],
        capture_output=True,
        text=True,
        cwd=somewhere,
        env={**os.environ, "PIXELIFT_HOME": str(home)},
        timeout=PATIENCE,
        check=False,
    )

    told = [line for line in done.stderr.splitlines() if "cannot look into" in line]
    assert len(told) == {0: 0, 1: 2, 2: 1}[code], done.stderr
    assert "Errno" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code
    if "out" in arguments:
        assert list((somewhere / "out").iterdir())
