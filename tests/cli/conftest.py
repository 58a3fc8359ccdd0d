"""Fixtures for the tests of the command line: a network to use, pictures, and a training set."""

import subprocess
import sys

import pytest

from pixelift.cli.main import main
from tests.fakes import write_model
from tests.patience import PATIENCE
from tests.prepared import make_prepared


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A user's folder with a network that is plain interpolation, for x2 and x4."""
    folder = tmp_path_factory.mktemp("home")
    for scale in (2, 4):
        write_model(folder / "models", scale=scale, gain=0.0, width=4, depth=2)
    return folder


@pytest.fixture
def run(home, tmp_path, monkeypatch, capsys):
    """Hand out a function that runs `pixelift upscale -m fake` in an empty folder."""
    monkeypatch.setenv("PIXELIFT_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def upscale(*arguments, model="fake", scale="2"):
        scale_words = ["-s", scale] if scale else []
        code = main(["upscale", *map(str, arguments), "-m", model, *scale_words])
        return code, *capsys.readouterr()

    return upscale


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Hand out a function that runs a command in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main([str(word) for word in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def without():
    """Hand out a function that runs a command where a package, or several, are not installed."""

    def run(packages, *arguments, cwd):
        names = [packages] if isinstance(packages, str) else packages
        code = (
            f"import sys; sys.modules.update(dict.fromkeys({names!r}))\n"
            "from pixelift.cli.main import main; sys.exit(main(sys.argv[1:]))"
        )
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=PATIENCE,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Hand out a small training set for x2 and x4: four photos, and one to validate with."""
    return make_prepared(tmp_path_factory.mktemp("dataset")).folder


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    """Hand out a recipe of two steps."""
    path = tmp_path_factory.mktemp("recipes") / "tiny.toml"
    path.write_text(
        """
        [model]
        scale = 2
        dials = { width = 4, depth = 1 }
        [data]
        lr_patch = 8
        batch = 2
        [optim]
        steps = 2
        warmup = 1
        [run]
        precision = "f32"
        validate_every = 2
        valid_crop = 48
        """
    )
    return path


@pytest.fixture(scope="session")
def trained(dataset, recipe, tmp_path_factory):
    """Hand out the run folder of a training; copy it before changing it."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["train", str(recipe), "--data", str(dataset), "-o", str(folder)]) == 0
    return folder
