"""Small networks as other programs write them: other names, no card, and faults of their own."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.fakes import make_model


def plain(**model) -> bytes:
    """A network of the usual kind whose input and output have other names, without a card."""
    made = make_model(**model)
    for node in made.graph.node:
        node.input[:] = ["input.1" if name == "lr" else name for name in node.input]
        node.output[:] = ["output" if name == "sr" else name for name in node.output]
    made.graph.input[0].name, made.graph.output[0].name = "input.1", "output"
    return made.SerializeToString()


def fixed(side: int, **model) -> bytes:
    """The same for a single size of input."""
    made = onnx.load_from_string(plain(**model))
    for at in (2, 3):
        made.graph.input[0].type.tensor_type.shape.dim[at].dim_value = side
        scale = model.get("scale", 2)
        made.graph.output[0].type.tensor_type.shape.dim[at].dim_value = side * scale
    return made.SerializeToString()


def built(nodes, constants=(), *, inputs=1, channels=3, shape=None) -> bytes:
    """A network of the given nodes, from "x" to "y"."""
    sizes = shape or ["n", channels, "h", "w"]
    names = ["x", *(f"x{i}" for i in range(1, inputs))]
    graph = helper.make_graph(
        list(nodes),
        "stranger",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value, kind), name) for name, value, kind in constants],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return made.SerializeToString()


def doubled(source: str = "x", target: str = "y"):
    """Nodes and constants that repeat every pixel: x2 of any number of channels."""
    node = helper.make_node(
        "Resize",
        [source, "", "scales"],
        [target],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return [node], [("scales", [1, 1, 2, 2], np.float32)]


def with_global_pooling() -> bytes:
    """Adds to every pixel the mean of all, times a little."""
    nodes, constants = doubled("z")
    pool = helper.make_node("GlobalAveragePool", ["x"], ["mean"])
    weigh = helper.make_node("Mul", ["mean", "little"], ["part"])
    add = helper.make_node("Add", ["x", "part"], ["z"])
    return built([pool, weigh, add, *nodes], [*constants, ("little", 0.05, np.float32)])


def in_squares_of_two() -> bytes:
    """Moves pairs of pixels to channels and back: takes even sides only."""
    nodes, constants = doubled("z")
    down = helper.make_node("SpaceToDepth", ["x"], ["deep"], blocksize=2)
    up = helper.make_node("DepthToSpace", ["deep"], ["z"], blocksize=2, mode="DCR")
    return built([down, up, *nodes], constants)


def of_255() -> bytes:
    """Adds one 8-bit level where white is 255: off by far where white is 1."""
    nodes, constants = doubled("z")
    clip = helper.make_node("Clip", ["x", "low", "high"], ["clipped"])
    add = helper.make_node("Add", ["clipped", "low"], ["z"])
    more = [("low", 3.0, np.float32), ("high", 255.0, np.float32)]
    return built([clip, add, *nodes], [*constants, *more])


def inverted() -> bytes:
    """Gives the negative back."""
    nodes, constants = doubled("z")
    turn = helper.make_node("Sub", ["one", "x"], ["z"])
    return built([turn, *nodes], [*constants, ("one", 1.0, np.float32)])


def same_size() -> bytes:
    """Enlarges by nothing."""
    return built([helper.make_node("Identity", ["x"], ["y"])])


def of_two_inputs() -> bytes:
    """Takes two pictures."""
    nodes, constants = doubled("z")
    return built([helper.make_node("Add", ["x", "x1"], ["z"]), *nodes], constants, inputs=2)


def of_four_channels() -> bytes:
    """Takes four channels."""
    nodes, constants = doubled()
    return built(nodes, constants, channels=4)
