"""Fixtures that tests of every room share."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import settings
from PIL import Image

import pixelift

# No deadline: a busy machine is not a wrong result. The examples are the same at every run, so that
# what passed once passes again; whoever looks for new ones sets PIXELIFT_EXPLORE.
settings.register_profile(
    "house", deadline=None, derandomize="PIXELIFT_EXPLORE" not in os.environ, database=None
)
settings.load_profile("house")

# The networks of the tests are so small that a second thread only waits for the first; and two
# runs on one machine would wait for each other. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

HOUSE = str(Path(pixelift.__file__).parent)
SHARED = Path(os.environ.get("PIXELIFT_SHARED") or Path(__file__).parents[2] / "shared")


@pytest.fixture(scope="session")
def shared():
    """Hand out the folder of benchmark pictures beside the repository, or skip the test."""
    if not (SHARED / "bench").is_dir():
        pytest.skip(f"shared data not present: no {SHARED / 'bench'}; set PIXELIFT_SHARED")
    return SHARED


# Of the session, because hypothesis refuses fixtures that are made anew for every test.
@pytest.fixture(scope="session")
def frozen():
    """Hand out a function that copies an array and forbids to write to the copy."""

    def freeze(array):
        copy = np.array(array)
        copy.flags.writeable = False
        return copy

    return freeze


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


@pytest.fixture(scope="session", autouse=True)
def _no_lookups():
    """Fail where Pixelift writes `image.name(...)` for an operation of libvips: see `operate`."""
    look_up = pyvips.VipsObject.get_typeof

    def watched(self, name):
        found = look_up(self, name)
        # What is called: this, pyvips' `__getattr__`, and whoever wrote it.
        writer = sys._getframe(2).f_code.co_filename
        assert found or not writer.startswith(HOUSE), f"{writer} looks up {name}"
        return found

    pyvips.VipsObject.get_typeof = watched
    yield
    pyvips.VipsObject.get_typeof = look_up


@pytest.fixture(autouse=True)
def _clean_signals():
    """Take back the handler that torch's loader installs for good."""
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _same_numbers():
    """Have torch draw the same numbers in a test, whichever tests went before it."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture
def rng():
    """Hand out a generator that draws the same numbers at every run."""
    return np.random.default_rng(20260101)


def pytest_runtest_setup(item):
    """Skip tests marked `gpu` where there is no CUDA device."""
    if item.get_closest_marker("gpu"):
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
