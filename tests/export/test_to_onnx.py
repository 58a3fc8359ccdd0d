import json

import numpy as np
import onnx
import pytest
import torch

from pixelift.export.to_onnx import export_onnx, has_residual
from pixelift.image.geometry import Box
from pixelift.infer.engine import open_engine
from pixelift.infer.engine_openvino import CUT, import_openvino, shared_core
from pixelift.infer.openvino_parts import find_parts
from pixelift.infer.tiling import run_tiled
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet
from pixelift.models.spec import ARCHITECTURES, build_model
from pixelift.zoo.card import METADATA_KEY, Card
from tests.models.test_spec import SMALL


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = fuse(RepNet(scale=3, width=8, depth=2))
    # Trained biases differ from each other; equal ones would be written once and shared.
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def test_the_graph_names_residual_and_base_and_takes_any_size(network, tmp_path):
    export_onnx(network, tmp_path / "a.onnx", card_json=json.dumps({"name": "a"}))
    model = onnx.load(tmp_path / "a.onnx")
    names = {name for node in model.graph.node for name in node.output}
    assert {"residual", "base", "sr"} <= names
    shape = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == ["batch", 3, "height", "width"]
    assert {p.key: p.value for p in model.metadata_props} == {METADATA_KEY: '{"name": "a"}'}


def test_only_plain_convolutions_and_relu_are_left(network, tmp_path):
    export_onnx(network, tmp_path / "a.onnx", card_json="{}")
    kinds = {node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node}
    assert kinds == {"Conv", "Relu", "Add", "DepthToSpace"}


def test_the_same_weights_give_the_same_bytes(network, tmp_path):
    for name in ("a", "b"):
        export_onnx(network, tmp_path / name, card_json="{}")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parity
def test_another_engine_gives_what_torch_gives_at_any_size(network, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    export_onnx(network, tmp_path / "a.onnx", card_json="{}")
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    for height, width in ((1, 1), (5, 8), (30, 17)):
        lr = torch.rand(1, 3, height, width)
        with torch.no_grad():
            expected = network(lr).numpy()
        (sr,) = session.run(["sr"], {"lr": lr.numpy()})
        assert np.abs(sr - expected).max() < 1e-5


def trained(name, *, scale, channels=3):
    """Build the small form of an architecture with weights as different as trained ones are."""
    torch.manual_seed(0)
    network = build_model(name, scale=scale, channels=channels, **SMALL[name]).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return network


def card_of(network, name):
    return Card(
        name=name,
        scale=network.scale,
        channels="rgb" if network.channels == 3 else "y",
        radius=network.radius,
        parameters=1,
        macs_per_pixel=1,
        base="bicubic" if has_residual(network) else "none",
        licence="MIT",
        architecture=name,
        recipe="",
        dataset_sha256="",
        training="",
        scores={},
    )


@pytest.fixture(params=sorted(ARCHITECTURES))
def name(request):
    return request.param


@pytest.mark.parity
@pytest.mark.parametrize(("scale", "channels"), [(2, 3), (3, 1), (4, 3)])
@pytest.mark.parametrize("provider", ["openvino", "onnxruntime"])
def test_every_architecture_gives_in_every_engine_what_torch_gives(
    name, scale, channels, provider, tmp_path
):
    network = trained(name, scale=scale, channels=channels)
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    engine = open_engine(
        card_of(network, name), tmp_path / "a.onnx", provider=provider, precision="f32", threads=1
    )
    for height, width in ((1, 1), (13, 22)):
        lr = torch.rand(1, channels, height, width)
        with torch.no_grad():
            expected = network(lr).numpy()
        assert np.abs(engine(lr.numpy()) - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_tiles_with_a_halo_of_the_radius_give_what_the_whole_gives(name, scale, tmp_path, rng):
    network = trained(name, scale=scale)
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    engine = open_engine(card_of(network, name), tmp_path / "a.onnx", precision="f32", threads=1)
    image = rng.random((23, 31, 3), dtype=np.float32)

    def restore(tile, keep):
        sr = engine(np.ascontiguousarray(tile.transpose(2, 0, 1)[None]))
        return sr[0].transpose(1, 2, 0)[keep.slices]

    whole = run_tiled(restore, image, scale=scale, halo=network.radius, tile=64)

    def apart(halo):
        tiled = run_tiled(restore, image, scale=scale, halo=halo, tile=7)
        return np.abs(tiled - whole).max()

    assert apart(network.radius) < 1e-5
    # The radius is no wider than it must be: the tests of the tiles would pass with any halo else.
    assert apart(network.radius - 2) > 1e-4


def test_only_networks_that_learn_what_interpolation_lost_name_a_residual(name, tmp_path):
    network = trained(name, scale=2)
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    graph = onnx.load(tmp_path / "a.onnx").graph
    tensors = {output for node in graph.node for output in node.output}
    assert (
        ("residual" in tensors) == has_residual(network) == (name in {"vdsr", "repnet", "gatenet"})
    )
    assert [output.name for output in graph.output] == ["sr"]
    # Batch norm is part of the convolution before it by then.
    assert "BatchNormalization" not in {node.op_type for node in graph.node}


@pytest.mark.parametrize("name", ["repnet", "gatenet"])
def test_an_engine_finds_the_trunk_in_the_file_and_sees_as_far_as_the_card_says(name, tmp_path):
    pytest.importorskip("openvino")
    network = trained(name, scale=2)
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    model = shared_core().read_model(tmp_path / "a.onnx")
    model.reshape([1, 3, -1, -1])
    parts = find_parts(import_openvino(), model, CUT)
    assert parts.reach == network.radius
    lr = np.random.default_rng(0).random((1, 3, 19, 22), dtype=np.float32)
    whole, bare = (
        shared_core().compile_model(trunk, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([lr])[0]
        for trunk in (parts.trunk, parts.bare_trunk(import_openvino()))
    )
    inside = slice(parts.reach, -parts.reach)
    assert np.allclose(bare, whole[..., inside, inside], atol=1e-5)


@pytest.mark.parity
def test_low_precision_never_touches_the_base(name, tmp_path):
    network = trained(name, scale=2)
    if has_residual(network):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.zero_()
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    results = {
        precision: open_engine(
            card_of(network, name), tmp_path / "a.onnx", precision=precision, threads=1
        )(np.random.default_rng(0).random((1, 3, 12, 15), dtype=np.float32))
        for precision in ("auto", "f32")
    }
    # A network that paints the picture itself stays in float32 for the same reason.
    assert np.array_equal(results["auto"], results["f32"])


@pytest.mark.parity
@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_pictures_of_8_bits_may_be_converted_inside_of_every_network(
    name, precision, tmp_path, rng
):
    network = trained(name, scale=2)
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json="{}")
    engine = open_engine(
        card_of(network, name), tmp_path / "a.onnx", precision=precision, threads=1
    )
    lr = rng.integers(0, 256, (13, 10, 3), dtype=np.uint8)
    outside, *inside = (engine.samples(lr, keep=Box(0, 0, 26, 20)) for _ in range(3))
    assert outside.shape == (26, 20, 3)
    # The engine builds the conversion in when a size comes for the second time.
    assert all(np.abs(sr.astype(int) - outside).max() <= 1 for sr in inside)
