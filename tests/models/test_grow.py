import pytest
import torch

from pixelift.models.grow import find_obstacle, grow
from pixelift.models.repnet import RepNet


def trained(**dials):
    """Draw a network whose every weight is off its first value, as after a training."""
    torch.manual_seed(1)
    network = RepNet(**({"scale": 2, "width": 6, "depth": 2} | dials))
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return network


@pytest.mark.parametrize(
    "dials",
    [
        {"width": 6, "depth": 2},
        {"width": 10},
        {"depth": 3},
        {"depth": 7},
        {"width": 12, "depth": 5},  # as many as the tail gives: it gets an identity to take off
        {"width": 9, "depth": 4, "identity": False},
    ],
)
def test_the_grown_network_gives_the_output_of_the_small_one(dials):
    small = trained()
    large = RepNet(**({"scale": 2, "width": 6, "depth": 2} | dials))
    assert grow(small, large)
    lr = torch.rand(2, 3, 14, 11)
    assert torch.allclose(large(lr), small(lr), atol=1e-5)


def test_a_network_with_skips_grows_in_width_and_to_other_scales_only():
    small = trained(depth=3, skips=True)
    large = RepNet(scale=2, width=9, depth=3, skips=True)
    assert grow(small, large)
    lr = torch.rand(2, 3, 14, 11)
    assert torch.allclose(large(lr), small(lr), atol=1e-5)
    other = RepNet(scale=4, width=6, depth=3, skips=True)
    assert grow(small, other)
    assert torch.equal(other.body[2].collapsed(), small.body[2].collapsed())
    assert not grow(small, RepNet(scale=2, width=6, depth=5, skips=True))
    assert not grow(small, RepNet(scale=2, width=6, depth=3))


def test_a_luma_network_without_identities_grows_too():
    small = trained(channels=1, identity=False)
    large = RepNet(scale=2, width=8, depth=3, channels=1)
    assert grow(small, large)
    lr = torch.rand(1, 1, 9, 9)
    assert torch.allclose(large(lr), small(lr), atol=1e-5)


def test_every_weight_of_the_grown_network_learns():
    small, large = trained(), RepNet(scale=2, width=9, depth=5)
    grow(small, large)
    optimizer = torch.optim.SGD(large.parameters(), lr=1e-3)
    for _ in range(2):  # after one step the first channels listen to the new ones
        optimizer.zero_grad()
        (large(torch.rand(4, 3, 16, 16)) - torch.rand(4, 3, 32, 32)).square().mean().backward()
        optimizer.step()
    for name, weight in large.named_parameters():
        assert weight.grad.count_nonzero() == weight.grad.numel(), name


def test_new_channels_are_not_all_alike():
    large = RepNet(scale=2, width=9, depth=2)
    grow(trained(), large)
    new = large.body[0].collapsed()[6:].flatten(1)
    assert new.std() > 0.01
    assert torch.linalg.matrix_rank(new) == 3


def test_with_another_scale_all_but_the_tail_is_taken_over():
    small, large = trained(), RepNet(scale=4, width=8, depth=2)
    drawn = large.tail.collapsed().clone()
    assert grow(small, large)
    assert torch.equal(large.tail.collapsed(), drawn)
    assert torch.allclose(large.head.collapsed()[:6], small.head.collapsed(), atol=1e-5)


@pytest.mark.parametrize(
    ("dials", "why"),
    [
        (
            {"width": 4},
            "6 channels inside, the recipe 4, and none can be left out. Set model.dials",
        ),
        (
            {"depth": 1},
            "its body has 2 convolutions, the recipe's 1, and none can be left out. Set",
        ),
        ({"depth": 3, "leaky": True}, "with the dial leaky none can be added. Set model.dials.dep"),
        ({"skips": True}, "it has not the dial skips, the recipe has. Set model.dials.skips alike"),
    ],
)
def test_a_network_that_cannot_go_on_as_another_is_left_as_it_is_and_it_is_said_why(dials, why):
    large = RepNet(**({"scale": 2, "width": 6, "depth": 2} | dials))
    before = {k: v.clone() for k, v in large.state_dict().items()}
    assert why in find_obstacle(trained(), large)
    assert not grow(trained(), large)
    assert all(torch.equal(v, before[k]) for k, v in large.state_dict().items())


@pytest.mark.parametrize(
    ("depth", "leaky", "can"), [(2, True, True), (3, True, False), (2, False, False)]
)
def test_a_leaky_network_grows_in_width_alone(depth, leaky, can):
    small, large = trained(leaky=True), RepNet(scale=2, width=8, depth=depth, leaky=leaky)
    assert grow(small, large) == can
    lr = torch.rand(1, 3, 9, 9)
    assert torch.allclose(small(lr), large(lr), atol=1e-4) == can


def test_a_network_that_becomes_leaky_keeps_its_kernels_and_not_its_output():
    small, large = trained(), RepNet(scale=2, width=6, depth=2, leaky=True)
    assert grow(small, large)
    assert torch.allclose(large.body[1].collapsed(), small.body[1].collapsed(), atol=1e-5)
    lr = torch.rand(1, 3, 9, 9)
    assert not torch.allclose(small(lr), large(lr), atol=1e-4)


def test_with_other_picture_channels_the_body_alone_is_taken_over():
    small, large = trained(), RepNet(scale=2, width=8, depth=3, channels=1)
    head, tail = large.head.collapsed().clone(), large.tail.collapsed().clone()
    assert grow(small, large)
    assert torch.equal(large.head.collapsed(), head)
    assert torch.equal(large.tail.collapsed(), tail)
    old, new = small.body[0].collapsed(), large.body[0].collapsed()
    assert torch.allclose(new[:6, :6], old, atol=1e-5)
