"""Fixtures that tests of every room share."""

import ctypes
import os
import signal
import sys
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


class _SignalStack(ctypes.Structure):
    _fields_ = (("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


SS_DISABLE = 2
"""<signal.h>: signals are handled on the ordinary stack."""


def _forget_signal_stack():
    """Take back the stack for signals that OpenVINO registers and later frees (2026.4).

    Each network that it compiles registers one and, when it goes, the one that was there before;
    networks that go in another order leave one that is freed, and the next signal crashes.
    """
    if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        nothing = _SignalStack(None, SS_DISABLE, 0)
        ctypes.CDLL(None).sigaltstack(ctypes.byref(nothing), None)


@pytest.fixture(autouse=True)
def _clean_signals():
    """Leave nothing behind that a signal of a later test would meet (experiments/LOG.md)."""
    _forget_signal_stack()
    yield
    _forget_signal_stack()
    if threading.current_thread() is threading.main_thread():
        # torch's loader installs its own for good.
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
