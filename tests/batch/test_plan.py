import re
from pathlib import Path

import pytest

from pixelift.batch.plan import format_of, plan_jobs
from pixelift.errors import ConfigError
from pixelift.image.formats import FORMATS


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
    jobs, empty = plan_jobs([Path(i) for i in inputs], output=output, label="x2", format=format)
    assert not empty
    return [(job.output.as_posix(), job.makes_folder) for job in jobs]


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
    (job,), _ = plan_jobs([Path(given)], output=None, label="x2", format=format)

    assert job.output == Path(made)
    assert Path(made).suffix.lower() in job.format.suffixes


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


def test_what_the_same_command_wrote_before_is_no_input(tree):
    tree("in/a.png", "in/a_x2.png", "in/out/a_x2.png")
    assert outputs("in/a.png", "in", output="in/out") == [
        ("in/out/a_x2.png", True),
        ("in/out/a_x2_x2.png", True),
    ]
    assert outputs("in") == [("in/a_x2.png", False), ("in/out/a_x2_x2.png", False)]


def test_a_folder_without_pictures_is_told_apart(tree):
    tree("none/notes.txt", "a.png")
    jobs, empty = plan_jobs([Path("none"), Path("a.png")], output=None, label="x2", format=None)
    assert [job.input for job in jobs] == [Path("a.png")]
    assert empty == [Path("none")]


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
        (["a.png", "a_x2.png"], None, "would replace the input a_x2.png"),
        (["a.png", "sub/a.png"], "out", "would both be out/a_x2.png"),
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


def test_a_format_is_told_by_the_name_or_by_the_option():
    assert format_of(Path("a.TIFF"), None) is FORMATS["tiff"]
    assert format_of(Path("result"), "avif") is FORMATS["avif"]
    with pytest.raises(ConfigError):
        format_of(Path("a.bmp"), None)
