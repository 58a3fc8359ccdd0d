import pytest
import torch

from pixelift.models.gatenet import GateNet
from pixelift.models.grow import find_gate_obstacle, find_obstacle, grow, grow_gates
from pixelift.models.repnet import RepNet


def moved(network):
    """Take every weight off its first value, as a training does."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return network


def trained(**dials):
    torch.manual_seed(1)
    return moved(RepNet(**({"scale": 2, "width": 6, "depth": 2} | dials)))


def gated(**dials):
    return GateNet(**({"scale": 2, "width": 6, "blocks": 2} | dials))


def trained_gates(**dials):
    torch.manual_seed(1)
    return moved(gated(**dials))


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


@pytest.mark.parametrize(
    ("known", "dials"),
    [
        ({}, {}),
        ({}, {"width": 10}),
        ({}, {"blocks": 5}),
        ({}, {"width": 12, "blocks": 3, "direct": False}),
        ({"direct": False}, {"width": 8, "blocks": 4}),
        ({"smooth": True}, {"blocks": 3, "smooth": True}),
        ({"open_gate": False}, {"width": 9, "open_gate": False}),
    ],
)
def test_a_grown_gatenet_gives_the_output_of_the_small_one(known, dials):
    small, large = trained_gates(**known), gated(**dials)
    assert grow_gates(small, large)
    lr = torch.rand(2, 3, 14, 11)
    assert torch.allclose(large(lr), small(lr), atol=1e-5)


def test_every_weight_of_the_grown_gatenet_learns():
    small, large = trained_gates(), gated(width=9, blocks=4)
    grow_gates(small, large)
    optimizer = torch.optim.SGD(large.parameters(), lr=1e-2)
    for _ in range(2):  # after one step the new blocks say something, and are listened to
        optimizer.zero_grad()
        (large(torch.rand(4, 3, 16, 16)) - torch.rand(4, 3, 32, 32)).square().mean().backward()
        optimizer.step()
    for name, weight in large.named_parameters():
        assert weight.grad.count_nonzero() == weight.grad.numel(), name


@pytest.mark.parametrize(
    ("known", "dials", "why"),
    [
        ({}, {"width": 4}, "6 channels inside, the recipe 4, and none can be left out. Set"),
        ({}, {"blocks": 1}, "it has 2 blocks, the recipe 1, and none can be left out. Set"),
        ({}, {"open_gate": False}, "its dial open_gate is true, the recipe's not. Set model.dials"),
        ({}, {"smooth": True}, "Set model.dials.smooth = false"),
        (
            {"open_gate": False},
            {"open_gate": False, "blocks": 3},
            "none can be added where open_gate is false. Set model.dials.blocks = 2",
        ),
    ],
)
def test_a_gatenet_that_cannot_go_on_as_another_is_left_as_it_is_and_it_is_said_why(
    known, dials, why
):
    small, large = trained_gates(**known), gated(**dials)
    before = {k: v.clone() for k, v in large.state_dict().items()}
    assert why in find_gate_obstacle(small, large)
    assert not grow_gates(small, large)
    assert all(torch.equal(v, before[k]) for k, v in large.state_dict().items())


@pytest.mark.parametrize("dials", [{"scale": 4}, {"channels": 1}])
def test_a_gatenet_for_another_scale_or_other_pictures_takes_the_body_over(dials):
    small, large = trained_gates(), gated(width=8, **dials)
    head, tail = large.head.collapsed().clone(), large.tail.collapsed().clone()
    assert grow_gates(small, large)
    assert torch.equal(large.tail.collapsed(), tail)
    assert torch.equal(large.head.collapsed(), head) == ("channels" in dials)
    for part in ("body.1.third", "last"):
        old, new = (net.get_submodule(part).collapsed() for net in (small, large))
        assert torch.equal(new[:6, :6], old)
