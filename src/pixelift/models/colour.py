"""A network trained on luma, turned into one that takes and gives RGB pictures."""

import torch

from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET
from pixelift.models.blocks import CollapsibleConv
from pixelift.models.repnet import RepNet


def in_colour(trained: RepNet) -> RepNet:
    """Build the RGB network that does to the luma of a picture what a luma network does.

    R, G and B receive the same residual, which changes luma alone: chroma stays interpolated, as
    with the usual detour over YCbCr. Here the detour is gone: the head's kernels meet the RGB
    picture with the weights of BT.601, and the tail's are in the units of RGB.

    Args:
        trained: A network with one channel, as it is trained (not fused); not changed.

    Returns:
        The network with three channels and the dial `luma`, not fused. Where the luma network sees
        a border of zeros it sees black; elsewhere both are equal.

    Source: ITU-R BT.601-7, section 2.5; chroma by interpolation: C. Dong et al., TPAMI 2016
        (SRCNN), section 4.
    """
    weights = torch.tensor(STUDIO_MATRIX[0] / 255, dtype=torch.float32)
    head, tail = _collapsible(trained.head), _collapsible(trained.tail)
    depth, width = len(trained.body), head.mix.shape[0]
    # Building a network draws numbers, which must not move what the caller draws next.
    with torch.random.fork_rng(devices=()):
        colour = RepNet(
            scale=trained.scale,
            width=width,
            depth=depth,
            identity=any(_collapsible(c).identity for c in trained.body),
            luma=True,
            leaky=trained.leak > 0,
        )
    colour.body.load_state_dict(trained.body.state_dict())
    new_head, new_tail = _collapsible(colour.head), _collapsible(colour.tail)
    with torch.no_grad():
        new_head.wide.copy_(head.wide * weights[None, :, None, None])
        new_head.mix.copy_(head.mix)
        # What black is in luma, the head sees everywhere.
        black = head.collapsed().sum((1, 2, 3)) * float(STUDIO_OFFSET[0] / 255)
        new_head.bias.copy_(head.bias + black)
        new_tail.wide.copy_(tail.wide)
        new_tail.mix.copy_(tail.mix / weights.sum())
        new_tail.bias.copy_(tail.bias / weights.sum())
    return colour.train(trained.training)


def _collapsible(part: torch.nn.Module) -> CollapsibleConv:
    if not isinstance(part, CollapsibleConv):
        raise TypeError("in_colour takes the network as it is trained, before `fuse`")
    return part
