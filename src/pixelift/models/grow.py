"""Starting a large network where a small one ended."""

from typing import TypeVar

import torch
from torch import nn

from pixelift.models.blocks import CollapsibleConv, TrainedConv
from pixelift.models.gatenet import GateNet
from pixelift.models.repnet import RepNet

T = TypeVar("T")


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
    for old, convolution in _take_turns(old_body, new_body):
        if old is not None:
            _take_over(convolution, old)
        else:
            kernel = torch.zeros(width, width, 3, 3)
            kernel[:, :, 1, 1] = torch.eye(width)
            _put_first(convolution, kernel, torch.zeros(width))
    if are_alike and small.scale == large.scale and small.shared == large.shared:
        _take_over(new_tail, old_tail)
    return True


def find_gate_obstacle(small: GateNet, large: GateNet) -> str:
    """Say why a gated network cannot go on as another one, if so.

    Args:
        small: The trained network.
        large: The new network.

    Returns:
        Half a sentence, as `find_obstacle` does; empty where nothing stands in the way.
    """
    old_blocks, new_blocks = len(small.body), len(large.body)
    old_width, new_width = (len(_convolutions(network)[0].bias) for network in (small, large))
    for dial in ("open_gate", "smooth"):
        is_so = getattr(small, dial)
        if is_so != getattr(large, dial):
            value = str(is_so).lower()
            return f"its dial {dial} is {value}, the recipe's not. Set model.dials.{dial} = {value}"
    if old_blocks > new_blocks:
        return (
            f"it has {old_blocks} blocks, the recipe {new_blocks}, and none can be left out. "
            f"Set model.dials.blocks = {old_blocks} or more"
        )
    if old_width > new_width:
        return (
            f"it has {old_width} channels inside, the recipe {new_width}, and none can be left "
            f"out. Set model.dials.width = {old_width} or more"
        )
    if old_blocks < new_blocks and not small.open_gate:
        return (
            f"it has {old_blocks} blocks, the recipe {new_blocks}, and none can be added where "
            f"open_gate is false. Set model.dials.blocks = {old_blocks}"
        )
    return ""


def grow_gates(small: GateNet, large: GateNet) -> bool:
    """Give a freshly drawn gated network the output of a narrower or shallower trained one.

    As `grow` does. A further block begins with zeros in its last convolution, so that its open gate
    hands the input on as it is; its other two keep what was drawn for them.

    Args:
        small: The trained network, as it is trained (not fused).
        large: The new network; changed in place.

    Returns:
        Whether it could be done; `find_gate_obstacle` says what stands in the way.
    """
    if find_gate_obstacle(small, large):
        return False
    old_head, old_last, old_tail = _convolutions(small)
    head, last, tail = _convolutions(large)
    are_alike = small.channels == large.channels
    if are_alike:
        _take_over(head, old_head)
    for old, block in _take_turns(list(small.body), list(large.body)):
        parts = _convolutions(block)
        if old is None:
            kernel = parts[-1].collapsed()
            parts[-1].embed(torch.zeros_like(kernel), kernel.new_zeros(len(kernel)))
            continue
        for convolution, known in zip(parts, _convolutions(old), strict=True):
            _take_over(convolution, known)
    _take_over(last, old_last)
    if are_alike and small.scale == large.scale:
        _take_over(tail, old_tail)
    return True


def _take_turns(olds: list[T], news: list[T]) -> list[tuple[T | None, T]]:
    """Let old and new parts of a body take turns, as far as there are enough of the new."""
    places = {n * len(news) // len(olds): old for n, old in enumerate(olds)}
    return [(places.get(place), new) for place, new in enumerate(news)]


def _chain(network: RepNet) -> list[TrainedConv]:
    chain = [network.head, *network.body, network.tail]
    return [part for part in chain if isinstance(part, TrainedConv)]


def _convolutions(part: nn.Module) -> list[TrainedConv]:
    """List the convolutions of a part itself, as they are trained."""
    return [child for child in part.children() if isinstance(child, TrainedConv)]


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
