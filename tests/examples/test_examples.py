"""The programs in examples/ do what they say, as somebody would run them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pixelift.serve.limits import Limits
from pixelift.serve.service import Settings
from tests.patience import PATIENCE
from tests.serving import running

EXAMPLES = Path(__file__).parents[2] / "examples"
HALL = EXAMPLES / "great_hall.jpg"


@pytest.fixture(scope="module")
def url():
    limits = Limits(upload_bytes=2_000_000, result_pixels=4_000_000, queue_length=8)
    with running(Settings(limits=limits, workers=1, threads=1)) as (address, _):
        yield address


def run(name, *words):
    command = [sys.executable, str(EXAMPLES / name), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def small_hall(path, size=(120, 90)):
    with Image.open(HALL) as hall:
        hall.resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_a_folder_is_enlarged_and_one_bad_file_does_not_stop_it(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    small_hall(folder / "a.png")
    (folder / "b.jpg").write_bytes(b"no picture")
    small_hall(folder / "c.jpg", (64, 48))
    done = run("folder_with_progress.py", folder, tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert "a.png: " in done.stdout
    assert "b.jpg: cannot read" in done.stdout.replace("\n", " ")
    sizes = {path.name: size_of(path) for path in (tmp_path / "out").iterdir()}
    assert sizes == {"a.png": (240, 180), "c.jpg": (128, 96)}


def test_a_pipeline_of_arrays_measures_what_it_gained(tmp_path):
    done = run("numpy_pipeline.py", HALL, tmp_path / "both.png")
    assert done.returncode == 0, done.stderr
    scores = ast.literal_eval(done.stdout)
    assert scores["pixelift"] > scores["bicubic"] + 0.5
    width, height = size_of(HALL)
    assert size_of(tmp_path / "both.png") == (2 * (width // 4 * 4), height // 4 * 4)


def test_a_client_fetches_what_the_service_made(tmp_path, url):
    photo = small_hall(tmp_path / "small.png")
    done = run("service_client.py", photo, tmp_path / "large.png", url)
    assert done.returncode == 0, done.stderr
    assert size_of(tmp_path / "large.png") == (240, 180)
    assert done.stdout.splitlines()[-1].split(": ")[0] in ("balanced", "photo")


def test_a_client_says_what_was_wrong_with_a_photo(tmp_path, url):
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff" + bytes(100))
    done = run("service_client.py", tmp_path / "bad.jpg", tmp_path / "large.png", url)
    assert done.returncode == 1
    assert "cannot read" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "large.png").exists()
