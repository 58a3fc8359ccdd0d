import contextlib
import io
import sys

import pytest

from pixelift.cli import video as video_module
from pixelift.cli.main import main
from pixelift.errors import VideoError
from pixelift.image.geometry import Size
from pixelift.video import run as run_module
from pixelift.video.run import Made
from tests.films import drawn, make_film, read_film


@pytest.fixture
def video(home, tmp_path, monkeypatch, capsys):
    """Hand out a function that runs `pixelift video -m fake` in an empty folder."""
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(["video", *map(str, arguments), "-m", "fake"])
        return code, *capsys.readouterr()

    return run


def test_a_film_becomes_twice_as_large_beside_itself(video):
    make_film("a.mkv", [drawn(n) for n in range(5)])
    code, out, err = video("a.mkv")
    assert (code, err) == (0, "")
    assert out.startswith("a.mkv 64x48 -> a_x2.mkv 128x96, 5 frames in ")
    assert read_film("a_x2.mkv")[1].shape == (5, 96, 128, 3)
    assert video("a.mkv") == (0, "a.mkv -> a_x2.mkv is there already\n", "")
    code, out, _ = video("a.mkv", "--overwrite", "--height", "60", "-o", "b.mp4", "--codec", "hevc")
    assert (code, out[:32]) == (0, "a.mkv 64x48 -> b.mp4 80x60, 5 fr")


def test_what_is_not_written_becomes_an_mp4(video):
    make_film("a.avi", [drawn(n // 2) for n in range(4)], codec="ffv1")
    code, out, _ = video("a.avi", "-s", "x4")
    assert code == 0
    assert "a_x4.mp4 256x192, 4 frames" in out
    assert out.endswith("2 repeated\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.mkv", "--crf", "52"], "crf is 52; allowed are 0 to 51"),
        (["a.mkv", "-o", "b.webm"], "allowed are names that end in .mp4, .mov, .mkv"),
        (["a.mkv", "-o", "a.mkv"], "would replace the film itself"),
        (["a.mkv", "-s", "2", "--width", "100"], "in one way"),
        (["a.mkv", "-s", "17"], "scale is 17"),
    ],
)
def test_wrong_usage_is_told_before_any_work(video, words, told):
    make_film("a.mkv", [drawn(0)])
    code, out, err = video(*words)
    assert (code, out) == (2, "")
    assert told in err


def test_a_file_that_is_no_film_is_told_in_one_line(video, tmp_path):
    (tmp_path / "a.mp4").write_text("no film")
    code, _, err = video("a.mp4")
    assert code == 1
    assert err.startswith("pixelift: a.mp4 is no film that can be read")
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_run_that_is_stopped_says_how_it_goes_on(video, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "enlarge", stopped)
    code, _, err = video("a.mp4")
    assert (code, err) == (130, "pixelift: stopped; the same command goes on with it\n")


def test_what_one_would_not_expect_of_the_result_is_told(video, monkeypatch):
    made = Made(
        Size(4, 4), Size(8, 8), 70, 100, 40, 3, 1.5, ["subtitle in subrip"], is_interlaced=True
    )
    monkeypatch.setattr(run_module, "enlarge", lambda *_, **__: made)
    code, out, err = video("a.mp4")
    assert code == 0
    assert out == (
        "a.mp4 4x4 -> a_x2.mp4 8x8, 70 frames in 1.5 s, 40 of them made before, 3 repeated\n"
    )
    lines = err.splitlines()
    assert "subtitle in subrip" in lines[0]
    assert "interlaced" in lines[1]
    assert "ends after 70 of the 100 frames" in lines[2]


def test_a_film_that_another_process_makes_is_left_to_it(video, monkeypatch):
    monkeypatch.setattr(run_module, "enlarge", lambda *_, **__: None)
    code, _, err = video("a.mp4")
    assert code == 1
    assert "made by another process" in err


def test_an_error_while_it_is_made_is_told(video, monkeypatch):
    def full(*_, **__):
        raise VideoError("cannot write b.mp4: No space left on device.")

    monkeypatch.setattr(run_module, "enlarge", full)
    assert video("a.mp4")[::2] == (1, "pixelift: cannot write b.mp4: No space left on device.\n")


def test_a_terminal_sees_how_far_and_how_fast(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with contextlib.ExitStack() as stack:
        watch = stack.enter_context(video_module._shown())
        for done in range(1, 11):
            watch(done, 20)
    assert "10/20" in terminal.getvalue()
    assert "a second" in terminal.getvalue()
