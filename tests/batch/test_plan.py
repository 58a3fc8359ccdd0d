import os
import re
from pathlib import Path

import pytest

from pixelift.batch.plan import plan_jobs
from pixelift.errors import ConfigError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Hand out a function that makes empty files below an empty current folder."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


def outputs(*inputs, output=None, format=None):
    plan = plan_jobs([Path(i) for i in inputs], output=output, label="x2", format=format)
    assert not plan.empty
    return [(job.output.as_posix(), job.makes_folder) for job in plan.jobs]


def test_a_name_with_an_ending_is_a_file_and_one_that_ends_in_a_slash_a_folder(tree):
    tree("a.png")
    assert outputs("a.png", output="big.jpg") == [("big.jpg", False)]
    assert outputs("a.png", output="big.jpg/") == [("big.jpg/a_x2.png", True)]
    Path("there").mkdir()
    assert outputs("a.png", output="there") == [("there/a_x2.png", True)]


def test_folders_are_mirrored_below_the_output(tree):
    tree("in/b.jpg", "in/deep/a.png", "in/notes.txt", "c.png")
    assert outputs("in", "c.png", output="out") == [
        ("out/b_x2.jpg", True),
        ("out/deep/a_x2.png", True),
        ("out/c_x2.png", True),
    ]


def test_results_of_any_command_are_no_inputs_and_are_told_of(tree, save):
    tree()
    save("in/a.png", size=(6, 4))
    for result, size in {
        "a_x2.png": (12, 8),
        "a_x4.jpg": (24, 16),
        "a_x2_x3.png": (36, 24),
    }.items():
        save(f"in/{result}", size=size)
    save("in/large/a_x3.png", size=(18, 12))

    plan = plan_jobs([Path("in")], output=None, label="x2", format=None)

    assert [job.output for job in plan.jobs] == [Path("in/a_x2.png")]
    assert plan.notes == [
        "in/a_x2_x3.png is the result of in/a_x2.png and is left alone, and so are 2 more. "
        "To enlarge a result once more, give it by itself"
    ]
    assert outputs("in", output="out") == [("out/a_x2.png", True)]
    assert outputs("in", output="in/large") == [("in/large/a_x2.png", True)]
    assert outputs("in/a_x2.png") == [("in/a_x2_x2.png", False)]


def test_results_among_the_names_that_a_shell_gives_are_left_alone(tree, save):
    tree()
    save("a.png", size=(6, 4))
    save("a_x2.png", size=(12, 8))

    plan = plan_jobs([Path("a.png"), Path("a_x2.png")], output=None, label="x4", format=None)

    assert [job.output for job in plan.jobs] == [Path("a_x4.png")]
    assert plan.notes[0].startswith("a_x2.png is the result of a.png and is left alone. To")


def test_a_picture_that_is_only_named_like_a_result_is_an_input_and_keeps_its_place(tree, save):
    tree()
    save("in/a.png", size=(6, 4))
    save("in/a_x2.png", size=(12, 9))

    plan = plan_jobs([Path("in")], output=None, label="x2", format=None)

    assert [job.output.name for job in plan.jobs] == ["a.png_x2.png", "a_x2_x2.png"]
    assert "since in/a_x2.png is a picture that is given too" in plan.notes[0]


def test_what_lies_in_the_folder_of_the_results_is_no_input(tree):
    tree("in/a.png", "in/out/other.png")
    assert outputs("in", output="in/out") == [("in/out/a_x2.png", True)]


def test_a_folder_without_pictures_is_told_apart(tree):
    tree("none/notes.txt", "a.png")
    plan = plan_jobs([Path("none"), Path("a.png")], output=None, label="x2", format=None)
    assert [job.input for job in plan.jobs] == [Path("a.png")]
    assert plan.empty == [Path("none")]


def test_a_folder_that_may_not_be_looked_into_is_a_problem_and_not_empty(tree, monkeypatch):
    tree("in/a.png", "in/locked/b.png", "locked/c.png")
    listed = os.scandir

    def scandir(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)

    plan = plan_jobs([Path("in"), Path("locked")], output=None, label="x2", format=None)

    assert [job.input for job in plan.jobs] == [Path("in/a.png")]
    assert plan.empty == []
    assert plan.problems == [
        f'cannot look into "{name}": permission denied. Allow it: chmod u+rx "{name}"'
        for name in ("in/locked", "locked")
    ]


def test_what_is_no_file_is_an_input_that_reading_tells_of(tree):
    tree("in/a.png")
    os.mkfifo("in/b.png")
    Path("in/c.png").symlink_to("nowhere")
    assert len(outputs("in")) == 3


def test_inputs_that_are_missing_are_planned_since_reading_tells_more(tree):
    tree()
    assert outputs("missing.png", "a/b.webp") == [("missing_x2.png", False), ("a/b_x2.webp", False)]
    # Not that the format of "large" is unknown: it was meant to be a folder, as "photos" was.
    assert len(outputs("photos", output="large")) == 1


def test_the_same_picture_named_twice_is_one_job(tree):
    tree("in/a.png")
    assert len(outputs("in/a.png", "in/../in/a.png", "in")) == 1


@pytest.mark.parametrize(
    ("inputs", "output", "told"),
    [
        (["a.png", "sub/a.png"], "a.png", "several results need a folder"),
        (["a.png"], "result", "cannot tell the format"),
    ],
)
def test_a_plan_that_would_lose_something_is_refused(tree, inputs, output, told):
    tree("a.png", "a_x2.png", "sub/a.png")
    with pytest.raises(ConfigError, match=re.escape(told)):
        outputs(*inputs, output=output)


def test_a_clash_by_another_name_of_the_same_folder_is_found(tree):
    tree("sub/a.png")
    Path("link").symlink_to("sub")
    with pytest.raises(ConfigError, match=r"would replace the input link/a\.png"):
        outputs("sub/a.png", output="link/a.png")
