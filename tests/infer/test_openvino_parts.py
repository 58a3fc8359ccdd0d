import numpy as np
import onnx
import pytest

from pixelift.infer.engine_openvino import CUT, import_openvino, shared_core
from pixelift.infer.openvino_parts import find_parts
from tests.fakes import make_model

try:
    openvino = import_openvino()
except ImportError:
    pytest.skip("openvino is not installed", allow_module_level=True)

F32 = {"INFERENCE_PRECISION_HINT": "f32"}


def run(model, planes):
    return shared_core().compile_model(model, "CPU", F32)([planes])[0]


def read(model):
    channels = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    read = shared_core().read_model(model.SerializeToString())
    read.reshape([1, channels, -1, -1])
    return read


def put_together(parts, lr):
    """Trunk and interpolation as numpy adds them, and rows of pixels laid out by hand."""
    trained = run(parts.trunk, lr)[0]
    around = parts.margin
    padded = np.pad(lr[0], ((0, 0), (around, around), (around, around)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, parts.kernel.shape[2:], (1, 2))
    base = np.einsum("chwij,ocij->ohw", windows, parts.kernel)
    copies = parts.channels if parts.is_shared else 1
    total = np.repeat(trained, copies, axis=0) + base
    height, width = lr.shape[2:]
    side = parts.scale
    split = total.reshape(side, side, parts.channels, height, width)
    return split.transpose(2, 3, 0, 4, 1).reshape(parts.channels, height * side, width * side)


def shared(model):
    """Turn a network into one whose colours receive the same: the first colour's part."""
    plane = onnx.numpy_helper.to_array(model.graph.initializer[-3])[:4]
    for index, values in ((-3, plane), (-2, np.ones(4, np.float32) / 9)):
        name = model.graph.initializer[index].name
        model.graph.initializer[index].CopyFrom(onnx.numpy_helper.from_array(values, name))
    total = next(node for node in model.graph.node if node.output[0] == "sum")
    copies = onnx.helper.make_node("Concat", ["residual"] * 3, ["residuals"], axis=1)
    total.input[:] = ["residuals", "base"]
    model.graph.node.insert(len(model.graph.node) - 2, copies)
    return model


@pytest.mark.parametrize(
    "options", [{"scale": 2}, {"scale": 3, "width": 8}, {"scale": 4, "channels": 1, "depth": 2}]
)
def test_the_parts_put_together_are_the_network(options, rng):
    model = read(make_model(**options))
    parts = find_parts(openvino, model, CUT)
    lr = rng.random((1, parts.channels, 9, 12), dtype=np.float32)
    assert (parts.scale, parts.reach, parts.margin) == (
        options["scale"],
        options.get("depth", 3),
        2,
    )
    assert not parts.is_shared
    assert np.allclose(put_together(parts, lr), run(model, lr)[0], atol=1e-5)


def test_what_all_colours_receive_is_made_once(rng):
    model = read(shared(make_model(scale=2)))
    parts = find_parts(openvino, model, CUT)
    lr = rng.random((1, 3, 7, 6), dtype=np.float32)
    assert parts.is_shared
    assert run(parts.trunk, lr).shape == (1, 4, 7, 6)
    assert np.allclose(put_together(parts, lr), run(model, lr)[0], atol=1e-5)


def test_the_bare_trunk_makes_the_same_without_the_border(rng):
    parts = find_parts(openvino, read(make_model(scale=2, depth=4)), CUT)
    lr = rng.random((1, 3, 20, 15), dtype=np.float32)
    bare = run(parts.bare_trunk(openvino), lr)
    assert bare.shape == (1, 12, 12, 7)
    assert np.array_equal(bare, run(parts.trunk, lr)[..., 4:-4, 4:-4])


def with_a_skip(model):
    """Let what the first convolution made skip the two that follow, and take a constant off."""
    nodes = model.graph.node
    half = onnx.numpy_helper.from_array(np.full((1, 1, 1, 1), 0.5, np.float32), "half")
    model.graph.initializer.append(half)
    head = next(node for node in nodes if node.output[0] == "conv0")
    head.input[0] = "middle"
    bend = next(node for node in nodes if node.output[0] == "act2")
    bend.input[0] = "skipped"
    nodes.insert(
        list(nodes).index(bend), onnx.helper.make_node("Add", ["act0", "conv2"], ["skipped"])
    )
    nodes.insert(0, onnx.helper.make_node("Sub", ["lr", "half"], ["middle"]))
    return model


def test_what_skips_convolutions_is_cut_to_what_went_through_them(rng):
    model = read(with_a_skip(make_model(scale=2, depth=4)))
    parts = find_parts(openvino, model, CUT)
    assert parts.reach == 4
    lr = rng.random((1, 3, 20, 15), dtype=np.float32)
    assert np.allclose(put_together(parts, lr), run(model, lr)[0], atol=1e-5)
    bare = run(parts.bare_trunk(openvino), lr)
    assert bare.shape == (1, 12, 12, 7)
    assert np.allclose(bare, run(parts.trunk, lr)[..., 4:-4, 4:-4], atol=1e-5)


def with_a_gate(model):
    """Let what two convolutions made pass as much as it says itself, beside what went into them."""
    nodes, half = model.graph.node, np.full((1, 1, 1, 1), 0.5, np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(half, "half"))
    bend = next(node for node in nodes if node.output[0] == "act2")
    bend.input[0] = "gated"
    gate = [
        ("Sigmoid", ["conv2"], "open"),
        ("Add", ["open", "half"], "wider"),
        ("Add", ["act0", "conv2"], "skipped"),
        ("Mul", ["skipped", "wider"], "gated"),
    ]
    place = list(nodes).index(bend)
    for kind, before, after in reversed(gate):
        nodes.insert(place, onnx.helper.make_node(kind, before, [after]))
    return model


def test_a_gate_looks_at_no_neighbours(rng):
    model = read(with_a_gate(make_model(scale=2, depth=4)))
    parts = find_parts(openvino, model, CUT)
    assert parts.reach == 4
    lr = rng.random((1, 3, 20, 15), dtype=np.float32)
    assert np.allclose(put_together(parts, lr), run(model, lr)[0], atol=1e-5)
    bare = run(parts.bare_trunk(openvino), lr)
    assert bare.shape == (1, 12, 12, 7)
    assert np.allclose(bare, run(parts.trunk, lr)[..., 4:-4, 4:-4], atol=1e-5)


def test_of_what_looks_at_neighbours_otherwise_no_reach_is_told(rng):
    model = make_model(scale=2, depth=4)
    nodes = model.graph.node
    bend = next(node for node in nodes if node.output[0] == "act2")
    pool = onnx.helper.make_node(
        "AveragePool", ["conv2"], ["pooled"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]
    )
    nodes.insert(list(nodes).index(bend), pool)
    bend.input[0] = "pooled"
    model = read(model)
    parts = find_parts(openvino, model, CUT)
    assert parts.reach == 0
    lr = rng.random((1, 3, 9, 8), dtype=np.float32)
    assert np.allclose(put_together(parts, lr), run(model, lr)[0], atol=1e-5)


def renamed(model):
    for node in model.graph.node:
        node.input[:] = ["rest" if name == "residual" else name for name in node.input]
        node.output[:] = ["rest" if name == "residual" else name for name in node.output]
    return model


def shuffled_otherwise(model):
    model.graph.node[-1].attribute[-1].s = b"DCR"
    return model


def without_base(model):
    del model.graph.node[-3:-1]
    model.graph.node[-1].input[:] = ["residual"]
    return model


def blurred(model):
    """Let what is added depend on the neighbours of what was trained."""
    pool = onnx.helper.make_node(
        "AveragePool", ["residual"], ["pooled"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]
    )
    model.graph.node.insert(len(model.graph.node) - 2, pool)
    model.graph.node[-2].input[:] = ["pooled", "base"]
    return model


@pytest.mark.parametrize("change", [renamed, shuffled_otherwise, without_base, blurred])
def test_a_network_of_another_kind_is_not_taken_apart(change):
    model = read(change(make_model(scale=2)))
    assert find_parts(openvino, model, CUT) is None


def test_the_network_itself_is_not_changed():
    model = read(make_model(scale=2))
    before = str(model)
    find_parts(openvino, model, CUT).bare_trunk(openvino)
    assert str(model) == before
