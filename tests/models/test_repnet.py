import torch
import torch.nn.functional as F

from pixelift.models.repnet import RepNet


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
