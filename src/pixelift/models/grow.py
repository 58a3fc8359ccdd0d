"""Starting a large network where a small one ended."""

import torch

from pixelift.models.blocks import CollapsibleConv, TrainedConv
from pixelift.models.repnet import RepNet


def find_obstacle(small: RepNet, large: RepNet) -> str:
    """Say why a network cannot go on as another one, if so.

    Args:
        small: The trained network.
        large: The new network.

    Returns:
        Half a sentence, "its body has 15 convolutions, the recipe's 12 ..."; empty where nothing of
        what was trained would be lost or would mean something else.
    """
    old_depth, new_depth = len(small.body), len(large.body)
    old_width, new_width = (len(_chain(network)[0].bias) for network in (small, large))
    if small.skips != large.skips:
        one, other = ("has", "has not") if small.skips else ("has not", "has")
        return f"it {one} the dial skips, the recipe {other}. Set model.dials.skips alike"
    if small.leak and not large.leak:
        return "it has the dial leaky, the recipe has not. Set model.dials.leaky = true"
    if old_depth > new_depth:
        return (
            f"its body has {old_depth} convolutions, the recipe's {new_depth}, and none can be "
            f"left out. Set model.dials.depth = {old_depth} or more"
        )
    if old_width > new_width:
        return (
            f"it has {old_width} channels inside, the recipe {new_width}, and none can be left "
            f"out. Set model.dials.width = {old_width} or more"
        )
    if old_depth < new_depth and (small.leak or large.leak or small.skips):
        dial = "skips" if small.skips else "leaky"
        return (
            f"its body has {old_depth} convolutions, the recipe's {new_depth}, and with the dial "
            f"{dial} none can be added. Set model.dials.depth = {old_depth}"
        )
    return ""


def grow(small: RepNet, large: RepNet) -> bool:
    """Give a freshly drawn network the output of a narrower or shallower trained one.

    The channels of the small network are the first of the large one. Further channels start with
    the weights that were drawn for them, and nobody listens to them yet; further convolutions hand
    their input on, which the ReLU behind them lets pass, since a ReLU stood before them. With
    another scale the tail starts fresh, and all that it listens to is taken over; so where one of
    the two has the dial `luma`. With other picture channels the head starts fresh too. Where the
    new network alone is leaky, all kernels are taken over and the output is another one.

    Args:
        small: The trained network, as it is trained (not fused).
        large: The new network; changed in place.

    Returns:
        Whether it could be done: no dial is smaller, no leaks are closed, and both have skips or
        neither. A leaky network grows in width alone, since two leaks let less through than one,
        and so does one with skips; `find_obstacle` says what stands in the way.

    Paper: T. Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016,
        section 2. Theirs copies channels and breaks the symmetry by noise; ours draws new ones.
    """
    if find_obstacle(small, large):
        return False
    old_head, *old_body, old_tail = _chain(small)
    new_head, *new_body, new_tail = _chain(large)
    width = len(old_head.bias)
    are_alike = small.channels == large.channels
    if are_alike:
        _take_over(new_head, old_head)
    # Old and new convolutions take turns, as far as there are enough of the new.
    places = {n * len(new_body) // len(old_body): old for n, old in enumerate(old_body)}
    for place, convolution in enumerate(new_body):
        if place in places:
            _take_over(convolution, places[place])
        else:
            kernel = torch.zeros(width, width, 3, 3)
            kernel[:, :, 1, 1] = torch.eye(width)
            _put_first(convolution, kernel, torch.zeros(width))
    if are_alike and small.scale == large.scale and small.shared == large.shared:
        _take_over(new_tail, old_tail)
    return True


def _chain(network: RepNet) -> list[TrainedConv]:
    chain = [network.head, *network.body, network.tail]
    return [part for part in chain if isinstance(part, TrainedConv)]


def _take_over(convolution: TrainedConv, known: TrainedConv) -> None:
    if (
        isinstance(convolution, CollapsibleConv)
        and isinstance(known, CollapsibleConv)
        and convolution.wide.shape == known.wide.shape
        and convolution.identity == known.identity
    ):
        # With its wide form, which `embed` would not bring along.
        convolution.load_state_dict(known.state_dict())
    else:
        _put_first(convolution, known.collapsed().detach(), known.bias.detach())


@torch.no_grad()
def _put_first(convolution: TrainedConv, first: torch.Tensor, bias: torch.Tensor) -> None:
    """Let the first outputs be this convolution of the first inputs, deaf to all others."""
    outputs, inputs = first.shape[:2]
    kernel, all_bias = convolution.collapsed().clone(), convolution.bias.clone()
    kernel[:outputs, :inputs], kernel[:outputs, inputs:] = first, 0
    all_bias[:outputs] = bias
    convolution.embed(kernel, all_bias)
