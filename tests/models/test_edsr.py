import torch

from pixelift.models.edsr import EDSR


def test_blocks_add_to_what_they_are_given():
    network = EDSR(scale=2, width=4, blocks=1)
    block = network.body[0]
    torch.nn.init.zeros_(block.second.weight)
    x = torch.rand(1, 4, 5, 5)
    assert torch.equal(block(x), x)


def test_there_is_no_batch_norm():
    assert not [m for m in EDSR(scale=4).modules() if isinstance(m, torch.nn.BatchNorm2d)]
