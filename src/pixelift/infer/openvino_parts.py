"""Takes a network of the usual kind apart: what was trained, and the interpolation it is added to.

What was trained is put together again as it suits pictures: the channels of the last convolution
stand in the order in which a picture holds its samples, so that each row of what a pixel becomes
is one piece of memory.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

POINTWISE = (
    "Add",
    "Subtract",
    "Multiply",
    "Relu",
    "PRelu",
    "Elu",
    "Sigmoid",
    "Tanh",
    "FakeQuantize",
)
"""Operations that look at no neighbours."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A network that is shuffle(trunk(lr) + interpolation(lr))."""

    trunk: Any
    """Takes (1, C, H, W) floats, gives (1, scale * scale * C, H, W): for each of `scale` rows, for
    each of `scale` columns, C values, or one where all channels receive the same."""
    kernel: NDArray[np.float32]
    """(scale * scale * C, C, k, k): interpolation as a convolution that gives the same order."""
    scale: int
    channels: int
    reach: int
    """LR pixels on each side that the trunk sees; 0 where it is not made of convolutions and of
    what looks at no neighbours."""
    is_shared: bool
    """Whether all channels receive the same from the trunk."""

    @property
    def margin(self) -> int:
        """LR pixels on each side that interpolation sees."""
        return int(self.kernel.shape[2]) // 2

    def bare_trunk(self, openvino: Any) -> Any:  # noqa: ANN401  (the package has no type hints)
        """Build the trunk without the zeros that its convolutions put around what they see.

        Args:
            openvino: The module.

        Returns:
            A trunk of the same values that gives `reach` pixels less on each side, and does not
            compute them either.
        """
        trunk = self.trunk.clone()
        lost = _lost_borders(trunk)
        for op in trunk.get_ordered_ops():
            if op.get_type_name() == "Convolution":
                op.set_attribute("pads_begin", [0, 0])
                op.set_attribute("pads_end", [0, 0])
                continue
            for index, before in enumerate(_moving(op)) if op.get_name() in lost else ():
                # What skips convolutions lost less than what went through them.
                if before is not None and (more := lost[op.get_name()] - lost[before.get_name()]):
                    op.input(index).replace_source_output(
                        _cropped(openvino, op.input_value(index), more)
                    )
        trunk.validate_nodes_and_infer_types()
        return trunk


def find_parts(openvino: Any, model: Any, cut: str) -> Parts | None:  # noqa: ANN401
    """Take a network apart.

    Args:
        openvino: The module, which has no type hints.
        model: The network as it was read, of open height and width; not changed.
        cut: Name of the tensor in which the trained part ends.

    Returns:
        Its parts; None where the network is of another kind.
    """
    model = model.clone()
    lr, shuffle = model.inputs[0].get_node(), _before(model.outputs[0].get_node())
    if shuffle.get_type_name() != "DepthToSpace" or _before(shuffle).get_type_name() != "Add":
        return None
    attributes = shuffle.get_attributes()
    scale, channels = attributes["block_size"], lr.get_partial_shape()[1].get_length()
    residual, base = _terms(_before(shuffle), cut)
    trained = None if residual is None else _trained(residual)
    kernel = None if base is None else _kernel(base, channels=channels)
    if attributes["mode"] != "depth_first" or trained is None or kernel is None:
        return None
    convolution, weights, bias = trained
    # From (channel, row, column) to (row, column, channel).
    order = np.arange(len(weights)).reshape(-1, scale, scale).transpose(1, 2, 0).ravel()
    ops = openvino.opset8
    form = convolution.get_attributes()
    last = ops.convolution(
        convolution.input_value(0),
        ops.constant(weights[order]),
        *(form[name] for name in ("strides", "pads_begin", "pads_end", "dilations")),
    )
    last = ops.add(last, ops.constant(bias[order].reshape(1, -1, 1, 1)))
    dense = np.zeros((len(kernel), channels, *kernel.shape[2:]), np.float32)
    for channel in range(channels):
        dense[channel::channels, channel] = kernel[channel * scale**2 :][: scale**2, 0]
    trunk = openvino.Model([ops.result(last)], [lr], "trunk")
    return Parts(
        trunk=trunk,
        kernel=dense,
        scale=scale,
        channels=channels,
        reach=_lost_borders(trunk).get(last.get_name(), 0),
        is_shared=len(order) < len(kernel),
    )


def _terms(total: Any, cut: str) -> tuple[Any, Any]:  # noqa: ANN401
    """Tell what was trained and what it is added to; None for what is not found."""
    for i in range(2):
        term = total.input_value(i)
        if term.get_node().get_type_name() == "Concat":  # the same for all channels
            term = term.get_node().input_value(0)
        if cut in term.get_names():
            return term.get_node(), _before(total, 1 - i)
    return None, None


