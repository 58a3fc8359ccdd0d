"""Runs a network with ONNX Runtime: slower than OpenVINO, and there for more processors."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError
from pixelift.forks import ENGINES
from pixelift.image.geometry import Box
from pixelift.image.rows import Samples
from pixelift.infer.engine import (
    Precision,
    check_planes,
    check_result,
    engine_failure,
    engine_missing,
    load_failure,
    samples_by_planes,
)
from pixelift.zoo.card import Card
from pixelift.zoo.ranges import Ranges

QUIET = 4
"""Log level "fatal": what goes wrong is raised, and need not be printed too."""


class OnnxEngine:
    """A network in ONNX Runtime, always in float32."""

    name: Final = "onnxruntime"
    lean: Final = ()

    def __init__(
        self,
        card: Card,
        data: bytes,
        *,
        precision: str,
        threads: int | None,
        ranges: Ranges | None = None,
    ) -> None:
        """Load a network.

        Args:
            card: Its card.
            data: The verified bytes of its .onnx file.
            precision: "f32" or "auto", which is the same here.
            threads: Processor threads; None takes one for each core.
            ranges: Not used here.

        Raises:
            ConfigError: The precision is "bf16", for which ONNX Runtime has no CPU kernels, or
                "int8".
            EngineUnavailableError: ONNX Runtime is not installed.
            WeightsError: The bytes are no network.
        """
        del ranges
        if precision in ("bf16", "int8"):
            raise ConfigError(
                f'precision "{precision}" is not to be had with the engine "onnxruntime"; '
                f'allowed are "auto" and "f32". For {precision} use the engine "openvino".'
            )
        self.card: Final = card
        self.precision: Final[Precision] = "f32"
        runtime = _import_onnxruntime()
        try:
            self._session = runtime.InferenceSession(
                data, _options(runtime, threads), providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime's exceptions have no common base but Exception.
        except Exception as err:
            raise load_failure(err) from err

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array; see `Engine`."""
        check_planes(self.card, lr)
        ENGINES.use()
        try:
            sr: NDArray[np.float32] = self._session.run(["sr"], {"lr": lr})[0]
        except Exception as err:
            raise engine_failure(err, shape=lr.shape) from err
        check_result(self.card, lr.shape, sr.shape)
        return sr

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples and keep a part; see `Engine`."""
        return samples_by_planes(self, lr, keep)


def _import_onnxruntime() -> Any:  # noqa: ANN401  (the package has no type hints)
    try:
        import onnxruntime  # noqa: PLC0415  (optional: only needed where this engine is chosen)
    except ImportError as err:
        raise engine_missing("onnxruntime", err) from err
    # Builds for Windows report usage to the system's event log until told not to.
    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _options(runtime: Any, threads: int | None) -> Any:  # noqa: ANN401  (no type hints)
    options = runtime.SessionOptions()
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = QUIET
    # The arena stays on: it reuses buffers between layers, and without it the peak was half as
    # much again (48 channels, 280x280: 266 against 171 MB). A plan for each shape only adds to it.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    return options
