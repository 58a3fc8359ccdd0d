import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.patience import PATIENCE


def test_the_whole_path_from_photos_to_a_larger_picture(told, save, recipe):
    sizes = {"train/a.png": (70, 60), "train/b.png": (60, 80), "valid/c.png": (64, 56)}
    for name, size in sizes.items():
        save(f"photos/{name}", size=size)
    steps = ("--set", "optim.steps=4")
    train = ("train", recipe, "--data", "set", "-o", "runs/mine", *steps)
    patches = ("--no-screens", "--scale", "2", "--workers", "1")

    commands = [
        ("prepare", "photos/train", "-o", "set", "--valid", "photos/valid", *patches),
        train,
        (*train, "--resume"),
        ("export", "runs/mine", "-o", "mine_x2.onnx"),
        ("upscale", "photos/valid/c.png", "-m", "mine_x2.onnx", "-o", "large.png", "--json"),
    ]
    for command in commands:
        code, out, err = told(*command)
        assert (code, err) == (0, ""), command

    outcome = json.loads(out)
    assert (outcome["model"], outcome["scale"]) == ("mine", 2)
    with Image.open("large.png") as picture:
        assert picture.size == (128, 112)


def test_what_was_exported_is_told(told, trained):
    code, out, err = told("export", trained, "-o", "net.onnx", "--name", "mine")

    assert (code, err) == (0, "")
    # 3x3 convolutions 3 -> 4 -> 4 -> 12 with biases, and the 5x5 kernels of the base.
    weights = 9 * (3 * 4 + 4 * 4 + 4 * 12)
    assert out.startswith(
        f"net.onnx: mine x2, {weights + 20} parameters, {weights + 12 * 25:,} MACs per LR pixel, "
    )
    assert [path.name for path in Path().iterdir()] == ["net.onnx"]


def test_the_network_is_named_after_its_run(told, trained):
    assert told("export", trained, "-o", "net.onnx")[1].startswith("net.onnx: tiny x2, ")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("run two", "run-two"), ("été", "ete"), ("_run", "run"), ("r" * 120, "r" * 100)],
)
def test_whatever_a_run_is_called_its_network_can_be_used(told, trained, save, folder, name):
    shutil.copytree(trained, folder)
    save("a.png")

    code, out, err = told("export", folder, "-o", f"{folder[:9]}.onnx")

    assert (code, err) == (0, "")
    assert f": {name} x2, " in out
    assert told("upscale", "a.png", "-m", f"{folder[:9]}.onnx")[0] == 0


@pytest.mark.parametrize("name", ["run two", "", "été", "_run", "a/b", "a\n", "日本"])
def test_a_name_that_could_not_be_opened_is_refused_before_the_work(told, name, monkeypatch):
    monkeypatch.setattr("pixelift.cli.export.require", lambda *_, **__: None)

    code, out, err = told("export", "no run", "-o", "net.onnx", "--name", name)

    assert (code, out) == (2, "")
    assert "a network cannot be called" in err
    assert err.count("\n") == 1
    assert list(Path().iterdir()) == []


def test_a_run_whose_name_has_nothing_to_keep_needs_another(told, trained):
    shutil.copytree(trained, "日本")
    code, _, err = told("export", "日本", "-o", "net.onnx")
    assert code == 2
    assert "as --name mine" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "-o", "net.pt"], "cannot export to net.pt; the name must end in .onnx"),
        (["run", "-o", "net"], "cannot export to net; the name must end in .onnx"),
        (["run", "-o", "no/where/net.onnx"], "give a file in a folder that exists"),
        (["run", "-o", "folder.onnx"], "give a file in a folder that exists"),
        (["run", "-o", "net.onnx"], "run is not the run folder of a training"),
        (["nowhere", "-o", "net.onnx"], "nowhere is not the run folder of a training"),
        (["started", "-o", "net.onnx"], "no weights at started/best.safetensors"),
        (["run"], "Run: pixelift export --help"),
        (["-o", "net.onnx"], "Run: pixelift export --help"),
    ],
)
def test_wrong_usage_is_told_in_one_line(told, trained, arguments, message):
    for folder in ("run", "folder.onnx"):
        Path(folder).mkdir()
    shutil.copytree(trained, "started")
    Path("started/best.safetensors").unlink()

    code, out, err = told("export", *arguments)

    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("net.onnx").exists()


@pytest.mark.parametrize("name", ["best.safetensors", "log.jsonl"])
def test_a_run_that_is_damaged_is_a_failure(told, trained, name):
    shutil.copytree(trained, "run")
    Path("run", name).write_bytes(b"damaged")

    code, out, err = told("export", "run", "-o", "net.onnx")

    assert (code, out) == (1, "")
    assert f"run/{name}" in err
    assert err.count("\n") == 1
    assert not Path("net.onnx").exists()


@pytest.mark.parametrize("package", ["torch", "safetensors", "onnx"])
def test_without_a_package_it_is_told_what_to_install(told, trained, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)

    code, out, err = told("export", trained, "-o", "net.onnx")

    assert (code, out) == (2, "")
    assert err == (
        f"pixelift: exporting needs {package}, which is not installed. "
        "Run: pip install 'pixelift[train]'\n"
    )


def test_the_whole_program_says_what_to_install_where_there_is_no_torch(without, trained, tmp_path):
    done = without("torch", "export", trained, "-o", "net.onnx", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "exporting needs torch, which is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_whole_program_exports(trained, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pixelift", "export", str(trained), "-o", "net.onnx"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "net.onnx").stat().st_size > 1000


def test_weights_for_other_programs_are_written_by_the_name_of_the_file(trained, told):
    code, out, err = told("export", trained, "-o", "net.safetensors")
    assert (code, err) == (0, "")
    assert out.startswith("net.safetensors: SRVGGNetCompact, ")
