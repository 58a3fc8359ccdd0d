import pytest
import torch
from torch import nn

from pixelift.models.blocks import CollapsibleConv, DirectConv, plain


@pytest.mark.parametrize("identity", [True, False])
@pytest.mark.parametrize(("inputs", "outputs"), [(3, 8), (8, 8), (8, 12)])
def test_the_collapsed_kernel_does_what_its_branches_do(inputs, outputs, identity):
    torch.manual_seed(0)
    block = CollapsibleConv(inputs, outputs, expansion=3, identity=identity).double()
    x = torch.randn(2, inputs, 9, 7, dtype=torch.float64)
    wide = nn.functional.conv2d(x, block.wide, padding=1)
    branches = nn.functional.conv2d(wide, block.mix[:, :, None, None], block.bias)
    if identity and inputs == outputs:
        branches = branches + x
    assert torch.allclose(block(x), branches, atol=1e-12)


def test_fusing_gives_a_plain_convolution_with_the_same_output():
    torch.manual_seed(0)
    block = CollapsibleConv(6, 6)
    x = torch.randn(1, 6, 8, 8)
    made = plain(block)
    assert type(made) is nn.Conv2d
    assert torch.allclose(made(x), block(x), atol=1e-6)


def test_the_first_kernel_keeps_the_size_of_what_flows_through():
    torch.manual_seed(0)
    block = CollapsibleConv(32, 64)
    x = torch.randn(4, 32, 24, 24).relu()
    ratio = block(x).relu()[..., 2:-2, 2:-2].square().mean() / x.square().mean()
    assert 0.5 < ratio < 2


@pytest.mark.parametrize("inputs", [5, 8])
def test_a_plain_kernel_is_embedded_by_a_small_change(inputs):
    torch.manual_seed(0)
    block = CollapsibleConv(inputs, 8)
    drawn = block.wide.clone()
    kernel, bias = torch.randn(8, inputs, 3, 3) * 0.1, torch.randn(8)
    block.embed(kernel, bias)
    assert torch.allclose(block.collapsed(), kernel, atol=1e-5)
    assert torch.equal(block.bias, bias)
    # Three quarters of the hidden directions are invisible to the mix and stay as drawn.
    change = torch.linalg.matrix_rank((block.wide - drawn).flatten(1), rtol=1e-4)
    assert change == 8


def test_a_direct_convolution_begins_like_a_wide_one_and_takes_over_kernels():
    torch.manual_seed(0)
    direct, wide = DirectConv(24, 24, gain=0.5), CollapsibleConv(24, 24, gain=0.5)
    spread, expected = ((c.collapsed() - _eye(24)).std().item() for c in (direct, wide))
    assert spread / expected == pytest.approx(1, abs=0.1)
    assert not torch.equal(DirectConv(4, 4, identity=False).weight[:, :, 1, 1], torch.eye(4))
    direct.embed(wide.collapsed(), torch.ones(24))
    x = torch.randn(1, 24, 6, 6)
    assert torch.allclose(direct(x), wide(x) + 1, atol=1e-5)
    assert torch.allclose(plain(direct)(x), direct(x), atol=1e-6)


def _eye(channels):
    kernel = torch.zeros(channels, channels, 3, 3)
    kernel[:, :, 1, 1] = torch.eye(channels)
    return kernel
