import inspect
import typing

import numpy as np
import pytest

from pixelift.errors import ConfigError
from pixelift.infer.engine import ENGINES, PRECISIONS
from pixelift.infer.once import upscale
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    _, path = write_model(tmp_path_factory.mktemp("model"), scale=2, width=8, gain=2)
    return path


def test_one_call_does_for_one_image(model, rng):
    array = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)
    assert np.array_equal(upscale(array, model=model), Upscaler(model).upscale(array))


def options_of(function):
    parameters = inspect.signature(function).parameters.values()
    return {
        p.name: (p.default, p.annotation) for p in parameters if p.name not in ("self", "image")
    }


def test_it_has_every_option_of_an_upscaler_with_the_same_default():
    assert options_of(upscale) == options_of(Upscaler)
    for overload in typing.get_overloads(upscale):
        assert options_of(overload) == options_of(Upscaler)


def test_every_option_reaches_the_upscaler(model, rng):
    array = rng.integers(0, 256, (20, 17, 3), dtype=np.uint8)
    plain = upscale(array, model=model)
    for changed in ({"scale": 1.5}, {"ensemble": True}, {"consistent": True}):
        expected = Upscaler(model, **changed).upscale(array)
        assert np.array_equal(upscale(array, model=model, **changed), expected)
        assert not np.array_equal(expected, plain)
    for wrong in (
        {"tile": 0},
        {"threads": 0},
        {"engine": "x"},
        {"precision": "x"},
        {"effort": "x"},
    ):
        with pytest.raises(ConfigError):
            upscale(array, model=model, **wrong)


def test_what_may_be_chosen_is_in_the_types():
    hints = {name: typing.get_args(kind) for name, (_, kind) in options_of(upscale).items()}
    assert hints["engine"] == ("auto", *ENGINES)
    assert hints["precision"] == PRECISIONS
