import pytest
import torch

from pixelift.errors import WeightsError
from pixelift.export.parity import TOLERANCE, check_parity, parity
from pixelift.export.to_onnx import export_onnx
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet
from pixelift.zoo.card import Card, card_to_metadata


@pytest.fixture
def exported(tmp_path):
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=2)
    card = Card(
        name="small",
        scale=2,
        channels="rgb",
        radius=4,
        parameters=1,
        macs_per_pixel=1,
        base="bicubic",
        licence="MIT",
        architecture="repnet",
        recipe="",
        dataset_sha256="",
        training="",
        scores={},
    )
    export_onnx(fuse(network), tmp_path / "a.onnx", card_json=card_to_metadata(card))
    return network, tmp_path / "a.onnx", card


def test_the_engine_gives_what_torch_gives(exported):
    assert parity(*exported) < TOLERANCE
    check_parity(*exported)


def test_a_network_that_was_changed_after_the_export_is_found(exported):
    network, path, card = exported
    with torch.no_grad():
        network.head.bias += 0.1
    with pytest.raises(WeightsError, match="must not be used"):
        check_parity(network, path, card)
