import torch

from pixelift.models.fsrcnn import FSRCNN


def test_an_untrained_network_gives_next_to_nothing():
    torch.manual_seed(0)
    assert FSRCNN(scale=2)(torch.rand(1, 3, 12, 12)).abs().max() < 0.1


def test_the_mapping_is_as_deep_as_asked():
    network = FSRCNN(scale=2, depth=3)
    assert len(network.body) == 6
    assert network.radius == 2 + 3 + 2
