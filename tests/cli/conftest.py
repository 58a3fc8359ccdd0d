"""Fixtures for the tests of the command line: a network to use and pictures to use it on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.cli.main import main
from tests.fakes import write_model


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


@pytest.fixture(scope="session")
def save():
    """Hand out a function that makes a small picture file, and the folders around it."""

    def make(path, size=(6, 4), mode="RGB", **options):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(3)
        pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).convert(mode).save(path, **options)
        return path

    return make
