import gc
import itertools
import os
import subprocess
import sys
import weakref
from types import ModuleType

import msgspec
import numpy as np
import onnx
import pytest

from pixelift.errors import ConfigError, OutOfMemoryError, WeightsError
from pixelift.image.geometry import Box
from pixelift.infer import engine_openvino
from pixelift.infer.engine import open_engine, samples_by_planes
from pixelift.infer.engine_openvino import (
    INSTRUCTIONS,
    KEPT,
    LARGE,
    PLANES,
    import_openvino,
    shared_core,
)
from pixelift.infer.upscaler import Upscaler
from tests.fakes import make_card, write_model

try:
    core = shared_core()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

needs_bf16 = pytest.mark.skipif(
    "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="this processor does not compute in bf16",
)


@needs_bf16
def test_auto_is_bf16_where_the_processor_has_it(tmp_path):
    card, path = write_model(tmp_path)
    assert open_engine(card, path, provider="openvino").precision == "bf16"
    assert open_engine(card, path, provider="openvino", precision="f32").precision == "f32"


def test_where_the_processor_has_no_bf16_auto_is_float32_and_bf16_is_refused(tmp_path, monkeypatch):
    class OldProcessor:
        def __init__(self):
            self.core = core

        def __getattr__(self, name):
            return getattr(self.core, name)

        def get_property(self, *_):
            return ["FP32", "INT8"]

    card, path = write_model(tmp_path)
    monkeypatch.setattr(engine_openvino, "shared_core", OldProcessor)
    assert open_engine(card, path, provider="openvino").precision == "f32"
    with pytest.raises(ConfigError, match=r'does not compute in bf16.*Use "auto"'):
        open_engine(card, path, provider="openvino", precision="bf16")


@pytest.mark.parametrize("instructions", ["AVX2", "avx512_core"])
def test_instructions_that_are_held_back_rule_out_bf16(instructions, tmp_path, monkeypatch):
    card, path = write_model(tmp_path)
    monkeypatch.setenv(INSTRUCTIONS, instructions)
    assert open_engine(card, path, provider="openvino").precision == "f32"
    with pytest.raises(ConfigError, match="does not compute in bf16"):
        open_engine(card, path, provider="openvino", precision="bf16")


@needs_bf16
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_base_is_float32_in_bf16_too(scale, tmp_path, rng):
    card, path = write_model(tmp_path, scale=scale, gain=0)
    lr = rng.random((1, 3, 31, 27), dtype=np.float32)
    one = open_engine(card, path, provider="openvino", precision="bf16")(lr)
    two = open_engine(card, path, provider="openvino", precision="f32")(lr)
    assert np.array_equal(one, two)


@needs_bf16
def test_the_trunk_is_bf16(tmp_path, rng):
    card, path = write_model(tmp_path, width=32)
    lr = rng.random((1, 3, 31, 27), dtype=np.float32)
    one = open_engine(card, path, provider="openvino", precision="bf16")(lr)
    two = open_engine(card, path, provider="openvino", precision="f32")(lr)
    assert 1e-4 < np.abs(one - two).max() < 0.01


@needs_bf16
def test_a_network_without_the_tensor_to_cut_at_is_refused(tmp_path):
    card, path = write_model(tmp_path)
    model = onnx.load(path)
    for node in model.graph.node:
        node.input[:] = ["rest" if name == "residual" else name for name in node.input]
        node.output[:] = ["rest" if name == "residual" else name for name in node.output]
    onnx.save(model, path)
    card = msgspec.structs.replace(card, sha256="")
    with pytest.raises(WeightsError, match='no tensor "residual"'):
        open_engine(card, path, provider="openvino", precision="bf16")


def test_a_network_with_other_inputs_is_refused(tmp_path):
    card, path = write_model(tmp_path)
    model = onnx.load(path)
    model.graph.input[0].name = "x"
    for node in model.graph.node:
        node.input[:] = ["x" if name == "lr" else name for name in node.input]
    onnx.save(model, path)
    with pytest.raises(WeightsError, match="is no network of ours") as info:
        open_engine(msgspec.structs.replace(card, sha256=""), path, provider="openvino")
    assert "\n" not in str(info.value)


def test_after_a_failure_everything_is_compiled_anew(tmp_path, rng, monkeypatch):
    card, path = write_model(tmp_path)
    engine = open_engine(card, path, provider="openvino")
    lr = rng.random((1, 3, 9, 9), dtype=np.float32)
    expected = engine(lr)
    (before,) = engine._runs.values()
    with monkeypatch.context() as patch:
        patch.setattr(
            type(before), "__call__", lambda *_: exec("raise RuntimeError('std::bad_alloc')")
        )
        with pytest.raises(OutOfMemoryError):
            engine(lr)
    assert np.array_equal(engine(lr), expected)
    (after,) = engine._runs.values()
    assert after is not before


