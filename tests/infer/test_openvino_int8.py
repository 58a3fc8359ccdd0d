import msgspec
import numpy as np
import pytest

from pixelift.errors import ConfigError, WeightsError
from pixelift.image.geometry import Box
from pixelift.infer.engine import open_engine, samples_by_planes
from pixelift.infer.engine_openvino import INSTRUCTIONS, shared_core
from pixelift.zoo.ranges import SUFFIX, Layer, Ranges
from tests.fakes import write_model

try:
    core = shared_core()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

needs_integers = pytest.mark.skipif(
    "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="int8 is offered where bf16 is",
)
WIDTH = 16


def write(folder, *, loss=0.01, high=4.0, layers=2, **sizes):
    """Write a network of three convolutions and ranges that are wide enough for it."""
    card, path = write_model(folder, width=WIDTH, **sizes)
    steps = [
        Layer(0.0, 1.0 if i == 0 else high, [0.9] * WIDTH, [0.0] * WIDTH) for i in range(layers)
    ]
    ranges = Ranges(card.sha256, loss, "made up", steps)
    path.with_name(path.stem + SUFFIX).write_bytes(msgspec.json.encode(ranges))
    return card, path


@needs_integers
def test_integers_come_close_to_float32_and_to_nothing_else(tmp_path, rng):
    card, path = write(tmp_path)
    lr = rng.random((1, 3, 31, 27), dtype=np.float32)
    engine = open_engine(card, path, provider="openvino", precision="int8")
    exact = open_engine(card, path, provider="openvino", precision="f32")
    error = np.abs(engine(lr) - exact(lr))
    assert engine.precision == "int8"
    assert 1e-4 < error.mean() < 0.01


@needs_integers
@pytest.mark.parametrize("scale", [2, 4])
def test_all_ways_give_the_same_to_the_last_bit(scale, tmp_path, rng):
    card, path = write(tmp_path, scale=scale)
    engine = open_engine(card, path, provider="openvino", precision="int8")
    lr = rng.integers(0, 256, (40, 33, 3), dtype=np.uint8)
    for part in (Box(0, 0, 40, 33), Box(3, 3, 34, 27), Box(10, 8, 20, 20)):
        keep = part.scaled(scale)
        engine.samples(lr, keep=keep)
        assert np.array_equal(engine.samples(lr, keep=keep), samples_by_planes(engine, lr, keep))
    # A tile of another size sees the same.
    tile = np.ascontiguousarray(lr[5:30, 4:30])
    keep, inner = Box(10, 10, 15, 12).scaled(scale), Box(5, 6, 15, 12).scaled(scale)
    assert np.array_equal(engine.samples(tile, keep=inner), engine.samples(lr, keep=keep))


@needs_integers
@pytest.mark.parametrize(("loss", "precision"), [(0.019, "int8"), (0.021, "bf16")])
def test_auto_takes_integers_where_next_to_nothing_is_lost(loss, precision, tmp_path):
    card, path = write(tmp_path, loss=loss)
    assert open_engine(card, path, provider="openvino").precision == precision
    assert open_engine(card, path, provider="openvino", precision="bf16").precision == "bf16"
    assert open_engine(card, path, provider="openvino", precision="int8").precision == "int8"


def test_without_ranges_integers_are_refused(tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ConfigError, match=r"needs a processor.*fake_x2 to have its ranges"):
        open_engine(card, path, provider="openvino", precision="int8")


def test_where_instructions_are_held_back_integers_are_refused(tmp_path, monkeypatch):
    card, path = write(tmp_path)
    monkeypatch.setenv(INSTRUCTIONS, "AVX2")
    assert open_engine(card, path, provider="openvino").precision == "f32"
    with pytest.raises(ConfigError, match='"int8" was asked for'):
        open_engine(card, path, provider="openvino", precision="int8")


@needs_integers
@pytest.mark.parametrize("change", [{"layers": 1}, {"layers": 4}])
def test_ranges_of_another_network_are_noticed(change, tmp_path):
    card, path = write(tmp_path, **change)
    with pytest.raises(WeightsError, match="are those of another network"):
        open_engine(card, path, provider="openvino", precision="int8")


@needs_integers
def test_16_bits_are_not_lost(tmp_path, rng):
    card, path = write(tmp_path, gain=0)
    engine = open_engine(card, path, provider="openvino", precision="int8")
    exact = open_engine(card, path, provider="openvino", precision="f32")
    lr = rng.random((1, 3, 9, 9), dtype=np.float32)
    assert np.array_equal(engine(lr), exact(lr))  # what is interpolated is never rounded
