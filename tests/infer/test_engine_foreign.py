import importlib.util

import numpy as np
import pytest

from pixelift.errors import OutOfMemoryError, WeightsError
from pixelift.infer.engine_foreign import ForeignEngine, Limits, open_runner
from tests import strangers
from tests.fakes import make_card


def engine(runner, **limits):
    found = {"scale": 2, "channels": "rgb", "radius": 3, "top": 1, "least": 1, "fixed": None}
    return ForeignEngine(make_card(), Limits(**(found | limits)), runner, name="openvino")


def repeat(lr):
    return lr.repeat(2, axis=2).repeat(2, axis=3)


@pytest.mark.parametrize("size", [(1, 1), (8, 9), (20, 33)])
def test_windows_of_one_size_give_what_any_size_would(rng, size):
    def only(lr):
        assert lr.shape[2:] == (10, 12)
        return repeat(lr)

    lr = rng.random((1, 3, *size), dtype=np.float32)
    assert np.array_equal(engine(only, fixed=(10, 12))(lr), repeat(lr))


def test_small_arrays_are_mirrored_up_to_what_the_network_takes(rng):
    seen = []

    def large(lr):
        seen.append(lr.shape[2:])
        return repeat(lr)

    lr = rng.random((1, 3, 2, 30), dtype=np.float32)
    assert np.array_equal(engine(large, least=16)(lr), repeat(lr))
    assert seen == [(16, 30)]


@pytest.mark.parametrize(
    ("raised", "error"),
    [(MemoryError(), OutOfMemoryError), (RuntimeError("broken"), WeightsError)],
)
def test_what_the_network_raises_is_told_in_our_words(raised, error):
    def failing(_):
        raise raised

    with pytest.raises(error):
        engine(failing)(np.zeros((1, 3, 4, 4), np.float32))


@pytest.mark.parametrize("provider", ["openvino", "onnxruntime"])
def test_both_engines_run_it_the_same(provider, rng):
    if importlib.util.find_spec(provider) is None:
        pytest.skip(f"{provider} is not installed")
    runner, name, shapes = open_runner(strangers.plain(scale=3), provider=provider, threads=1)
    assert name == provider
    assert shapes == [[None, 3, None, None]]
    assert runner(rng.random((1, 3, 5, 6), dtype=np.float32)).shape == (1, 3, 15, 18)
