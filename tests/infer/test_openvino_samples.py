import numpy as np
import pytest

from pixelift.image.depth import to_float, to_u8, to_u16
from pixelift.infer.engine_openvino import import_openvino, shared_core
from pixelift.infer.openvino_samples import take_samples
from tests.fakes import model_bytes

try:
    openvino = import_openvino()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def run(model, *tensors):
    compiled = shared_core().compile_model(model, "CPU", F32)
    return compiled(list(tensors))[0]


def load(**sizes):
    return shared_core().read_model(model_bytes(**sizes))


@pytest.mark.parametrize(("name", "rounded"), [("uint8", to_u8), ("uint16", to_u16)])
@pytest.mark.parametrize("channels", [3, 1])
def test_integers_come_in_and_out_with_channels_last(name, rounded, channels, rng):
    model = load(scale=2, channels=channels, width=8)
    lr = rounded(rng.random((1, 7, 9, channels), dtype=np.float32))
    (changed,) = take_samples(openvino, [model], name, height=7, width=9)
    sr = run(changed, lr)
    floats = run(model, np.ascontiguousarray(to_float(lr).transpose(0, 3, 1, 2)))
    expected = rounded(floats.transpose(0, 2, 3, 1))
    assert (sr.dtype, sr.shape) == (name, (1, 14, 18, channels))
    assert np.abs(sr.astype(int) - expected.astype(int)).max() <= (name == "uint16")


def test_the_shuffle_moves_what_has_been_rounded():
    (changed,) = take_samples(openvino, [load(scale=3)], "uint8", height=5, width=5)
    (shuffle,) = [op for op in changed.get_ops() if op.get_type_name() == "DepthToSpace"]
    assert shuffle.get_output_element_type(0).to_dtype() == np.uint8


def test_the_networks_themselves_are_not_changed():
    model = load(scale=2)
    before = str(model)
    take_samples(openvino, [model], "uint8", height=5, width=6)
    assert str(model) == before