def test_only_the_last_few_sizes_stay_compiled(tmp_path, rng):
    card, path = write_model(tmp_path)
    engine = open_engine(card, path, provider="openvino")
    for side in range(4, 10):
        lr = rng.integers(0, 256, (side, 5, 3), dtype=np.uint8)
        keep = Box(0, 0, side * card.scale, 5 * card.scale)
        once, twice, thrice = (engine.samples(lr, keep=keep) for _ in range(3))
        assert np.array_equal(once, twice)
        assert np.array_equal(once, thrice)
    sides = range(11 - KEPT, 10)
    assert set(engine._runs) == {PLANES, *(("uint8", side, 5, False) for side in sides)}


def test_a_size_that_comes_once_is_not_compiled(tmp_path, rng):
    card, path = write_model(tmp_path)
    engine = open_engine(card, path, provider="openvino")
    for side in (4, 5, 4, 5):
        lr = rng.integers(0, 256, (side, 5, 3), dtype=np.uint8)
        engine.samples(lr, keep=Box(0, 0, side * card.scale, 5 * card.scale))
    assert list(engine._runs) == [PLANES]


def test_a_large_size_is_compiled_at_once_and_only_the_last_one_is_kept(tmp_path, rng):
    card, path = write_model(tmp_path, width=4, depth=1)
    engine = open_engine(card, path, provider="openvino")
    for width in (300, 301):
        lr = rng.integers(0, 256, (LARGE // 300 + 1, width, 3), dtype=np.uint8)
        keep = Box(6, 6, 20, 30)
        sr = engine.samples(lr, keep=keep)
        assert [kind[2] for kind in engine._runs if kind != PLANES] == [width]
        assert np.array_equal(sr, samples_by_planes(engine, lr, keep))
    assert engine.lean[0] == "uint8"


def test_a_network_of_another_kind_is_not_lean(tmp_path, rng):
    _, path = write_model(tmp_path)
    model = onnx.load(path)
    model.graph.node[-1].attribute[-1].s = b"DCR"
    onnx.save(model, path)
    card = msgspec.structs.replace(make_card(), sha256="")
    engine = open_engine(card, path, provider="openvino", precision="f32")
    assert engine.lean == ()
    lr = rng.integers(0, 256, (12, 10, 3), dtype=np.uint8)
    once, twice = (engine.samples(lr, keep=Box(0, 0, 24, 20)) for _ in range(2))
    assert np.array_equal(once, twice)


QUIET = """
import sys
from pixelift.infer.engine import open_engine
from pixelift.zoo.store import find_model
import numpy as np

card, path = find_model(sys.argv[1])
open_engine(card, path, provider="openvino")(np.zeros((1, 3, 8, 8), np.float32))
print([m for m in sys.modules if "telemetry" in m or m.startswith("openvino.tools.ovc")])
"""


def test_openvino_reports_nothing_and_writes_nothing(tmp_path):
    _, path = write_model(tmp_path / "model")
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home)}
    environment.pop("CI", None)
    command = [sys.executable, "-c", QUIET, path]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment, cwd=home
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert list(home.iterdir()) == []


def test_the_converter_is_still_there_for_who_asks_for_it(monkeypatch):
    openvino = import_openvino()
    # A stand-in, since importing the true one reports usage over the network.
    converter = ModuleType(engine_openvino.CONVERTER)
    converter.convert_model = object()
    monkeypatch.setitem(sys.modules, engine_openvino.CONVERTER, converter)
    assert openvino.convert_model is converter.convert_model
    with pytest.raises(AttributeError, match="nonsense"):
        openvino.nonsense  # noqa: B018 - looking is the test


CTRL_C = """
import gc, signal, sys
import numpy as np
from pixelift import Upscaler

# What was started in the background of a script may have been told to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _ in range(3):
    upscalers = [Upscaler(sys.argv[1], scale=2, threads=1) for _ in range(3)]
    for upscaler in upscalers:
        upscaler.upscale(np.zeros((20, 30, 3), np.uint8))
    del upscaler
    while upscalers:
        upscalers.pop(0)
        gc.collect()
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_interrupts_after_networks_have_come_and_gone(tmp_path):
    # OpenVINO's cores leave a stack for signals behind that is freed; see shared_core.
    _, path = write_model(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, 3 * "interrupted\n")


def test_an_engine_is_freed_when_the_last_who_knows_it_goes(tmp_path):
    # What it compiled is large, but not to Python, whose collector of circles would come too late.
    _, path = write_model(tmp_path, scale=2, width=4, depth=2)
    gc.disable()
    try:
        upscaler = Upscaler(path)
        for dtype, side in itertools.product((np.uint8, np.uint16, np.float32), (40, 40, 320)):
            upscaler.upscale(np.zeros((side, side, 3), dtype))
        engine = weakref.ref(upscaler.network.engine)
        del upscaler
        assert engine() is None
    finally:
        gc.enable()
