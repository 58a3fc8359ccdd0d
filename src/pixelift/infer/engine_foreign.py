"""Runs a network that Pixelift did not make, in float32, whatever its names and sizes."""

import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError, WeightsError
from pixelift.forks import ENGINES
from pixelift.image.geometry import Box, Size
from pixelift.image.mirror import cut_mirrored
from pixelift.image.rows import Samples
from pixelift.infer.engine import Precision, engine_failure, engine_missing, samples_by_planes
from pixelift.infer.engine_openvino import import_openvino, shared_core
from pixelift.zoo.card import Card

Array = NDArray[np.float32]
Runner = Callable[[Array], Array]
"""A network as it is: an input of a size that it takes to whatever it makes of it."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a network was found to take, by `pixelift.infer.foreign.probe`."""

    scale: int
    channels: str
    """"rgb" or "y"."""
    radius: int
    """Receptive-field radius in LR pixels."""
    top: int
    """Value of white: 1 or 255."""
    least: int
    """Smallest side that it takes, in LR pixels."""
    fixed: tuple[int, int] | None
    """Height and width of the only input that it takes; None where any size will do."""


class ForeignEngine:
    """A network of the usual kind: (1, C, H, W) to (1, C, scale * H, scale * W)."""

    precision: Final[Precision] = "f32"
    lean: Final = ()

    def __init__(self, card: Card, limits: Limits, runner: Runner, *, name: str) -> None:
        """Take a network that was probed.

        Args:
            card: What was found, as a card.
            limits: What was found.
            runner: Runs it.
            name: Which engine the runner is.
        """
        self.card: Final = card
        self.name: Final = name
        self._limits = limits
        self._runner = runner

    def __call__(self, lr: Array, /) -> Array:
        """Enlarge one array; see `Engine`."""
        top = np.float32(self._limits.top)
        ENGINES.use()
        try:
            if self._limits.fixed:
                return self._in_windows(lr * top, Size(*self._limits.fixed)) / top
            return self._padded(lr * top, self._limits.least) / top
        except (RuntimeError, MemoryError, ValueError) as err:
            raise engine_failure(err, shape=lr.shape) from err

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples and keep a part; see `Engine`."""
        return samples_by_planes(self, lr, keep)

    def _padded(self, lr: Array, least: int) -> Array:
        height, width = lr.shape[2:]
        if min(height, width) < least:
            lr = _cut(lr, Box(0, 0, max(height, least), max(width, least)))
        sr = self._runner(lr)
        scale = self.card.scale
        return np.ascontiguousarray(sr[:, :, : height * scale, : width * scale])

    def _in_windows(self, lr: Array, window: Size) -> Array:
        """Lay windows of the only size so that each keeps its halo, mirrored beyond the border."""
        scale, halo = self.card.scale, self.card.radius
        height, width = lr.shape[2:]
        sr = np.empty((1, lr.shape[1], height * scale, width * scale), np.float32)
        tall, wide = window.height - 2 * halo, window.width - 2 * halo
        for top in range(0, height, tall):
            for left in range(0, width, wide):
                source = Box(top - halo, left - halo, window.height, window.width)
                made = self._runner(_cut(lr, source))
                rows, columns = min(tall, height - top), min(wide, width - left)
                start, across = halo * scale, slice(halo * scale, (halo + columns) * scale)
                kept = made[:, :, start : start + rows * scale, across]
                place = np.s_[..., top * scale :, left * scale :]
                sr[place][..., : rows * scale, : columns * scale] = kept
        return sr


def open_runner(data: bytes, *, provider: str, threads: int | None) -> tuple[Runner, str, Any]:
    """Load a network as it is.

    Args:
        data: The bytes of an .onnx file; weights in other files are not looked for.
        provider: "openvino", "onnxruntime" or "auto".
        threads: Processor threads; None takes all cores.

    Returns:
        The runner, the engine's name, and the shapes of all inputs, None where a length is open.

    Raises:
        ConfigError: There is no such engine.
        EngineUnavailableError: It is not installed.
        WeightsError: The bytes are no network that the engine takes.
    """
    if provider not in ("auto", "openvino", "onnxruntime"):
        raise ConfigError(
            f'no engine "{provider}"; allowed are auto, openvino, onnxruntime. Give --engine auto'
        )
    opener = _open_onnxruntime if provider == "onnxruntime" else _open_openvino
    try:
        runner, shapes = opener(data, threads)
    except (RuntimeError, ValueError, TypeError) as err:
        reason = next((line for line in str(err).splitlines()[::-1] if line.strip()), "no reason")
        raise WeightsError(
            f"the network cannot be loaded: {reason.strip()[:200]}. Give a single .onnx file that "
            "holds its weights, or try the other engine: --engine onnxruntime"
        ) from err
    return runner, "onnxruntime" if provider == "onnxruntime" else "openvino", shapes


def _open_openvino(data: bytes, threads: int | None) -> tuple[Runner, Any]:
    openvino, core = import_openvino(), shared_core()
    model = core.read_model(data)
    config: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        config["INFERENCE_NUM_THREADS"] = threads
    shapes = [
        [length.get_length() if length.is_static else None for length in port.get_partial_shape()]
        if port.get_partial_shape().rank.is_static
        else None
        for port in model.inputs
    ]
    request = core.compile_model(model, "CPU", config).create_infer_request()
    lock = threading.Lock()

    def run(lr: Array) -> Array:
        with lock:
            request.set_input_tensor(0, openvino.Tensor(np.ascontiguousarray(lr)))
            request.infer()
            made: Array = request.get_output_tensor(0).data.copy()
        return made

    return run, shapes


def _open_onnxruntime(data: bytes, threads: int | None) -> tuple[Runner, Any]:
    try:
        import onnxruntime  # noqa: PLC0415  (optional: only needed where this engine is chosen)
    except ImportError as err:
        raise engine_missing("onnxruntime", err) from err
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's exceptions have no common base but Exception.
    except Exception as err:
        raise RuntimeError(str(err)) from err
    names = [port.name for port in session.get_inputs()]
    shapes = [
        [length if isinstance(length, int) else None for length in port.shape]
        for port in session.get_inputs()
    ]

    def run(lr: Array) -> Array:
        try:
            made: Array = session.run(None, {names[0]: np.ascontiguousarray(lr)})[0]
        except Exception as err:
            raise RuntimeError(str(err)) from err
        return made

    return run, shapes


def _cut(lr: Array, box: Box) -> Array:
    """Cut a window out of (1, C, H, W), mirrored beyond its border."""
    cut = cut_mirrored(lr[0].transpose(1, 2, 0), box)
    return np.ascontiguousarray(cut.transpose(2, 0, 1)[None])
