import pytest
import torch
import torch.nn.functional as F

from pixelift.models.fuse import fuse
from pixelift.models.gatenet import GateNet
from pixelift.models.spec import count_macs, count_parameters


def features_of(network, lr):
    """List what the head gives, and each block after it."""
    steps = [network.head(lr - 0.5)]
    for block in network.body:
        steps.append(block(steps[-1]))
    return steps


@pytest.mark.parametrize("open_gate", [True, False])
@pytest.mark.parametrize("smooth", [True, False])
def test_what_a_block_gives_is_gated_by_itself(open_gate, smooth):
    torch.manual_seed(0)
    network = GateNet(scale=2, width=8, blocks=2, open_gate=open_gate, smooth=smooth)
    lr = torch.rand(1, 3, 9, 9)
    features = x = network.head(lr - 0.5)
    bend = F.silu if smooth else F.relu
    for block in network.body:
        o = block.third(bend(block.second(bend(block.first(x)))))
        x = (x + o) * (torch.sigmoid(o) + (0.5 if open_gate else -0.5))
    residual = network.tail(features + network.last(x))
    assert torch.allclose(network.trunk(lr), residual, atol=1e-6)
    base = F.pixel_shuffle(network.base(lr), 2)
    assert torch.allclose(network(lr), base + F.pixel_shuffle(residual, 2), atol=1e-6)


def test_a_block_that_says_nothing_hands_its_input_on_through_an_open_gate_alone():
    torch.manual_seed(0)
    x = torch.randn(1, 8, 9, 9)
    for open_gate in (True, False):
        block = GateNet(scale=2, width=8, blocks=1, open_gate=open_gate).body[0]
        for parameter in block.third.parameters():
            torch.nn.init.zeros_(parameter)
        assert torch.equal(block(x), x if open_gate else torch.zeros_like(x))


@pytest.mark.parametrize("dials", [{}, {"open_gate": False}, {"smooth": True}, {"direct": False}])
def test_a_deep_body_neither_dies_out_nor_grows(dials):
    torch.manual_seed(0)
    network = GateNet(scale=2, width=32, blocks=6, **dials)
    lr = F.interpolate(torch.rand(2, 3, 6, 6), size=(32, 32), mode="bicubic")
    with torch.no_grad():
        first, *_, last = (step.std() for step in features_of(network, lr))
    assert 0.1 * first < last < 10 * first


def test_an_untrained_network_is_close_to_interpolation():
    torch.manual_seed(0)
    network = GateNet(scale=4, width=32, blocks=4)
    lr = torch.rand(1, 3, 24, 24)
    base = F.pixel_shuffle(network.base(lr), 4)
    assert (network(lr) - base).square().mean() < 0.2 * base.var()


def test_the_network_has_the_size_that_its_convolutions_add_up_to():
    fused = fuse(GateNet(scale=4, direct=False))
    convolutions = 9 * (3 * 48 + (3 * 6 + 1) * 48 * 48 + 48 * 48)
    assert count_parameters(fused) == convolutions + (1 + 3 * 6 + 1) * 48 + 48
    assert count_macs(fused) == convolutions + 25 * 48


def test_the_radius_is_exact():
    torch.manual_seed(0)
    network = GateNet(scale=2, width=8, blocks=2).eval()
    assert network.radius == 1 + 2 * 3 + 1 + 1
    lr = torch.rand(1, 3, 40, 40)
    far = lr.clone()
    far[..., : 20 - network.radius] = torch.rand_like(far[..., : 20 - network.radius])
    with torch.no_grad():
        assert torch.equal(network(lr)[..., 40:], network(far)[..., 40:])
        far[..., 20 - network.radius] += 1
        assert not torch.equal(network(lr)[..., 40:], network(far)[..., 40:])


def test_luma_networks_have_one_channel():
    network = GateNet(scale=3, width=8, blocks=1, channels=1)
    assert network(torch.rand(1, 1, 5, 6)).shape == (1, 1, 15, 18)
