"""Lets the trained part of a network run in 8-bit integers, all but its last convolution.

What comes into a convolution is rounded to 256 levels, its weights to 255 for each output channel;
OpenVINO turns the convolution between such roundings into one of integers. The last convolution
and the interpolated picture stay as they are, so that what is rounded is only what was predicted
from, and never the picture.

Paper: R. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018,
    sections 2 and 3.1; bias correction: M. Nagel et al., ICCV 2019, section 4.2.
"""

from typing import Any

import numpy as np

from pixelift.infer.openvino_parts import add_after, trained_chain
from pixelift.zoo.ranges import Ranges


def round_chain(openvino: Any, residual: Any, ranges: Ranges) -> bool:  # noqa: ANN401
    """Put roundings into a network, which is changed.

    Args:
        openvino: The module, which has no type hints.
        residual: The operation in which the trained part ends.
        ranges: How to round; for as many convolutions as there are, less one.

    Returns:
        Whether the network is of the kind that this can be done to.
    """
    chain = trained_chain(residual)
    if chain is None or len(chain) != len(ranges.layers) + 1:
        return False
    ops = openvino.opset8
    sums = [total for total in map(add_after, chain[:-1]) if total is not None]
    outputs = [convolution.get_output_partial_shape(0)[1].get_length() for convolution in chain]
    given = [(len(layer.weights), len(layer.bias)) for layer in ranges.layers]
    if len(sums) != len(given) or given != [(count, count) for count in outputs[:-1]]:
        return False
    for convolution, total, layer in zip(chain, sums, ranges.layers, strict=False):
        low, high = (ops.constant(np.float32(value)) for value in (layer.low, layer.high))
        picture = ops.fake_quantize(convolution.input_value(0), low, high, low, high, 256)
        largest = np.array(layer.weights, np.float32).reshape(-1, 1, 1, 1)
        below, above = ops.constant(-largest), ops.constant(largest)
        weights = ops.fake_quantize(convolution.input_value(1), below, above, below, above, 255)
        convolution.input(0).replace_source_output(picture.output(0))
        convolution.input(1).replace_source_output(weights.output(0))
        more = ops.constant(np.array(layer.bias, np.float32).reshape(1, -1, 1, 1))
        bias = ops.add(total.input_value(1), more)
        total.input(1).replace_source_output(bias.output(0))
    return True
