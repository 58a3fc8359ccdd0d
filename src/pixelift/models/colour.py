"""A network trained on luma, turned into one that takes and gives RGB pictures."""

import torch

from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET
from pixelift.models.blocks import DirectConv, TrainedConv
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
    head, tail = _as_trained(trained.head), _as_trained(trained.tail)
    # Building a network draws numbers, which must not move what the caller draws next.
    with torch.random.fork_rng(devices=()):
        colour = RepNet(
            scale=trained.scale,
            width=len(head.bias),
            depth=len(trained.body),
            identity=any(getattr(c, "identity", False) for c in trained.body),
            luma=True,
            leaky=trained.leak > 0,
            direct=isinstance(head, DirectConv),
        )
    colour.body.load_state_dict(trained.body.state_dict())
    with torch.no_grad():
        kernel = head.collapsed()
        # What black is in luma, the head sees everywhere.
        black = kernel.sum((1, 2, 3)) * float(STUDIO_OFFSET[0] / 255)
        _as_trained(colour.head).embed(kernel * weights[None, :, None, None], head.bias + black)
        share = weights.sum()
        _as_trained(colour.tail).embed(tail.collapsed() / share, tail.bias / share)
    return colour.train(trained.training)


def _as_trained(part: torch.nn.Module) -> TrainedConv:
    if not isinstance(part, TrainedConv):
        raise TypeError("in_colour takes the network as it is trained, before `fuse`")
    return part
