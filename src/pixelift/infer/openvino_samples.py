"""Conversions between samples and planes inside of the network, where they cost next to nothing."""

from typing import Any

import numpy as np

TOP = {"uint8": 255, "uint16": 65535}
"""The largest value of each type of samples."""


def take_samples(
    openvino: Any,  # noqa: ANN401  (the package has no type hints)
    models: list[Any],
    name: str,
    *,
    height: int,
    width: int,
) -> list[Any]:
    """Let networks that run one after the other take and give samples as pictures hold them.

    Outside of the network each of these steps would read and write all of the result once more,
    which for a small network costs as much as the network.

    Args:
        openvino: The module.
        models: Each takes "lr" first, then what the ones before it made; not changed.
        name: "uint8" or "uint16".
        height: Height of the input in LR pixels.
        width: Its width.

    Returns:
        Networks that take (1, height, width, C) integers as "lr"; the last one gives such
        integers, clipped and rounded by the rule of `pixelift.image.depth`.
    """
    changed: list[Any] = []
    samples_shape = [1, height, width]
    for model in models:
        made = [before.outputs[0].get_partial_shape() for before in changed]
        changed.append(_from_samples(openvino, model.clone(), name, samples_shape, made))
    return [*changed[:-1], _to_samples(openvino, changed[-1], name)]


def feed_scaled(ops: Any, planes: Any, old: Any) -> None:  # noqa: ANN401
    """Give samples that were scaled to whatever took an input of floats.

    What computes with single pixels first, as networks that take half of white off the picture do,
    would be merged with the scaling to one operation that rounds once. ReLU, which leaves samples
    as they are, keeps the two apart: values are those of a picture that was scaled outside.

    Args:
        ops: OpenVINO's operations.
        planes: The scaled samples, none of them negative.
        old: The input that they stand for.
    """
    for consumer in old.output(0).get_target_inputs():
        is_convolution = consumer.get_node().get_type_name().endswith("Convolution")
        given = planes if is_convolution else ops.relu(planes)
        consumer.replace_source_output(given.output(0))


def _from_samples(
    openvino: Any,  # noqa: ANN401
    model: Any,  # noqa: ANN401
    name: str,
    samples_shape: list[int],
    made: list[Any],
) -> Any:  # noqa: ANN401
    ops = openvino.opset8
    planes, *others = (i.get_node() for i in model.inputs)
    channels = planes.get_partial_shape()[1].get_length()
    samples = ops.parameter([*samples_shape, channels], np.dtype(name), name="lr")
    scaled = ops.multiply(ops.convert(samples, "f32"), ops.constant(np.float32(1 / TOP[name])))
    moved = ops.transpose(scaled, ops.constant(np.array([0, 3, 1, 2])))
    feed_scaled(ops, moved, planes)
    for other, shape in zip(others, made, strict=True):
        other.set_partial_shape(shape)
    return openvino.Model([r.get_node() for r in model.outputs], [samples, *others], "samples")


def _to_samples(openvino: Any, model: Any, name: str) -> Any:  # noqa: ANN401
    ops = openvino.opset8
    sr = model.outputs[0].get_node().input_value(0)
    shuffle = sr.get_node()
    # The shuffle moves values and changes none: it is cheaper with what has been rounded.
    is_shuffle = shuffle.get_type_name() == "DepthToSpace"
    values = shuffle.input_value(0) if is_shuffle else sr
    scaled = ops.multiply(values, ops.constant(np.float32(TOP[name])))
    levels = ops.floor(ops.add(scaled, ops.constant(np.float32(0.5))))
    result = ops.convert(ops.clamp(levels, 0, TOP[name]), np.dtype(name))
    if is_shuffle:
        attributes = shuffle.get_attributes()
        result = ops.depth_to_space(result, attributes["mode"], attributes["block_size"])
    moved = ops.transpose(result, ops.constant(np.array([0, 2, 3, 1])))
    return openvino.Model([ops.result(moved)], [i.get_node() for i in model.inputs], "samples")
