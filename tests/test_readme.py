"""What README shows is run, so that it stays true; its training lines in test_recipes.py."""

import re
import shlex
from pathlib import Path

import numpy as np
from PIL import Image

from pixelift.cli.main import main
from tests.fakes import model_bytes
from tests.films import drawn, make_film

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_it_has_150_lines_at_most():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


def test_the_library_example_runs(rng):
    (code,) = blocks("python")
    names = {"image": rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)}
    exec(code, names)
    assert names["sr"].shape == (36, 48, 3)
    assert names["large"].shape == (18, 24, 3)


def test_the_commands_for_pictures_run(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    Path("holiday/day 1").mkdir(parents=True)
    for name in ("photo.jpg", "holiday/a.png", "holiday/day 1/b.webp"):
        Image.fromarray(rng.integers(0, 256, (180, 240, 3), dtype=np.uint8)).save(name)
    make_film("film.mp4", [drawn(n) for n in range(3)])
    Path("other.onnx").write_bytes(model_bytes(scale=3, with_card=False))
    (block,) = (b for b in blocks("sh") if "holiday" in b)
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]
    for words in commands:
        if words[:2] in (["pixelift", "serve"], ["pixelift", "bench"]):
            continue  # one runs until it is stopped, the other for a minute; both have their tests
        if words[0] == "pixelift":
            assert main(words[1:]) == 0, words
    for path, size in (("photo_x4.jpg", (960, 720)), ("large/day 1/b_x2.5.webp", (600, 450))):
        with Image.open(path) as picture:
            assert picture.size == size
