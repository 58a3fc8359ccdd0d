import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixelift.errors import ForkError
from pixelift.forks import Library

if not hasattr(os, "fork"):
    pytest.skip("this system does not fork", allow_module_level=True)

PHOTO = Path(__file__).parents[1] / "examples" / "great_hall.jpg"

LIMIT = 120
"""Seconds after which a process has hung."""

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
        timeout=LIMIT,
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
    assert in_fork(lambda: told(Library("it", survives_idle=False))) == "None"
    library = Library("it", survives_idle=False)
    assert in_fork(lambda: told(library)) == "None"


def test_what_was_used_is_refused_in_the_child_with_what_to_type():
    library = Library("it", survives_idle=False)
    library.use()
    heard = in_fork(lambda: told(library))
    assert "it does not work in a process that was forked" in heard
    assert "multiprocessing.set_start_method('spawn')" in heard
    assert told(library) is None


def test_a_library_that_survives_is_refused_only_if_it_was_at_work():
    library = Library("it", survives_idle=True)
    library.use()
    with library.at_work():
        assert "does not work" in in_fork(lambda: told(library))
    assert in_fork(lambda: told(library)) == "None"


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
def test_networks_run_in_a_child_when_none_was_running(engine):
    pytest.importorskip(engine)
    code = f"""
upscaler = pixelift.Upscaler("swift", scale=2, engine={engine!r}, threads=2)
large = upscaler.upscale(picture)
in_child(lambda: upscaler.upscale(picture))
in_child(lambda: pixelift.Upscaler("swift", scale=2, engine={engine!r}).upscale(picture))
"""
    assert said(code) == ["worked", "worked"]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_networks_that_were_running_are_refused_in_the_child(engine):
    pytest.importorskip(engine)
    code = f"""
upscaler = pixelift.Upscaler("swift", scale=2, engine={engine!r}, threads=2)
is_over, begun = threading.Event(), threading.Event()

def busy():
    while not is_over.is_set():
        upscaler.upscale(picture)
        begun.set()

thread = threading.Thread(target=busy)
thread.start()
begun.wait()
for _ in range(5):
    in_child(lambda: upscaler.upscale(picture))
is_over.set()
thread.join()
"""
    heard = said(code)
    assert len(heard) == 5
    assert all(line.startswith(("ForkError the engine", "worked")) for line in heard)


@pytest.mark.parametrize(
    ("engine", "expected"), [("openvino", "ForkError"), ("onnxruntime", "worked")]
)
@pytest.mark.parametrize("goes", ["before", "after"])
def test_no_network_waits_for_the_threads_of_one_that_is_gone(engine, expected, goes):
    pytest.importorskip(engine)
    code = f"""
upscaler = pixelift.Upscaler("swift", scale=2, engine={engine!r})
upscaler.upscale(picture)

def gone():
    global upscaler
    upscaler = None

def work():
    gone()
    pixelift.upscale(picture, model="balanced", scale=2, engine={engine!r})

if {goes!r} == "before":
    gone()
in_child(work)
"""
    (heard,) = said(code)
    assert heard.startswith(expected)
