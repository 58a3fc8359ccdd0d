import torch
import torch.nn.functional as F

from pixelift.models.vdsr import VDSR


def test_without_a_residual_it_is_interpolation():
    network = VDSR(scale=3, width=4, depth=3)
    torch.nn.init.zeros_(network.tail.weight)
    lr = torch.rand(1, 3, 9, 8)
    assert torch.equal(network(lr), F.pixel_shuffle(network.base(lr), 3))


def test_head_and_tail_count_as_layers():
    assert len(VDSR(scale=2, width=4, depth=20).body) == 18
