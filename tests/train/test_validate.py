import msgspec
import numpy as np
import pytest
import torch

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS
from pixelift.degrade.plan import Plan
from pixelift.image.resize import upscale
from pixelift.metrics.psnr import psnr
from pixelift.models.repnet import RepNet
from pixelift.train.validate import measure, validation_crops, validation_plans, write_plans
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


def test_degraded_crops_are_those_of_recorded_plans(prepared, tmp_path):
    plans = validation_plans(prepared, scale=2, degradation=PRESETS["photo"])
    write_plans(tmp_path / "plans.json", plans)
    recorded = msgspec.json.decode((tmp_path / "plans.json").read_bytes(), type=dict[str, Plan])
    assert recorded == plans
    assert len(set(plans.values())) == 2
    pairs = validation_crops(prepared, scale=2, side=60, degradation=PRESETS["photo"])
    clean = validation_crops(prepared, scale=2, side=60)
    names = [photo.name for photo in prepared.manifest.pictures if photo.split == "valid"]
    for name, (lr, hr), (clean_lr, clean_hr) in zip(names, pairs, clean, strict=True):
        assert np.array_equal(hr, clean_hr)
        again = apply_plan(np.round(hr * 255).astype(np.uint8), recorded[name])
        assert lr[0].permute(1, 2, 0).numpy() * 255 == pytest.approx(again, abs=1e-3)
        assert not torch.equal(lr, clean_lr)
