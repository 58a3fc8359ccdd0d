import pytest
import torch
import torch.nn.functional as F

from pixelift.models.repnet import LEAK, RepNet


def test_the_network_adds_to_the_interpolated_picture():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=2)
    lr = torch.rand(1, 3, 10, 10)
    residual = F.pixel_shuffle(network.trunk(lr), 2)
    base = F.pixel_shuffle(network.base(lr), 2)
    assert torch.allclose(network(lr), base + residual, atol=1e-6)


def test_an_untrained_network_is_close_to_interpolation():
    torch.manual_seed(0)
    network = RepNet(scale=4, width=32, depth=6)
    lr = torch.rand(1, 3, 24, 24)
    base = F.pixel_shuffle(network.base(lr), 4)
    assert (network(lr) - base).square().mean() < 0.2 * base.var()


def test_luma_networks_have_one_channel():
    network = RepNet(scale=3, width=8, depth=1, channels=1)
    assert network(torch.rand(1, 1, 5, 6)).shape == (1, 1, 15, 18)


def test_a_leaky_network_hears_of_what_is_negative():
    torch.manual_seed(0)
    plain, leaky = (RepNet(scale=2, width=4, depth=1, leaky=leaky) for leaky in (False, True))
    leaky.load_state_dict(plain.state_dict())
    lr = torch.rand(1, 3, 6, 6)
    hidden = leaky.head(lr)
    assert hidden.min() < 0
    passed = torch.where(hidden < 0, LEAK * hidden, hidden)
    hidden = leaky.body[0](passed)
    expected = leaky.tail(torch.where(hidden < 0, LEAK * hidden, hidden))
    assert torch.allclose(leaky.trunk(lr), expected, atol=1e-6)
    assert not torch.allclose(plain.trunk(lr), expected, atol=1e-3)


def test_with_luma_all_channels_receive_the_same():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=1, luma=True)
    lr = torch.rand(1, 3, 6, 6)
    added = network(lr) - F.pixel_shuffle(network.base(lr), 2)
    assert added.abs().max() > 1e-4
    assert torch.allclose(added[:, :1].expand_as(added), added, atol=1e-6)


@pytest.mark.parametrize("depth", [4, 5])
def test_with_skips_pairs_are_added_to_what_went_in(depth):
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=depth, skips=True)
    lr = torch.rand(1, 3, 9, 9)
    features = x = network.head(lr - 0.5)
    for n in (0, 2):
        x = x + network.body[n + 1](F.relu(network.body[n](x)))
    x = features + network.body[4](x) if depth == 5 else x
    assert torch.allclose(network.trunk(lr), network.tail(x), atol=1e-6)


def test_a_deep_body_with_skips_neither_dies_out_nor_grows():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=16, depth=33, skips=True)
    lr = torch.rand(1, 3, 24, 24)
    before = network.head(lr - 0.5).std()
    assert 0.5 * before < network._residual_body(network.head(lr - 0.5)).std() < 3 * before


def test_the_radius_holds_with_skips():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=5, skips=True).eval()
    lr = torch.rand(1, 3, 40, 40)
    far = lr.clone()
    far[..., : 20 - network.radius] = torch.rand_like(far[..., : 20 - network.radius])
    with torch.no_grad():
        assert torch.equal(network(lr)[..., 40:], network(far)[..., 40:])
        far[..., 20 - network.radius] += 1
        assert not torch.equal(network(lr)[..., 40:], network(far)[..., 40:])
