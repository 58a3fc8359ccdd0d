"""Turning a trained network into the plain one that is exported."""

import copy

from torch import nn

from pixelift.models.blocks import CollapsibleConv


def fuse(network: nn.Module) -> nn.Module:
    """Replace every collapsible convolution by its plain equal.

    Args:
        network: Any network; it is not changed.

    Returns:
        A copy that gives the same output.
    """
    if isinstance(network, CollapsibleConv):
        return network.fuse()
    fused = copy.deepcopy(network)
    for name, child in fused.named_children():
        setattr(fused, name, fuse(child))
    return fused
