import importlib.util

import numpy as np
import pytest

from pixelift.errors import ConfigError, UnknownNameError
from pixelift.infer import effort as effort_module
from pixelift.infer.effort import SPARED, TIERS, Interpolation, open_network, parse_effort
from pixelift.infer.ensemble import EnsembleEngine
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folder with a cheap and a best network for x2, and a single one for x3."""
    write_model(tmp_path / "models", name="small", scale=2, width=4, depth=2)
    write_model(tmp_path / "models", name="large", scale=2, width=8, depth=4)
    write_model(tmp_path / "models", name="large", scale=5, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    monkeypatch.setattr(effort_module, "TIERS", ("small", "missing", "large"))


def test_the_packaged_networks_are_named_from_the_cheapest_to_the_best():
    assert TIERS == ("swift", "balanced", "fine")


@pytest.mark.parametrize(("effort", "name"), [("low", "small"), ("high", "large")])
@pytest.mark.usefixtures("home")
def test_low_and_high_are_one_network(effort, name):
    network = open_network(scale=2, effort=effort)
    assert isinstance(network, Network)
    assert network.card.name == name


@pytest.mark.usefixtures("home")
def test_auto_is_the_two_best_and_a_number_moves_the_share():
    auto, more = open_network(scale=2, effort="auto"), open_network(scale=2, effort=4)
    assert isinstance(auto, Router)
    assert isinstance(more, Router)
    assert (auto.cheap.card.name, auto.best.card.name) == ("small", "large")
    assert (auto.spared, more.spared) == (SPARED, SPARED**4)


@pytest.mark.usefixtures("home")
def test_beside_a_single_network_stands_interpolation():
    router = open_network(scale=5, effort="auto")
    assert isinstance(router, Router)
    assert isinstance(router.cheap.engine, Interpolation)
    assert Upscaler(scale=5, effort="auto").upscale(np.zeros((3, 4), np.uint8)).shape == (15, 20)


@pytest.mark.usefixtures("home")
def test_every_network_of_a_choice_is_asked_eight_times():
    router = open_network(scale=2, effort="auto", ensemble=True)
    assert isinstance(router, Router)
    assert all(isinstance(n.engine, EnsembleEngine) for n in (router.cheap, router.best))


@pytest.mark.usefixtures("home")
def test_an_effort_without_any_network_names_what_was_looked_for(monkeypatch):
    with pytest.raises(UnknownNameError, match=r"scale 7.*small, missing, large.*pixelift models"):
        open_network(scale=7, effort="low")
    monkeypatch.setattr(effort_module, "TIERS", ("missing",))
    with pytest.raises(UnknownNameError, match="any scale"):
        Upscaler(effort="auto")


@pytest.mark.usefixtures("home")
def test_an_effort_and_a_model_are_one_too_many():
    with pytest.raises(ConfigError, match="Leave one of them out"):
        Upscaler("small", scale=2, effort="auto")


@pytest.mark.parametrize("effort", ["", "much", "0", "-1", "nan", "inf", 0, -2.0])
def test_other_efforts_are_refused(effort):
    with pytest.raises(ConfigError, match=r"allowed are low, auto, high, or a positive number"):
        parse_effort(effort)


@pytest.mark.usefixtures("home")
def test_chains_of_networks_and_other_factors_take_an_effort_too(rng):
    image = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    assert Upscaler(scale=4, effort="auto").upscale(image).shape == (160, 120, 3)
    assert Upscaler(scale=1.5, effort="auto").upscale(image).shape == (60, 45, 3)
