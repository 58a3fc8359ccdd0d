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


@pytest.mark.parametrize("side", [40, 96])
def test_networks_of_any_reach_are_measured_on_the_same_pixels(prepared, side):
    found = []
    for depth in (1, 12):
        network = RepNet(scale=2, width=4, depth=depth)
        torch.nn.init.zeros_(network.tail.mix)
        pairs = validation_crops(prepared, scale=2, side=side, context=network.radius)
        found.append(measure(network, pairs, shave=2 * network.radius))
    assert found[0] == pytest.approx(found[1], abs=1e-3)


def test_what_is_around_a_crop_is_the_photo_and_beyond_it_its_mirror(prepared):
    whole = prepared.picture(prepared.numbers("valid")[0]).astype(np.float32) / 255
    (lr, hr), *_ = validation_crops(prepared, scale=4, side=48, context=3)
    assert lr.shape == (1, 3, 18, 18)
    assert hr == pytest.approx(whole[12:84, 24:96], abs=1e-6)
    (lr, hr), *_ = validation_crops(prepared, scale=4, side=96, context=2)
    assert lr.shape[2] == whole.shape[0] // 4 + 4
    assert hr[:8] == pytest.approx(hr[8:16][::-1], abs=1e-6)


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
