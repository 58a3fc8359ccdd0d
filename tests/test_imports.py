"""The wings stay apart: what an import drags in, checked in fresh interpreters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"

NEED_TRAIN = ("models", "data", "train", "export", "report")
TRAIN_PACKAGES = ("torch", "safetensors", "pyarrow", "onnx", "tensorboard", "matplotlib", "jinja2")
ENGINES = ("openvino", "onnxruntime")
SERVE_PACKAGES = ("starlette", "uvicorn", "prometheus_client")


def loaded(code, *packages, path=None):
    """Run code in a fresh interpreter and tell which of these packages it has loaded."""
    report = f"import sys; print(*sorted({set(packages)!r} & set(sys.modules)))"
    done = run_python("-c", f"{code}\n{report}", path=path)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()


def run_python(*arguments, path=None):
    environment = dict(os.environ)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def light_modules():
    """Name every module that does without the train extra, but for the command line."""
    for file in sorted((SOURCE / "pixelift").rglob("*.py")):
        room, *_ = file.relative_to(SOURCE / "pixelift").parts
        if not file.name.startswith("__") and room not in (*NEED_TRAIN, "cli"):
            yield ".".join(file.relative_to(SOURCE).with_suffix("").parts)


def test_importing_pixelift_and_its_command_line_loads_neither_torch_nor_an_engine():
    code = "import pixelift, pixelift.cli.main"
    assert loaded(code, *TRAIN_PACKAGES, *SERVE_PACKAGES, *ENGINES) == []


def test_help_loads_neither_torch_nor_an_engine():
    code = (
        "import sys; from pixelift.cli.main import run; sys.argv = ['pixelift', '--help']\n"
        "try: run()\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert loaded(code, *TRAIN_PACKAGES, *SERVE_PACKAGES, *ENGINES) == []


def test_every_module_of_the_light_wing_imports_where_the_train_extra_is_not_installed():
    modules = list(light_modules())
    assert "pixelift.image.geometry" in modules
    hide = f"import sys; sys.modules.update(dict.fromkeys({(*TRAIN_PACKAGES, 'onnxruntime')!r}))"
    done = run_python("-c", "\n".join([hide, *(f"import {name}" for name in modules)]))
    assert done.returncode == 0, done.stderr


def test_the_check_notices_a_package_that_is_loaded(tmp_path):
    (tmp_path / "torch.py").touch()
    assert loaded("import torch", "torch", path=tmp_path) == ["torch"]
    assert loaded("pass", "torch", path=tmp_path) == []


def test_python_m_pixelift_is_the_command_line():
    done = run_python("-m", "pixelift", "--help")
    assert done.returncode == 0, done.stderr
    assert "upscale" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("image/geometry.py", "import torch", "the light wing never needs torch"),
        ("infer/tiling.py", "import pixelift.models", "the light wing never needs torch"),
        ("infer/tiling.py", "import jinja2", "the light wing never needs torch"),
        ("image/geometry.py", "import pixelift.infer.tiling", "rooms are stacked"),
        ("report/page.py", "import torch", "pixels do not know about the network"),
        ("image/geometry.py", "import openvino", "pixels do not know about the network"),
    ],
)
def test_the_import_contracts_notice_a_wrong_import(tmp_path, file, line, contract):
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "src/pixelift" / file).open("a") as source:
        source.write(f"{line}\n")
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = run_python(
        *("-c", command, "--no-cache", "--config", str(ROOT / "pyproject.toml")),
        path=tmp_path / "src",
    )
    broken = [row for row in done.stdout.splitlines() if row.endswith("BROKEN")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(row.startswith(contract) for row in broken), done.stdout
