"""Runs a network that was taken apart: samples in, samples out, its end a few rows at a time.

Of the time outside of the convolutions most goes into moving memory. So the trained part hands on
what it made as it lies; the interpolated picture, the sum in float32 and the rounding are made for
a strip of rows at a time, which stays in the processor's cache and needs little memory; and what
is shuffled to its place are rows of whole pixels.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box
from pixelift.image.rows import Samples
from pixelift.infer.engine import Precision
from pixelift.infer.openvino_parts import Parts
from pixelift.infer.openvino_samples import TOP, feed_scaled
from pixelift.infer.tiling import even_share

STRIP_PIXELS = 1 << 15
"""LR pixels of a strip. Between a quarter and four times as many nothing changed in speed."""

FIRST = (0, 3, 1, 2)
"""Axes of (1, H, W, C) in the order of (1, C, H, W)."""

LAST = (0, 2, 3, 1)
"""The way back."""

Compile = Callable[[Any, Precision], Any]
"""Compiles a model with a precision for its arithmetic, and returns a request."""


class Strips:
    """A network for samples of one type and size; not to be called from two threads at once."""

    def __init__(
        self,
        openvino: Any,  # noqa: ANN401  (the package has no type hints)
        parts: Parts,
        compile_model: Compile,
        *,
        name: str,
        shape: tuple[int, int],
        is_inner: bool,
        precision: Precision,
    ) -> None:
        """Compile both halves.

        Args:
            openvino: The module.
            parts: The network.
            compile_model: See `Compile`.
            name: Type of the samples: "uint8" or "uint16".
            shape: Height and width of the input in LR pixels.
            is_inner: Whether only what is further than `parts.reach` from its border is made.
            precision: Arithmetic of the trained part.
        """
        self._openvino = openvino
        self._parts = parts
        self._cut = parts.reach if is_inner else 0
        """Pixels on each side of the input that are not made."""
        self._height, self._width = (side - 2 * self._cut for side in shape)
        self._rows = even_share(self._height, max(1, STRIP_PIXELS // self._width))
        model = _from_samples(openvino, parts, name, shape, is_inner=is_inner, precision=precision)
        self._trunk = compile_model(model, precision)
        made = self._trunk.model_outputs[0]
        end = _to_samples(openvino, parts, name, (self._rows, self._width), made.get_element_type())
        self._end = compile_model(end, "f32")

    def __call__(self, lr: Samples, keep: Box) -> Samples:
        """Enlarge samples.

        Args:
            lr: (H, W, C).
            keep: What is kept of the result, in HR pixels.

        Returns:
            (keep.height, keep.width, C), the caller's to keep.
        """
        scale = self._parts.scale
        top, left = keep.top // scale, keep.left // scale
        box = Box(top, left, -(-keep.bottom // scale) - top, -(-keep.right // scale) - left)
        result = self._enlarge(lr, box.shifted(-self._cut, -self._cut))
        if box.scaled(scale) == keep:
            return result
        return result[keep.shifted(-scale * top, -scale * left).slices].copy()

    def _enlarge(self, lr: Samples, box: Box) -> Samples:
        """Make what becomes of a box in pixels of what the trunk gives."""
        parts, tensor = self._parts, self._openvino.Tensor
        self._trunk.set_input_tensor(0, tensor(np.ascontiguousarray(lr[None])))
        self._trunk.infer()
        made = self._trunk.get_output_tensor(0)
        residual, kind = made.data, made.element_type
        around = parts.margin
        near = np.pad(lr, ((around, around), (around, around), (0, 0)))
        near = near[self._cut :][: self._height + 2 * around, self._cut :]
        near = np.ascontiguousarray(near[None, :, : self._width + 2 * around])
        size = box.size.scaled(parts.scale)
        result = np.empty((size.height, size.width, parts.channels), lr.dtype)
        for top in range(box.top, box.bottom, self._rows):
            first = min(top, self._height - self._rows)
            last = first + self._rows
            self._end.set_input_tensor(0, tensor(near[:, first : last + 2 * around]))
            # Around the same memory; OpenVINO's own way to take a part of a tensor copies it, over
            # what was given before (2026.4).
            part = residual[:, first:last]
            self._end.set_input_tensor(1, tensor(part, list(part.shape), kind))
            self._end.infer()
            pixels = self._end.get_output_tensor(0).data.reshape(self._rows, self._width, -1)
            bottom = min(last, box.bottom)
            kept = pixels[top - first : bottom - first, box.left : box.right]
            _shuffle(kept, result[(top - box.top) * parts.scale :], scale=parts.scale)
        return result


def _shuffle(made: NDArray[Any], into: Samples, *, scale: int) -> None:
    """Put what pixels became to its place: for each `scale` rows that lie in one piece."""
    height, width, values = made.shape
    row = np.dtype((np.void, made.itemsize * values // scale))
    source = made.reshape(height, width, scale, -1).view(row)[..., 0]
    place = into[: height * scale].reshape(height, scale, width, -1).view(row)[..., 0]
    np.copyto(place, source.transpose(0, 2, 1))


def _from_samples(
    openvino: Any,  # noqa: ANN401
    parts: Parts,
    name: str,
    shape: tuple[int, int],
    *,
    is_inner: bool,
    precision: str,
) -> Any:  # noqa: ANN401
    ops = openvino.opset8
    trunk = parts.bare_trunk(openvino) if is_inner else parts.trunk.clone()
    samples = ops.parameter([1, *shape, parts.channels], np.dtype(name), name="lr")
    planes = _planes(ops, samples, name)
    feed_scaled(ops, planes, trunk.inputs[0].get_node())
    made = trunk.outputs[0].get_node().input_value(0)
    moved = ops.transpose(made, ops.constant(np.array(LAST)))
    result = ops.convert(moved, "bf16") if precision != "f32" else moved
    return openvino.Model([ops.result(result)], [samples], "trunk")


def _to_samples(
    openvino: Any,  # noqa: ANN401
    parts: Parts,
    name: str,
    shape: tuple[int, int],
    residual_type: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    ops = openvino.opset8
    (height, width), values = shape, len(parts.kernel)
    around = 2 * parts.margin
    near = [1, height + around, width + around, parts.channels]
    samples = ops.parameter(near, np.dtype(name), name="lr")
    given = values // parts.channels if parts.is_shared else values
    residual = ops.parameter([1, height, width, given], residual_type, name="residual")
    base = ops.convolution(
        _planes(ops, samples, name),
        ops.constant(parts.kernel),
        [1, 1],
        [0, 0],
        [0, 0],
        [1, 1],
    )
    # Two axes leave the engine no choice of a layout; with four it takes another for the sum.
    flat = ops.constant(np.array([height * width, -1]))
    base = ops.reshape(ops.transpose(base, ops.constant(np.array(LAST))), flat, special_zero=False)
    trained = ops.convert(ops.reshape(residual, flat, special_zero=False), "f32")
    if parts.is_shared:
        # Much quicker than to repeat values, and exact: all but one of the products are 0.
        copies = np.repeat(np.eye(given, dtype=np.float32), parts.channels, axis=1)
        trained = ops.matmul(trained, ops.constant(copies), False, False)  # noqa: FBT003
    scaled = ops.multiply(ops.add(base, trained), ops.constant(np.float32(TOP[name])))
    levels = ops.floor(ops.add(scaled, ops.constant(np.float32(0.5))))
    result = ops.convert(ops.clamp(levels, 0, TOP[name]), np.dtype(name))
    return openvino.Model([ops.result(result)], [samples, residual], "end")


def _planes(ops: Any, samples: Any, name: str) -> Any:  # noqa: ANN401
    scaled = ops.multiply(ops.convert(samples, "f32"), ops.constant(np.float32(1 / TOP[name])))
    return ops.transpose(scaled, ops.constant(np.array(FIRST)))
