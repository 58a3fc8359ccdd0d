import numpy as np
import onnx
import pytest

from pixelift.image.depth import to_float
from pixelift.image.geometry import Box
from pixelift.infer import openvino_strips
from pixelift.infer.engine import open_engine, samples_by_planes
from pixelift.infer.engine_openvino import shared_core
from tests.fakes import make_card, make_model, write_model

try:
    core = shared_core()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

HAS_BF16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
PRECISIONS = ["f32", pytest.param("bf16", marks=pytest.mark.skipif(not HAS_BF16, reason="no bf16"))]


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    """Several strips in a small picture, the last one not full."""
    monkeypatch.setattr(openvino_strips, "STRIP_PIXELS", 200)


def twice(engine, lr, keep):
    """Enlarge a size for the second time, for which the strips are there."""
    engine.samples(lr, keep=keep)
    return engine.samples(lr, keep=keep)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "options",
    [
        {"scale": 2, "width": 16},
        {"scale": 3, "width": 8, "depth": 1},
        {"scale": 4, "width": 32, "depth": 6, "gain": 3},
        {"scale": 2, "channels": 1},
    ],
)
def test_strips_give_what_planes_give_to_the_last_bit(precision, options, tmp_path, rng):
    card, path = write_model(tmp_path, **options)
    engine = open_engine(card, path, provider="openvino", precision=precision)
    lr = rng.integers(0, 256, (31, 26, card.planes), dtype=np.uint8)
    whole, radius, scale = Box(0, 0, 31, 26), card.radius, card.scale
    parts = [
        whole,  # up to the border, beyond which networks see zeros
        Box(radius, radius, 31 - 2 * radius, 26 - 2 * radius),  # all that has its context
        Box(radius + 2, radius + 1, 9, 11),
        Box(radius - 1, radius, 8, 4),  # context is missing on one side
    ]
    for part in parts:
        keep = part.scaled(scale)
        sr = twice(engine, lr, keep)
        assert (sr.dtype, sr.shape) == (np.uint8, (keep.height, keep.width, card.planes))
        assert np.array_equal(sr, samples_by_planes(engine, lr, keep)), part


@pytest.mark.parametrize("name", ["uint8", "uint16"])
def test_what_a_network_takes_off_the_picture_is_not_merged_with_its_scaling(name, tmp_path, rng):
    model = make_model(scale=2, width=8)
    half = onnx.numpy_helper.from_array(np.full((1, 1, 1, 1), 0.5, np.float32), "half")
    model.graph.initializer.append(half)
    head = next(node for node in model.graph.node if node.output[0] == "conv0")
    head.input[0] = "middle"
    model.graph.node.insert(0, onnx.helper.make_node("Sub", ["lr", "half"], ["middle"]))
    onnx.save(model, tmp_path / "a.onnx")
    engine = open_engine(
        make_card(scale=2), tmp_path / "a.onnx", provider="openvino", precision="f32"
    )
    lr = rng.integers(0, np.iinfo(name).max + 1, (40, 50, 3), dtype=name)
    trunk = engine._compile((name, 40, 50, False))._trunk
    trunk.infer([lr[None]])
    planes = np.ascontiguousarray(to_float(lr).transpose(2, 0, 1)[None])
    parts = engine._parts
    expected = core.compile_model(parts.trunk, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([planes])
    assert np.array_equal(trunk.get_output_tensor(0).data, expected[0].transpose(0, 2, 3, 1))


def test_16_bits_pass_through_float32(tmp_path, rng):
    card, path = write_model(tmp_path, scale=2)
    engine = open_engine(card, path, provider="openvino", precision="f32")
    lr = rng.integers(0, 65536, (25, 18, 3), dtype=np.uint16)
    keep = Box(0, 0, 50, 36)
    sr, planes = twice(engine, lr, keep), samples_by_planes(engine, lr, keep)
    assert sr.dtype == np.uint16
    assert np.abs(sr.astype(int) - planes).max() <= 1  # float32 may add two products in one step
    assert engine.lean == ("uint8", "uint16")


def test_results_are_the_callers_to_keep(tmp_path, rng):
    card, path = write_model(tmp_path, scale=2)
    engine = open_engine(card, path, provider="openvino")
    keep = Box(0, 0, 40, 60)
    first, second = rng.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    sr = twice(engine, first, keep)
    copy = sr.copy()
    engine.samples(second, keep=keep)
    assert np.array_equal(sr, copy)
    assert sr.flags.owndata


def test_part_of_a_pixel_is_kept_too(tmp_path, rng):
    card, path = write_model(tmp_path, scale=3)
    engine = open_engine(card, path, provider="openvino", precision="f32")
    lr = rng.integers(0, 256, (12, 14, 3), dtype=np.uint8)
    keep = Box(4, 10, 13, 20)
    assert np.array_equal(twice(engine, lr, keep), samples_by_planes(engine, lr, keep))
