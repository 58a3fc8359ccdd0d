"""Fixtures that tests of every room share."""

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# No deadline: a busy machine is not a wrong result. On the build server the examples are the same
# at every run, so that a red build can be repeated; elsewhere new ones are tried.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")

# The networks of the tests are so small that a second thread only waits for the first; and two
# runs on one machine would wait for each other. Read when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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


@pytest.fixture(autouse=True)
def _clean_signals():
    """Take back the handler that torch's loader installs for good."""
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


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
