from pathlib import Path

import pytest
from PIL import Image

from pixelift.batch.results import find_results, may_be_result


@pytest.fixture
def folder(tmp_path, save):
    """Hand out a function that makes pictures of given sizes, and finds the results among them."""

    def find(**sizes):
        paths = []
        for name, size in sizes.items():
            paths.append(tmp_path / name.replace("__", "/"))
            save(paths[-1].with_suffix(".png"), size=size)
        found = find_results([path.with_suffix(".png") for path in paths], tmp_path)
        return {
            result.relative_to(tmp_path).as_posix(): source.relative_to(tmp_path).as_posix()
            for result, source in found.items()
        }

    return find


@pytest.mark.parametrize(
    ("label", "size"),
    [
        ("x2", (26, 14)),
        ("x2.5", (33, 18)),
        ("x2.33333", (30, 16)),
        ("39w", (39, 21)),
        ("21h", (39, 21)),
        ("40x21", (40, 21)),
        ("0.001mp", (43, 23)),
    ],
)
def test_a_name_and_the_size_it_tells_make_a_result(tmp_path, save, label, size):
    source = save(tmp_path / "a.jpg", size=(13, 7))
    result = save(tmp_path / f"a_{label}.png", size=size)
    assert find_results([source, result], tmp_path) == {result: source}

    other = save(result, size=(size[0], size[1] + 1))
    assert find_results([source, other], tmp_path) == {}


def test_a_result_needs_its_picture(folder):
    assert folder(a=(6, 4), b_x2=(12, 8), a_x2=(12, 8)) == {"a_x2.png": "a.png"}


def test_a_result_of_a_result_is_one_too(folder):
    assert folder(a=(6, 4), a_x2=(12, 8), a_x2_x3=(36, 24)) == {
        "a_x2.png": "a.png",
        "a_x2_x3.png": "a_x2.png",
    }


def test_results_are_found_in_a_folder_that_mirrors_those_of_the_pictures(folder):
    assert folder(deep__a=(6, 4), out__deep__a_x2=(12, 8), out__a_x2=(12, 8)) == {
        "out/deep/a_x2.png": "deep/a.png"
    }


def test_a_name_that_tells_the_ending_of_its_picture_is_one_of_a_result(tmp_path, save):
    source = save(tmp_path / "a.gif", size=(6, 4))
    result = save(tmp_path / "a.gif_x2.png", size=(12, 8))
    assert find_results([source, result], tmp_path) == {result: source}


def test_a_picture_that_lies_on_its_side_counts_upright(tmp_path, save):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = save(tmp_path / "a.jpg", size=(6, 4), exif=exif)
    assert may_be_result(save(tmp_path / "a_x2.png", size=(8, 12)), source)
    assert not may_be_result(save(tmp_path / "a_x2.png", size=(12, 8)), source)


def test_where_a_size_cannot_be_read_the_name_decides(tmp_path, save):
    source = save(tmp_path / "a.png", size=(6, 4))
    damaged = tmp_path / "a_x2.png"
    damaged.write_bytes(b"")
    assert may_be_result(damaged, source)
    assert may_be_result(tmp_path / "a_x3.png", source)
    assert not may_be_result(Path(tmp_path / "b.png"), source)


@pytest.mark.parametrize("label", ["x1.2.3", "x.", "-1mp", "1e+99mp", "x" + "9" * 999, "0w"])
def test_odd_labels_are_no_labels(tmp_path, save, label):
    source = save(tmp_path / "a.png", size=(6, 4))
    path = tmp_path / f"a_{label}.png"
    if len(label) < 200:  # a longer name is that of no file
        save(path, size=(12, 8))
    assert not may_be_result(path, source)


@pytest.mark.parametrize("name", ["a", "a.bmp"])
def test_a_picture_that_no_folder_is_searched_for_has_results_all_the_same(tmp_path, save, name):
    source = save(tmp_path / name, size=(6, 4), format="PNG")
    result = save(tmp_path / f"{name}_x2.png", size=(12, 8))
    assert find_results([result], tmp_path) == {result: source}
