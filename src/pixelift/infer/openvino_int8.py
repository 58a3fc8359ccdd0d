"""Lets the trained part of a network run in 8-bit integers, all but its first and last convolution.

What comes into a convolution is rounded to 256 levels, its weights to 255 for each output channel;
OpenVINO turns the convolution between such roundings into one of integers. The first and the last
convolution and the interpolated picture stay as they are, so that what is rounded is only what is
predicted from, and never the picture.

Paper: R. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018,
    sections 2 and 3.1; bias correction: M. Nagel et al., ICCV 2019, section 4.2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.infer.openvino_parts import add_after, constant_of, trained_chain
from pixelift.zoo.ranges import Layer, Ranges


def round_chain(openvino: Any, residual: Any, ranges: Ranges) -> bool:  # noqa: ANN401
    """Put roundings into a network, which is changed.

    Args:
        openvino: The module, which has no type hints.
        residual: The operation in which the trained part ends.
        ranges: How to round; for all convolutions but the first and the last.

    Returns:
        Whether the network is of the kind that this can be done to.
    """
    chain = trained_chain(residual)
    if chain is None or len(chain) != len(ranges.layers) + 2:
        return False
    tail = constant_of(chain[-1].input_value(1).get_node())
    found = [_link(convolution) for convolution in chain[:-1]]
    links = [link for link in found if link is not None]
    if tail is None or len(links) != len(found):
        return False
    if not all(map(_suits, ranges.layers, links[1:])):
        return False
    # Neither the picture nor what the last convolution takes can be put in another order.
    orders = [np.arange(link.kernel.shape[1]) for link in links] + [np.arange(tail.shape[1])]
    for i, layer in enumerate(ranges.layers, start=1):
        orders[i] = np.array(layer.order, np.intp) if layer.order else orders[i]
    for i, link in enumerate(links):
        how = ranges.layers[i - 1] if i else None
        _rewrite(openvino.opset8, link, how, taken=orders[i], made=orders[i + 1])
    return True


@dataclass(frozen=True, slots=True)
class _Link:
    """A convolution, its bias and what they hold."""

    convolution: Any
    total: Any
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def _link(convolution: Any) -> _Link | None:  # noqa: ANN401
    total = add_after(convolution)
    kernel = constant_of(convolution.input_value(1).get_node())
    bias = None if total is None else constant_of(total.input_value(1).get_node())
    if kernel is None or bias is None or bias.size != len(kernel):
        return None
    return _Link(convolution, total, kernel, bias.ravel())


def _suits(layer: Layer, link: _Link) -> bool:
    outputs, inputs = link.kernel.shape[:2]
    is_order = sorted(layer.order) in ([], list(range(inputs)))
    return len(layer.weights) == len(layer.bias) == outputs and is_order


def _rewrite(
    ops: Any,  # noqa: ANN401
    link: _Link,
    layer: Layer | None,
    *,
    taken: NDArray[np.intp],
    made: NDArray[np.intp],
) -> None:
    """Put a convolution's channels in order and round it, where there is something to round by."""
    bias = link.bias[made]
    weights = ops.constant(np.ascontiguousarray(link.kernel[made][:, taken]))
    if layer is not None:
        _round_input(ops, link.convolution, layer)
        weights = _round_weights(ops, weights, np.array(layer.weights, np.float32)[made])
        bias = bias + np.array(layer.bias, np.float32)[made]
    link.convolution.input(1).replace_source_output(weights.output(0))
    moved = ops.constant(bias.reshape(1, -1, 1, 1))
    link.total.input(1).replace_source_output(moved.output(0))


def _round_input(ops: Any, convolution: Any, layer: Layer) -> None:  # noqa: ANN401
    low, high = (ops.constant(np.float32(value)) for value in (layer.low, layer.high))
    levels = ops.fake_quantize(convolution.input_value(0), low, high, low, high, 256)
    convolution.input(0).replace_source_output(levels.output(0))


def _round_weights(ops: Any, weights: Any, largest: NDArray[np.float32]) -> Any:  # noqa: ANN401
    below, above = (ops.constant(sign * largest.reshape(-1, 1, 1, 1)) for sign in (-1, 1))
    return ops.fake_quantize(weights, below, above, below, above, 255)
