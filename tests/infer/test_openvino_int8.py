import os
import platform
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from pixelift.errors import ConfigError, WeightsError
from pixelift.image.geometry import Box
from pixelift.infer import engine_openvino
from pixelift.infer.engine import open_engine, samples_by_planes
from pixelift.infer.engine_openvino import INSTRUCTIONS, X86, shared_core
from pixelift.zoo.ranges import SUFFIX, Layer, Ranges
from tests.fakes import write_model

try:
    shared_core()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

needs_integers = pytest.mark.skipif(
    platform.machine().lower() not in X86, reason="integers are for x86 processors"
)
WIDTH, DEPTH = 16, 4
HELD_BACK = "AVX512_CORE_VNNI"
"""Integers without loss, and no bf16."""


def write(folder, *, loss=0.01, high=4.0, layers=DEPTH - 2, order=(), **sizes):
    """Write a network and ranges that are wide enough for it."""
    card, path = write_model(folder, width=WIDTH, depth=DEPTH, **sizes)
    step = Layer(0.0, high, [0.9] * WIDTH, [0.0] * WIDTH, list(order))
    ranges = Ranges(card.sha256, loss, "made up", [step] * layers)
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
@pytest.mark.parametrize("instructions", ["", HELD_BACK])
@pytest.mark.parametrize(("loss", "takes"), [(0.019, True), (0.021, False)])
def test_auto_takes_integers_where_next_to_nothing_is_lost(
    loss, takes, instructions, tmp_path, monkeypatch
):
    monkeypatch.setenv(INSTRUCTIONS, instructions)
    card, path = write(tmp_path, loss=loss)
    assert (open_engine(card, path, provider="openvino").precision == "int8") is takes
    assert open_engine(card, path, provider="openvino", precision="f32").precision == "f32"
    assert open_engine(card, path, provider="openvino", precision="int8").precision == "int8"


@needs_integers
def test_the_order_of_channels_changes_nothing(tmp_path, rng):
    lr = rng.random((1, 3, 21, 17), dtype=np.float32)
    made = []
    for name, order in (("plain", ()), ("mixed", rng.permutation(WIDTH).tolist())):
        card, path = write(tmp_path / name, order=order)
        made.append(open_engine(card, path, provider="openvino", precision="int8")(lr))
    assert np.abs(made[0] - made[1]).max() < 1e-3  # bf16 may round a sum the other way


def test_without_ranges_integers_are_refused(tmp_path):
    card, path = write_model(tmp_path)
    with pytest.raises(ConfigError, match=r"an x86 processor, and fake_x2 to have its ranges"):
        open_engine(card, path, provider="openvino", precision="int8")


def test_on_other_processors_integers_are_refused(tmp_path, monkeypatch):
    card, path = write(tmp_path)
    monkeypatch.setattr(engine_openvino.platform, "machine", lambda: "aarch64")
    assert open_engine(card, path, provider="openvino").precision != "int8"
    with pytest.raises(ConfigError, match='"int8" was asked for'):
        open_engine(card, path, provider="openvino", precision="int8")


ENLARGE = """
import sys
import numpy as np
from pixelift import Upscaler
upscalers = {name: Upscaler(name, scale=2, precision="int8") for name in ("swift", "balanced")}
lr = np.load(sys.argv[1])
np.save(sys.argv[2], np.stack([upscalers[name].upscale(part) for part in lr for name in upscalers]))
"""


@needs_integers
def test_processors_without_vnni_give_the_same(tmp_path, rng):
    white = rng.integers(0, 2, (48, 48, 1)) * np.array([255, 255, 255])
    shapes = [white, rng.integers(0, 2, (48, 48, 3)) * 255, np.full((48, 48, 3), 255)]
    np.save(tmp_path / "lr.npy", np.array(shapes, np.uint8))
    made = []
    for instructions in ("AVX2", HELD_BACK):
        sr = tmp_path / f"{instructions}.npy"
        subprocess.run(
            [sys.executable, "-c", ENLARGE, tmp_path / "lr.npy", sr],
            env=os.environ | {INSTRUCTIONS: instructions},
            check=True,
        )
        made.append(np.load(sr).astype(int))
    # Floats may be added up in another order; sums of products that are cut off would be seen.
    assert np.abs(made[0] - made[1]).max() <= 1


@needs_integers
@pytest.mark.parametrize(
    "change", [{"layers": 1}, {"layers": 3}, {"order": [0] * WIDTH}, {"order": [0, 1]}]
)
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
