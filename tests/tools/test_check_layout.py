import pytest

from tools.check_layout import main


@pytest.fixture
def house(tmp_path):
    """Make the smallest repository whose layout is kept."""
    for file in (
        "src/pixelift/__init__.py",
        "src/pixelift/__main__.py",
        "src/pixelift/image/__init__.py",
        "src/pixelift/image/color.py",
        "tests/image/test_color.py",
        "README.md",
    ):
        write(tmp_path / file)
    return tmp_path


def write(path, *, lines=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n" * lines)


def test_a_mirrored_house_is_kept(house, capsys):
    assert main(house) == 0
    assert capsys.readouterr().out == "layout: kept\n"


def test_a_module_without_a_test_file_is_told_with_the_place_of_the_test(house, capsys):
    write(house / "src/pixelift/image/resize.py")
    assert main(house) == 1
    assert (
        "src/pixelift/image/resize.py: no test file, expected tests/image/test_resize.py"
        in capsys.readouterr().out
    )


def test_a_test_file_in_another_room_does_not_count(house):
    write(house / "src/pixelift/metrics/__init__.py")
    write(house / "src/pixelift/metrics/psnr.py")
    write(house / "tests/image/test_psnr.py")
    assert main(house) == 1


@pytest.mark.parametrize(
    ("file", "limit"), [("src/pixelift/image/color.py", 400), ("README.md", 150)]
)
def test_a_file_may_have_so_many_lines_and_no_more(house, capsys, file, limit):
    write(house / file, lines=limit)
    assert main(house) == 0
    write(house / file, lines=limit + 1)
    assert main(house) == 1
    assert f"{file}: {limit + 1} lines, at most {limit} are allowed" in capsys.readouterr().out


def test_a_room_without_init_is_told(house, capsys):
    (house / "src/pixelift/image/__init__.py").unlink()
    assert main(house) == 1
    assert "src/pixelift/image: no __init__.py" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["utils/__init__.py", "image/helpers.py"])
def test_names_that_say_nothing_are_refused_even_with_a_test_file(house, capsys, place):
    write(house / "src/pixelift" / place)
    write(house / "tests/image/test_helpers.py")
    assert main(house) == 1
    assert "says nothing, name what it holds" in capsys.readouterr().out


def test_every_offender_is_printed(house, capsys):
    write(house / "src/pixelift/image/resize.py", lines=401)
    write(house / "src/pixelift/image/depth.py")
    assert main(house) == 1
    assert capsys.readouterr().out.endswith("layout: 3 problems\n")
