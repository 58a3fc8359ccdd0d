import pytest
import torch
import torch.nn.functional as F

from pixelift.models.spec import build_model, count_macs, count_parameters
from pixelift.models.srcnn import SRCNN


def test_it_has_the_size_that_the_paper_gives():
    # 9-1-5 on luma: 8,032 weights (table 2 of the paper) and 97 biases.
    assert count_parameters(build_model("srcnn", scale=3, channels=1)) == 8032 + 97


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_output_is_scale_times_as_large(scale):
    network = SRCNN(scale=scale)
    assert network(torch.rand(2, 3, 7, 9)).shape == (2, 3, 7 * scale, 9 * scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_no_pixel_beyond_the_radius_changes_the_output(scale):
    torch.manual_seed(0)
    network = SRCNN(scale=scale, channels=1)
    lr = torch.rand(1, 1, 31, 31)
    changed = lr.clone()
    changed[..., 15, 15] += 1
    moved = (network(lr) != network(changed))[0, 0].nonzero()
    reach = (moved // scale - 15).abs().max()
    # Bicubic looks at two LR pixels on one side and at one on the other; which, the phase decides.
    assert network.radius - 1 <= reach <= network.radius


def test_the_residual_form_costs_no_parameter_and_begins_near_interpolation():
    plain = build_model("srcnn", scale=2, channels=1)
    residual = build_model("srcnn", scale=2, channels=1, residual=True)
    assert count_parameters(residual) == count_parameters(plain)
    assert count_macs(residual) == count_macs(plain)
    lr = torch.rand(1, 1, 9, 8)
    torch.nn.init.zeros_(residual.tail.weight)
    assert torch.equal(residual(lr), F.pixel_shuffle(residual.base(lr), 2))
    residual.load_state_dict(plain.state_dict())
    assert torch.equal(residual(lr), F.pixel_shuffle(plain.base(lr), 2) + plain(lr))
