import pytest
import torch

from pixelift.image.resize import upscale
from pixelift.metrics.psnr import psnr
from pixelift.models.repnet import RepNet
from pixelift.train.validate import measure, validation_crops
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("validate"), valid=2)


def test_crops_are_the_centre_and_lie_on_the_grid(prepared):
    pairs = validation_crops(prepared, scale=4, side=50)
    assert len(pairs) == 2
    assert pairs[0][0].shape == (1, 3, 12, 12)
    assert pairs[0][1].shape == (48, 48, 3)
    whole = prepared.picture(prepared.numbers("valid")[0])
    assert pairs[0][1] * 255 == pytest.approx(whole[24:72, 36:84], abs=1e-3)


def test_a_network_without_a_residual_measures_as_bicubic(prepared):
    network = RepNet(scale=2, width=4, depth=1)
    torch.nn.init.zeros_(network.tail.mix)
    pairs = validation_crops(prepared, scale=2, side=80)
    expected = [psnr(upscale(lr[0].permute(1, 2, 0).numpy(), 2), hr, shave=6) for lr, hr in pairs]
    assert measure(network, pairs, shave=6) == pytest.approx(sum(expected) / 2, abs=1e-3)
