import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixelift.errors import ForkError
from pixelift.forks import Library
from tests.patience import PATIENCE

if not hasattr(os, "fork"):
    pytest.skip("this system does not fork", allow_module_level=True)

PHOTO = Path(__file__).parents[1] / "examples" / "great_hall.jpg"

START = """
import os, sys, threading
import numpy as np
import pixelift
photo, picture = {photo!r}, np.zeros((300, 300, 3), np.uint8)

def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
            print("worked", flush=True)
        except pixelift.errors.PixeliftError as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

"""


def said(code):
    """Run code that forks, and tell what its children said."""
    done = subprocess.run(
        [sys.executable, "-c", START.format(photo=str(PHOTO)) + code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def told(library):
    try:
        library.use()
    except ForkError as error:
        return str(error)
    return None


def in_fork(work):
    """Run a function in a child; hand out what it gives as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, repr(work()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def test_what_was_not_used_before_may_be_used_in_the_child():
    assert in_fork(lambda: told(Library("it"))) == "None"
    library = Library("it")
    assert in_fork(lambda: told(library)) == "None"


def test_what_was_used_is_refused_in_the_child_with_what_to_type():
    library = Library("it")
    library.use()
    heard = in_fork(lambda: told(library))
    assert "it does not work in a process that was forked" in heard
    assert "multiprocessing.set_start_method('spawn')" in heard
    assert told(library) is None


def test_a_child_may_read_and_enlarge_pictures_when_its_parent_did_not():
    code = """
in_child(lambda: pixelift.upscale(picture, scale=1.5, model="swift"))
in_child(lambda: pixelift.read_picture(photo))
import pyvips
in_child(lambda: pixelift.read_picture(photo))
"""
    assert said(code) == ["worked"] * 3


@pytest.mark.parametrize(
    "work",
    [
        "lambda: pixelift.read_picture(photo)",
        "lambda: pixelift.write_picture(read, 'large.png')",
        "lambda: pixelift.upscale(open(photo, 'rb').read(), model='swift', scale=2)",
    ],
)
def test_after_pictures_were_read_a_child_is_told_to_be_spawned(work, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    heard = said(f"read = pixelift.read_picture(photo)\nin_child({work})")
    assert len(heard) == 1
    assert heard[0].startswith("ForkError libvips")
    assert "set_start_method('spawn')" in heard[0]
    assert not (tmp_path / "large.png").exists()


def test_also_when_a_picture_is_being_decoded_in_that_moment():
    code = """
from pixelift.image.vips_errors import own_errors
with own_errors([]):
    threading.Thread(target=lambda: in_child(lambda: pixelift.read_picture(photo))).start()
    import time; time.sleep(1)
"""
    assert said(code)[0].startswith("ForkError libvips")


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_after_a_network_was_run_a_child_is_told_to_be_spawned(engine):
    pytest.importorskip(engine)
    code = f"""
upscaler = pixelift.Upscaler("swift", scale=2, engine={engine!r}, threads=2)
in_child(lambda: upscaler.upscale(picture))
upscaler.upscale(picture)
in_child(lambda: upscaler.upscale(picture))
in_child(lambda: pixelift.Upscaler("swift", scale=2, engine={engine!r}).upscale(picture))
"""
    heard = said(code)
    assert len(heard) == 3
    assert all(line.startswith("ForkError the engine") for line in heard)
