import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pixelift.image.resize import upscale
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase, bicubic_phases


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_base_is_matlab_bicubic(scale, rng):
    picture = rng.random((11, 9, 3), dtype=np.float32)
    padded = np.pad(picture, ((BASE_RADIUS,) * 2, (BASE_RADIUS,) * 2, (0, 0)), mode="symmetric")
    lr = torch.from_numpy(padded).permute(2, 0, 1)[None]
    base = F.pixel_shuffle(BicubicBase(scale=scale, channels=3)(lr), scale)
    border = BASE_RADIUS * scale
    inside = base[0, :, border:-border, border:-border].permute(1, 2, 0).numpy()
    assert inside == pytest.approx(upscale(picture, scale), abs=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_each_phase_sums_to_one(scale):
    phases = bicubic_phases(scale)
    assert phases.shape == (scale**2, 5, 5)
    assert phases.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-6)


def test_the_base_stays_float32_under_autocast():
    base = BicubicBase(scale=2, channels=1)
    with torch.autocast("cpu", torch.bfloat16):
        assert base(torch.rand(1, 1, 8, 8)).dtype == torch.float32
