"""A network trained on luma, turned into one that takes and gives RGB pictures, and back."""

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
        colour = _alike(trained, luma=True)
    with torch.no_grad():
        kernel = head.collapsed()
        share = weights.sum()
        # What black is in luma, the head sees everywhere; and grey is nearer to it than in RGB.
        black = float(STUDIO_OFFSET[0] / 255) + trained.middle * (share - 1)
        _as_trained(colour.head).embed(
            kernel * weights[None, :, None, None], head.bias + kernel.sum((1, 2, 3)) * black
        )
        _as_trained(colour.tail).embed(tail.collapsed() / share, tail.bias / share)
    return colour.train(trained.training)


def in_luma(colour: RepNet) -> RepNet | None:
    """Build the luma network that `in_colour` made a network for RGB of.

    Args:
        colour: A network with three channels and the dial `luma`; not changed.

    Returns:
        The network with one channel; None where the other one does not look at luma alone.
    """
    weights = torch.tensor(STUDIO_MATRIX[0] / 255, dtype=torch.float32)
    head, tail = _as_trained(colour.head), _as_trained(colour.tail)
    kernel = head.collapsed().detach()
    share = weights.sum()
    luma_kernel = kernel.sum(1, keepdim=True) / share
    if colour.shared == 1 or not torch.allclose(
        luma_kernel * weights[None, :, None, None], kernel, atol=1e-5
    ):
        return None
    with torch.random.fork_rng(devices=()):
        network = _alike(colour, channels=1)
    with torch.no_grad():
        black = float(STUDIO_OFFSET[0] / 255) + colour.middle * (share - 1)
        _as_trained(network.head).embed(luma_kernel, head.bias - luma_kernel.sum((1, 2, 3)) * black)
        _as_trained(network.tail).embed(tail.collapsed() * share, tail.bias * share)
    return network.train(colour.training)


def _alike(network: RepNet, *, channels: int = 3, luma: bool = False) -> RepNet:
    head = _as_trained(network.head)
    other = RepNet(
        scale=network.scale,
        width=len(head.bias),
        depth=len(network.body),
        identity=any(getattr(c, "identity", False) for c in network.body),
        leaky=network.leak > 0,
        direct=isinstance(head, DirectConv),
        skips=network.skips,
        channels=channels,
        luma=luma,
    )
    other.body.load_state_dict(network.body.state_dict())
    return other


def _as_trained(part: torch.nn.Module) -> TrainedConv:
    if not isinstance(part, TrainedConv):
        raise TypeError("in_colour takes the network as it is trained, before `fuse`")
    return part
