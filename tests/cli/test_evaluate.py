import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.cli.main import main
from tests.fakes import model_bytes, write_model


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """A folder to work in, with a set of two pictures and a network x2 of the user."""
    (tmp_path / "Two" / "HR").mkdir(parents=True)
    for name in ("one", "two"):
        pixels = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((4, 4, 1))).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "Two" / "HR" / f"{name}.png")
    write_model(tmp_path / "models", scale=2, gain=0.0, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(*words, model="bicubic"):
    return main(["evaluate", "-m", model, "-s", "2", "--hr", "Two/HR", *words])


@pytest.mark.usefixtures("folder")
def test_a_table_for_people_is_printed(capsys):
    assert evaluate() == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[:5]] == [
        "picture",
        ":--------",
        "one",
        "two",
        "mean of 2",
    ]
    assert lines[-1].startswith("bicubic x2 on Two. Y (BT.601 studio range, not rounded)")


def test_the_result_is_written_as_json(folder, capsys):
    assert evaluate("--json", "result.json") == 0

    result = json.loads((folder / "result.json").read_text())
    fields = ["model", "scale", "set", "n", "psnr_y", "ssim_y", "images"]
    assert list(result)[:7] == fields
    assert (result["model"], result["scale"], result["set"], result["n"]) == (
        "bicubic",
        2,
        "Two",
        2,
    )
    assert result["command"] == "pixelift evaluate -m bicubic -s 2 --hr Two/HR"
    assert result["version"]
    assert f"{result['psnr_y']:.2f}" in capsys.readouterr().out
    assert [p.name for p in folder.iterdir() if p.is_file()] == ["result.json"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("words", [["--json", "-"], ["--json=-"]])
def test_json_for_another_program_is_alone_on_stdout(words, capsys):
    assert evaluate(*words) == 0

    assert json.loads(capsys.readouterr().out)["n"] == 2


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_model_by_name_is_measured_on_each_engine(engine, capsys):
    pytest.importorskip(engine)

    assert evaluate("--json", "-", "--engine", engine, "--precision", "f32", model="fake") == 0

    result = json.loads(capsys.readouterr().out)
    assert (result["model"], result["engine"], result["precision"]) == ("fake", engine, "f32")
    assert result["command"].endswith(f"--engine {engine} --precision f32")
    # This network adds nothing to its bicubic base, so that it is as good as bicubic.
    assert evaluate("--json", "-") == 0
    bicubic = json.loads(capsys.readouterr().out)
    assert result["psnr_y"] == pytest.approx(bicubic["psnr_y"], abs=0.05)


def test_a_model_in_a_file_is_measured(folder, capsys):
    (folder / "runs").mkdir()
    (folder / "runs" / "new.onnx").write_bytes(model_bytes(scale=2, width=4, depth=2))

    assert evaluate("--json", "-", model="runs/new.onnx") == 0
    assert json.loads(capsys.readouterr().out)["model"] == "new.onnx"


def test_a_bad_picture_is_told_and_the_exit_code_is_1(folder, capsys):
    (folder / "Two" / "HR" / "bad.png").write_bytes(b"no picture")

    assert evaluate("--json", "-") == 1

    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["n"] == 2
    assert [failure["name"] for failure in result["failed"]] == ["bad"]
    assert err.startswith("pixelift: cannot read")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["-m", "nothing", "-s", "2", "--hr", "Two/HR"], 2, 'no model "nothing"'),
        (["-m", "fake", "-s", "3", "--hr", "Two/HR"], 2, "Its scales:"),
        (["-m", "bicubic", "-s", "0", "--hr", "Two/HR"], 2, "scale 0"),
        (["-m", "bicubic", "-s", "2", "--hr", "Two/HR", "--json", "no/a.json"], 2, "no/a.json"),
        (["-m", "bicubic", "-s", "2", "--hr", "Two"], 2, "Did you mean --hr Two/HR?"),
        (["-m", "bicubic", "-s", "2", "--hr", "nowhere"], 2, "nowhere does not exist"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(words, code, told, capsys):
    assert main(["evaluate", *words]) == code

    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device to write to")
def test_a_device_is_not_replaced_by_the_json(told, save):
    save("hr/a.png", size=(20, 20))
    code, _, err = told("evaluate", "-m", "bicubic", "-s", 2, "--hr", "hr", "--json", "/dev/full")
    assert code == 2
    assert err == "pixelift: /dev/full is a device or a pipe. For stdout write: --json -\n"
    assert not Path("/dev/full").is_file()
