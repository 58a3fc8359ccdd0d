import torch

from pixelift.models.blocks import CollapsibleConv
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet


def test_no_collapsible_convolution_is_left_and_the_original_is_untouched():
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=3)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    fused = fuse(network)
    assert not any(isinstance(m, CollapsibleConv) for m in fused.modules())
    assert sum(isinstance(m, CollapsibleConv) for m in network.modules()) == 5
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
