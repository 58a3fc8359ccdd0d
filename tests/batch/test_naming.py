import itertools
import os
from pathlib import Path

import pytest

from pixelift.batch.naming import format_of, give_names, name_job
from pixelift.batch.plan import plan_jobs
from pixelift.errors import ConfigError
from pixelift.image.formats import FORMATS


@pytest.fixture(autouse=True)
def _somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


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
    job = name_job(Path(given), Path(given), target=None, label="x2", format=format)

    assert job.output == Path(made)
    assert Path(made).suffix.lower() in job.format.suffixes


@pytest.mark.parametrize(
    ("name", "content", "made"),
    [
        ("a.jpg", "PNG", "a_x2.png"),
        ("a.JPG", "WEBP", "a_x2.webp"),
        ("a.png", "JPEG", "a_x2.jpg"),
        ("a.jfif", "JPEG", "a_x2.jfif"),
        ("a.TIF", "TIFF", "a_x2.TIF"),
        ("a.png", "GIF", "a_x2.png"),
        ("a.gif", "WEBP", "a_x2.webp"),
        ("a.webp", "AVIF", "a_x2.avif"),
        ("a", "JPEG", "a_x2.jpg"),
        ("v1.2", "TIFF", "v1.2_x2.tif"),
    ],
)
def test_the_content_decides_the_format_and_not_the_name(name, content, made, save):
    save(name, format=content)

    job = name_job(Path(name), Path(name), target=None, label="x2", format=None)

    assert job.output == Path(made)
    assert Path(made).suffix.lower() in job.format.suffixes


def test_a_format_that_is_asked_for_outdoes_the_content(save):
    save("a.jpg", format="PNG")
    job = name_job(Path("a.jpg"), Path("a.jpg"), target=None, label="x2", format="jpeg")
    assert (job.output, job.format.name) == (Path("a_x2.jpg"), "jpeg")


def test_a_pipe_is_not_opened_for_its_format():
    os.mkfifo("a.png")
    job = name_job(Path("a.png"), Path("a.png"), target=None, label="x2", format=None)
    assert job.output == Path("a_x2.png")


def test_a_format_is_told_by_the_name_or_by_the_option():
    assert format_of(Path("a.TIFF"), None) is FORMATS["tiff"]
    assert format_of(Path("result"), "avif") is FORMATS["avif"]
    with pytest.raises(ConfigError):
        format_of(Path("a.bmp"), None)


def named(*inputs, output=None):
    """Name the results of pictures, in whatever order these are given."""
    found = [
        {
            str(job.input): job.output.as_posix()
            for job in plan_jobs(list(order), output=output, label="x4", format=None).jobs
        }
        for order in itertools.permutations(map(Path, inputs))
    ]
    assert all(names == found[0] for names in found)
    outputs = [output.casefold() for output in found[0].values()]
    assert len(set(outputs)) == len(outputs)
    return found[0]


def test_of_two_results_of_one_name_the_one_of_the_same_ending_keeps_it(save):
    save("a.gif")
    save("a.png")
    assert named("a.gif", "a.png") == {"a.png": "a_x4.png", "a.gif": "a.gif_x4.png"}
    assert named(".") == {"a.png": "a_x4.png", "a.gif": "a.gif_x4.png"}

    plan = plan_jobs([Path()], output=None, label="x4", format=None)
    assert plan.notes == [
        "a.gif becomes a.gif_x4.png, since a_x4.png is the result of another picture. "
        "For another name give it by itself: -o FILE"
    ]


def test_names_that_differ_in_capitals_only_are_one_on_some_disks(save):
    save("A.png")
    save("a.png")
    assert named("A.png", "a.png", output="out") == {
        "A.png": "out/A_x4.png",
        "a.png": "out/a.png_x4.png",
    }


def test_namesakes_of_several_folders_are_told_apart_by_them(save):
    for folder in ("x", "y", "z/y"):
        save(f"{folder}/a.png")
    names = named("x/a.png", "y/a.png", "z/y/a.png", output="out")
    assert names == {
        "x/a.png": "out/a_x4.png",
        "y/a.png": "out/y_a_x4.png",
        "z/y/a.png": "out/a.png_x4.png",
    }
    assert named("x", "y", output="out") == {"x/a.png": "out/a_x4.png", "y/a.png": "out/y_a_x4.png"}


def test_a_second_name_is_nobody_elses(save):
    for name in ("a.gif", "a.png", "a.gif.png"):
        save(name)
    names = named("a.gif", "a.png", "a.gif.png")
    assert names["a.png"] == "a_x4.png"
    assert names["a.gif.png"] == "a.gif_x4.png"


def test_who_has_a_result_already_keeps_the_name(save):
    save("a.gif", size=(10, 6))
    save("a_x4.png", size=(40, 24))
    save("a.png", size=(8, 6))
    assert named("a.gif", "a.png") == {"a.gif": "a_x4.png", "a.png": "a.png_x4.png"}


def test_everything_is_found_done_by_the_same_command(save):
    save("in/a.gif", size=(10, 6))
    save("in/a.png", size=(8, 6))
    names = named("in")
    save(names["in/a.gif"], size=(40, 24))
    save(names["in/a.png"], size=(32, 24))
    assert named("in") == names


def test_jobs_without_a_clash_are_left_as_they_are():
    jobs = [
        name_job(Path(name), Path(name), target=None, label="x4", format=None)
        for name in ("a.png", "b.png")
    ]
    assert give_names(jobs, label="x4") == (jobs, [])


def test_a_picture_that_came_later_does_not_take_a_result_for_its_own(save):
    save("a.gif")
    os.utime("a.gif", (1, 1))
    save("a_x4.png", size=(24, 16))
    os.utime("a_x4.png", (2, 2))
    save("a.png")
    names = {"a.gif": "a_x4.png", "a.png": "a.png_x4.png"}
    assert named("a.gif", "a.png") == names

    save("a.png_x4.png", size=(24, 16))
    os.utime("a.gif")  # touched
    assert named("a.gif", "a.png") == names
