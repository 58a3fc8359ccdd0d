import torch

from pixelift.models.srresnet import SRResNet


def test_it_has_sixteen_blocks_with_two_norms_each_and_one_behind_them():
    norms = [m for m in SRResNet(scale=4).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) == 2 * 16 + 1


def test_while_it_is_used_a_picture_does_not_depend_on_the_others_of_its_batch():
    torch.manual_seed(0)
    network = SRResNet(scale=2, width=8, blocks=1).eval()
    pictures = torch.rand(2, 3, 8, 8)
    assert torch.allclose(network(pictures)[:1], network(pictures[:1]), atol=1e-6)
