import torch

from pixelift.models.espcn import ESPCN


def test_all_convolutions_work_at_lr_size():
    network = ESPCN(scale=3, width=8, mapping=4)
    seen = []
    for part in (network.head, network.body, network.tail):
        part.register_forward_hook(lambda _, __, output: seen.append(output.shape[-2:]))
    assert network(torch.rand(1, 3, 6, 7)).shape == (1, 3, 18, 21)
    assert seen == [(6, 7)] * 3
