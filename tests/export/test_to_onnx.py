import json

import numpy as np
import onnx
import pytest
import torch

from pixelift.export.to_onnx import export_onnx
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet
from pixelift.zoo.card import METADATA_KEY


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