def _kernel(base: Any, *, channels: int) -> NDArray[np.float32] | None:  # noqa: ANN401
    """Tell the weights of a convolution from each channel of the input to planes of its own."""
    usual = "GroupConvolution" if channels > 1 else "Convolution"
    if not _is_plain(base, usual) or _before(base).get_type_name() != "Parameter":
        return None
    values = constant_of(_before(base, 1))
    return None if values is None else values.reshape(-1, 1, *values.shape[-2:])


def _trained(residual: Any) -> tuple[Any, NDArray[Any], NDArray[Any]] | None:  # noqa: ANN401
    """Tell the convolution that makes a tensor, its weights and its bias."""
    has_bias = residual.get_type_name() == "Add"
    convolution = _before(residual) if has_bias else residual
    weights = constant_of(_before(convolution, 1)) if _is_plain(convolution) else None
    if weights is None:
        return None
    if not has_bias:
        return convolution, weights, np.zeros(len(weights), np.float32)
    bias = constant_of(_before(residual, 1))
    if bias is None or bias.size != len(weights):
        return None
    return convolution, weights, bias.ravel()


def _lost_borders(trunk: Any) -> dict[str, int]:  # noqa: ANN401
    """Tell how many pixels each operation would lose on each side if nothing were put around.

    Empty where something else than plain convolutions and operations on single pixels is there.
    """
    lost: dict[str, int] = {}
    for op in trunk.get_ordered_ops():
        kind, before = op.get_type_name(), [node for node in _moving(op) if node is not None]
        if kind == "Parameter":
            lost[op.get_name()] = 0
        elif before and op.get_output_partial_shape(0).is_dynamic:  # what asks for a rank is not
            most = max(lost[node.get_name()] for node in before)
            if kind == "Convolution" and len(before) == 1 and _is_plain(op):
                most += op.get_attributes()["pads_begin"][0]
            elif kind not in (*POINTWISE, "Result"):
                return {}
            lost[op.get_name()] = most
    return lost


def _moving(op: Any) -> list[Any]:  # noqa: ANN401
    """List what an operation takes; None in the place of what does not depend on the picture."""
    values = [op.input_value(i) for i in range(op.get_input_size())]
    # What depends on the picture has an open size.
    return [v.get_node() if v.get_partial_shape().is_dynamic else None for v in values]


def _cropped(openvino: Any, value: Any, border: int) -> Any:  # noqa: ANN401
    """Cut a border off planes."""
    ops = openvino.opset8
    start, stop, step, axes = (
        ops.constant(np.array(pair, np.int64))
        for pair in ((border, border), (-border, -border), (1, 1), (2, 3))
    )
    return ops.slice(value, start, stop, step, axes).output(0)


def trained_chain(op: Any) -> list[Any] | None:  # noqa: ANN401
    """List the convolutions that lead to an operation, the first one first.

    Args:
        op: An operation of a network of open height and width.

    Returns:
        The convolutions; None where something else than a plain chain leads to it.
    """
    chain: list[Any] = []
    while op.get_type_name() != "Parameter":
        if _is_plain(op):
            chain.insert(0, op)
        elif op.get_type_name() not in POINTWISE:
            return None
        moving = [node for node in _moving(op) if node is not None]
        if len(moving) != 1:
            return None
        op = moving[0]
    return chain


def add_after(convolution: Any) -> Any | None:  # noqa: ANN401
    """Find where the bias of a convolution is added; None where it has none."""
    followers = [target.get_node() for target in convolution.output(0).get_target_inputs()]
    sums = [op for op in followers if op.get_type_name() == "Add"]
    return sums[0] if len(sums) == 1 else None


def _is_plain(op: Any, kind: str = "Convolution") -> bool:  # noqa: ANN401
    """Say whether an operation is a convolution that leaves the size of a picture as it is."""
    if op.get_type_name() != kind:
        return False
    form = op.get_attributes()
    sides = list(op.input_value(1).get_partial_shape().to_shape())[-2:]
    halves = [side // 2 for side in sides]
    return bool(
        form["strides"] == form["dilations"] == [1, 1]
        and form["pads_begin"] == form["pads_end"] == halves
        and sides == [2 * halves[0] + 1] * 2
    )


def constant_of(op: Any) -> NDArray[Any] | None:  # noqa: ANN401
    """Tell the values of a constant, also of one in another shape; None for what is computed."""
    if op.get_type_name() == "Reshape":
        values, shape = constant_of(_before(op)), op.get_output_partial_shape(0)
        return None if values is None or shape.is_dynamic else values.reshape(shape.to_shape())
    return np.array(op.data) if op.get_type_name() == "Constant" else None


def _before(op: Any, index: int = 0) -> Any:  # noqa: ANN401
    return op.input_value(index).get_node()
