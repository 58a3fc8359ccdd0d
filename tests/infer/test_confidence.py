import importlib.util

import numpy as np
import pytest

from pixelift.errors import OutOfMemoryError
from pixelift.infer.confidence import FULL, draw_spread, measure_spread, ramp
from pixelift.infer.engine import open_engine
from pixelift.infer.ensemble import EnsembleEngine
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name, options in {"guess": {"gain": 2}, "sure": {"gain": 0}, "y": {"channels": 1}}.items():
        card, path = write_model(folder, name=name, scale=2, width=6, **options)
        made[name] = open_engine(card, path, precision="f32", threads=1)
    return made


def test_interpolation_is_sure_and_a_network_of_chance_is_not(engines, rng):
    picture = rng.random((20, 30, 3), dtype=np.float32)
    assert measure_spread(picture, engines["sure"]).max() < 0.05
    assert measure_spread(picture, engines["guess"]).mean() > 1


@pytest.mark.parametrize("name", ["guess", "y"])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_make_no_difference(engines, rng, name, channels):
    picture = rng.random((25, 38, channels), dtype=np.float32)
    whole = measure_spread(picture, engines[name])
    assert whole.shape == (50, 76)
    assert np.allclose(measure_spread(picture, engines[name], tile=9), whole, atol=1e-2)


class Small:
    """An engine without memory for more than so many pixels."""

    def __init__(self, engine, pixels):
        self.engine, self.card, self.pixels, self.refused = engine, engine.card, pixels, 0

    def __call__(self, lr):
        if lr.shape[2] * lr.shape[3] > self.pixels:
            self.refused += 1
            raise OutOfMemoryError("there is none")
        return self.engine(lr)


def test_smaller_tiles_follow_when_memory_runs_out(engines, rng):
    picture = rng.random((70, 90, 3), dtype=np.float32)
    engine = Small(engines["guess"], 40 * 40)
    whole = measure_spread(picture, engines["guess"])
    assert np.allclose(measure_spread(picture, engine), whole, atol=1e-2)
    assert engine.refused == 2  # sides of 90 and of 45, less their halo
    with pytest.raises(OutOfMemoryError, match="even with tiles of 16 pixels"):
        measure_spread(picture, Small(engines["guess"], 9))


def test_an_ensemble_is_not_asked_eight_times_eight_times(engines, rng):
    picture = rng.random((9, 9, 3), dtype=np.float32)
    once = measure_spread(picture, engines["guess"])
    assert np.array_equal(measure_spread(picture, EnsembleEngine(engines["guess"])), once)


def test_colours_grow_lighter_with_the_spread():
    light = ramp(np.linspace(0, FULL, 50, dtype=np.float32)) @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(light) > 0).all()
    assert np.array_equal(ramp(np.array([FULL])), ramp(np.array([3 * FULL])))


def test_the_map_stands_above_a_legend():
    drawn = draw_spread(np.zeros((20, 500), np.float32)).pixels
    assert drawn.shape[0] > 40
    assert np.allclose(drawn[:20], ramp(np.zeros(1, np.float32)))
