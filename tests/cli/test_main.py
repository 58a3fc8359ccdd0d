import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cyclopts import App
from PIL import Image

from pixelift import errors
from pixelift.cli import main as cli
from pixelift.cli.main import COMMANDS, deliver_again, main, make_app
from tests.patience import PATIENCE

HEAVY = ("torch", "openvino", "onnxruntime", "numpy", "pyvips", "msgspec", "scipy")


def pixelift(*arguments, **options):
    """Run the command in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-m", "pixelift", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )


@pytest.fixture
def raising(monkeypatch):
    """Hand out a function that makes `pixelift models` raise what it is given."""

    def replace(error):
        def command():
            raise error

        monkeypatch.setattr("pixelift.cli.models.models", command)

    return replace


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_every_command_with_what_it_does(arguments, capsys):
    assert main(arguments) == 0

    out = capsys.readouterr().out
    for name, (_, summary) in COMMANDS.items():
        assert name in out
        assert summary in out
    assert "--debug" in out


def test_help_imports_neither_torch_nor_an_engine_nor_numpy():
    code = (
        "import sys\nfrom pixelift.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        "print('imported:', *sorted(set(sys.modules) & set(sys.argv[1:])), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *HEAVY, "rich"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    # rich proves that what is imported is seen.
    assert done.stderr.strip() == "imported: rich"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_options_has_help(name, capsys):
    command: App = make_app(name)[name]

    arguments = command.assemble_argument_collection(parse_docstring=True)
    assert len(arguments) > 0
    for argument in arguments:
        assert argument.parameter.help, f"{name} {argument.name} has no help"
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"pixelift {name}" in out
    assert command.help.splitlines()[0] in " ".join(out.split())
    assert all(argument.name in out for argument in arguments)


def test_the_version_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(cli, "version", lambda: "1.2.3")

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "1.2.3\n"


def test_a_version_is_told_also_where_the_package_is_not_installed():
    assert cli.version()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["upscal"], 'no command "upscal". Did you mean "upscale"?'),
        (["upscale"], "INPUT requires an argument"),
        (["upscale", "a.png", "--scal", "2"], "Did you mean --scale? Run: pixelift upscale"),
        (["upscale", "a.png", "-s", "two"], '"two" is no factor; allowed is 1 to 16'),
        (["upscale", "a.png", "--tile", "2.5"], '"2.5" is no whole number'),
        (["upscale", "a.png", "--engine", "tpu"], '"tpu"'),
        (["upscale", "a.png", "--format", "bmp"], '"bmp"'),
        (["models", "--jsn"], "--jsn"),
        (["evaluate", "-s", "2", "--hr", "x"], "--model"),
        (["evaluate", "-m", "bicubic", "-s", "2"], "--hr"),
        (["evaluate", "-m", "bicubic", "-s", "2", "--hr", "x", "--json", "--tile"], "--tile"),
    ],
)
def test_wrong_usage_is_told_in_one_line_and_exits_with_2(arguments, told, capsys):
    assert main(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("pixelift: ")
    assert err.count("\n") == 1
    assert told in err
    assert "--help" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("a"), 2),
        (errors.UnknownNameError("a"), 2),
        (errors.ShapeError("a"), 2),
        (errors.EngineUnavailableError("a"), 2),
        (errors.WrongDatasetError("a"), 2),
        (errors.WrongRunError("a"), 2),
        (errors.WeightsError("a"), 1),
        (errors.ImageReadError("a"), 1),
        (errors.DatasetError("a"), 1),
        (errors.TrainingError("a"), 1),
        (errors.OutOfMemoryError("a"), 1),
        (OSError("a"), 1),
    ],
)
def test_an_error_becomes_one_line_and_an_exit_code(error, code, raising, capsys):
    raising(error)

    assert main(["models"]) == code
    assert capsys.readouterr().err == "pixelift: a\n"


def test_a_message_of_several_lines_becomes_one(raising, capsys):
    raising(errors.ConfigError("first\n  second"))

    assert main(["models"]) == 2
    assert capsys.readouterr().err == "pixelift: first second\n"


def test_running_out_of_memory_is_told(raising, capsys):
    raising(MemoryError())

    assert main(["models"]) == 1
    assert "out of memory" in capsys.readouterr().err


def test_debug_shows_where_an_error_came_up(raising, capsys):
    raising(errors.ConfigError("a"))

    assert main(["models", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("pixelift: a\n")


def test_a_mistake_in_the_code_is_not_hidden(raising):
    raising(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_an_interrupt_exits_with_130_and_a_short_line(raising, capsys):
    raising(KeyboardInterrupt())

    assert main(["models"]) == 130
    assert capsys.readouterr().err == "pixelift: stopped\n"


def test_an_interrupt_that_was_lost_in_a_callback_is_delivered_again(monkeypatch, capsys):
    delivered = threading.Event()
    monkeypatch.setattr("_thread.interrupt_main", delivered.set)

    deliver_again(SimpleNamespace(exc_type=KeyboardInterrupt))

    assert delivered.wait(timeout=30)
    assert capsys.readouterr().err == ""


def test_other_exceptions_that_are_lost_are_told_as_ever(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "__unraisablehook__", told.append)
    report = SimpleNamespace(exc_type=ValueError)

    deliver_again(report)

    assert told == [report]


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe as a shell does")
def test_a_reader_that_has_gone_is_no_reason_to_complain():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pixelift", "--help"],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writing)

    assert done.stderr == b""
    assert done.returncode == 1


def test_the_installed_command_passes_its_words_and_the_exit_code_on():
    done = pixelift("upscale")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="makes a file name of bytes that are no text")
def test_a_file_name_that_is_no_text_is_told_all_the_same(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(b"no picture")

    done = pixelift("evaluate", "-m", "bicubic", "-s", "2", "--hr", ".", cwd=tmp_path)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "caf\\udce9.png" in done.stderr
    assert "mean of 0" in done.stdout


ODD = (
    b"r\x1b[31med.png",
    b"new\nline.png",
    b"back\r\x08.png",
    b"c\xe9.png",
    "\u202egnp.png".encode(),
)
"""File names that would do something to a terminal, or that it cannot take."""


@pytest.mark.skipif(sys.platform != "linux", reason="makes file names of bytes that are no text")
@pytest.mark.parametrize(
    "arguments",
    [
        ("upscale", "in", "-m", "fake", "-s", "2"),
        ("upscale", "in", "-m", "fake", "-s", "2", "--json"),
        ("degrade", "in", "-o", "out"),
        ("evaluate", "-m", "bicubic", "-s", "2", "--hr", "in"),
        ("prepare", "in", "-o", "out", "--no-screens", "--workers", "1", "--report"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_good", [True, False], ids=["good", "damaged"])
def test_no_file_name_does_anything_to_a_terminal(
    told, save, home, monkeypatch, arguments, is_good, rng
):
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    save("in/plain.png", size=(64, 64))
    for name in ODD:
        path = Path("in", os.fsdecode(name))
        colours = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(colours).save(path)
        if not is_good:
            path.write_bytes(path.read_bytes()[:99])

    code, out, err = told(*arguments)

    assert code == (0 if is_good else 1)
    assert [sign for sign in out + err if not sign.isprintable() and sign != "\n"] == []
    assert len(err.splitlines()) == (0 if is_good else len(ODD))
    if not is_good:
        assert r"r\x1b[31med.png" in err
        assert r"new\nline.png" in err
    (out + err).encode()
