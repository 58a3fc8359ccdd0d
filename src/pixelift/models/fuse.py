"""Turning a trained network into the plain one that is exported."""

import copy

from torch import nn

from pixelift.models.blocks import TrainedConv, plain


def fuse(network: nn.Module) -> nn.Module:
    """Replace every convolution in its trained form by its plain equal.

    Args:
        network: Any network; it is not changed.

    Returns:
        A copy that gives the same output.
    """
    if isinstance(network, TrainedConv):
        return plain(network)
    fused = copy.deepcopy(network)
    for name, child in fused.named_children():
        setattr(fused, name, fuse(child))
    return fused
