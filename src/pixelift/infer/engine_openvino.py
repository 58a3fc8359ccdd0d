"""Runs a network with OpenVINO, the fastest of the engines measured: float32, bf16 or int8."""

import functools
import os
import platform
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError
from pixelift.forks import ENGINES
from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.rows import Samples
from pixelift.infer.engine import (
    Precision,
    check_planes,
    check_result,
    check_samples,
    engine_failure,
    engine_missing,
    load_failure,
    samples_by_planes,
)
from pixelift.infer.openvino_int8 import round_chain
from pixelift.infer.openvino_parts import find_parts
from pixelift.infer.openvino_request import open_request
from pixelift.infer.openvino_samples import take_samples
from pixelift.infer.openvino_strips import Strips
from pixelift.zoo.card import Card
from pixelift.zoo.ranges import Ranges

CUT = "residual"
"""Tensor of the ONNX contract up to which a network is trained and may run in bf16."""

Kind = tuple[str, int, int, bool]
"""What a compiled network takes and gives: type of the samples, height and width, and whether it
leaves out what depends on what lies beyond the border."""

PLANES: Kind = ("planes", -1, -1, False)
"""Kind of a compiled network that takes and gives (1, C, H, W) float32 of any size."""

Run = Callable[[NDArray[Any], Box], NDArray[Any]]
"""A compiled network: samples, and what is kept of the result, to that part. Planes are kept as a
whole."""

WHOLE = Box(0, 0, 0, 0)
"""Where planes are kept as a whole."""

MOST_LOSS = 0.02
"""PSNR-Y in dB that "auto" may give up for int8."""

KEPT = 3
"""Compiled networks that are kept, one of them for a large size; compiling takes some 50 ms."""

LARGE = 300 * 300
"""LR pixels from which a size is large: a tile of the usual side and its halo are not."""

CONVERTER = "openvino.tools.ovc"
"""Module of OpenVINO that turns other formats into its own; importing it reports usage."""

INSTRUCTIONS = "ONEDNN_MAX_CPU_ISA"
"""Variable of the environment that holds OpenVINO's kernels back to older instructions."""

X86 = ("x86_64", "amd64", "i686", "i386", "x86")
"""What Python calls the processors on which integers are quicker than floats."""

WITHOUT_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI")
"""Its values without arithmetic in bf16: OpenVINO 2026.4 fails, crashes or is slow with it."""

_import_lock = threading.Lock()
_core_lock = threading.Lock()


class OpenVinoEngine:
    """A network in OpenVINO.

    In bf16 the network is compiled as two: what leads to "residual" in bf16, and the
    interpolated base, its sum with the residual and the shuffle to HR pixels in float32, since
    8 bits of mantissa would be visible in the base. A network that adds nothing to a base has no
    such place to be cut at: it runs in float32, unless bf16 is asked for, and then as a whole.

    For planes of floats shapes stay dynamic: one compilation serves every size of tile, at the same
    speed and with the same values as one compilation for each size. Networks that take and give
    samples are compiled for a size of tile that comes twice in a row, or is large: only for a fixed
    size does OpenVINO merge the conversions with what stands before and behind them. The usual kind
    of network is then run in two parts, see `Strips`; in any way the values are the same.
    """

    name: Final = "openvino"

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
            precision: "f32", "bf16", "int8" or "auto".
            threads: Processor threads; None takes one for each core.
            ranges: How to round it to 8-bit integers, if that is known.

        Raises:
            ConfigError: The precision is not to be had with this processor or network.
            EngineUnavailableError: OpenVINO is not installed.
            WeightsError: The bytes are no network of the contract.
        """
        self.card: Final = card
        self._openvino = import_openvino()
        self._core = shared_core()
        self._ranges = ranges
        has_bf16 = self._has_bf16()
        self._floats: Final[Precision] = "bf16" if has_bf16 else "f32"
        """Arithmetic of what a network in 8-bit integers leaves in floats."""
        self.precision: Final[Precision] = self._choose_precision(precision, has_bf16=has_bf16)
        self._threads = threads
        self._lock = threading.Lock()
        self._runs: dict[Kind, Run] = {}
        self._last: Kind | None = None
        try:
            self._models = self._load(data)
        except RuntimeError as err:
            raise load_failure(err) from err

    @property
    def lean(self) -> tuple[str, ...]:
        """Types of samples of which large tiles need little memory; see `Engine`."""
        types = ("uint8", "uint16") if self.precision == "f32" else ("uint8",)
        return types if self._parts is not None else ()

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array; see `Engine`."""
        check_planes(self.card, lr)
        sr: NDArray[np.float32] = self._run(PLANES, lr, WHOLE)
        check_result(self.card, lr.shape, sr.shape)
        return sr

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples and keep a part; see `Engine`."""
        is_whole = self.card.base == "none"
        if lr.dtype == np.float32 or (
            self.precision != "f32" and (lr.dtype == np.uint16 or is_whole)
        ):
            # Inside of a network in bf16, 16 bits would be rounded twice; 8 bits too, where not
            # even its end is in float32.
            return samples_by_planes(self, lr, keep)
        check_samples(self.card, lr)
        kind = (lr.dtype.name, *lr.shape[:2], self._is_inner(lr.shape, keep))
        is_usual, self._last = kind == self._last or kind in self._runs, kind
        if is_usual or (_is_large(kind) and self.lean):
            return self._run(kind, lr, keep)
        # Compiling takes longer than converting one tile outside; it pays when more follow.
        return samples_by_planes(self, lr, keep)

    def _is_inner(self, shape: tuple[int, ...], keep: Box) -> bool:
        reach, scale = (self._parts.reach, self._parts.scale) if self._parts else (0, 1)
        inner = Box.whole(Size(*shape[:2])).shrunk(Margins.around(reach)).scaled(scale)
        return reach > 0 and inner.intersect(keep) == keep

    def _run(self, kind: Kind, lr: NDArray[Any], keep: Box) -> NDArray[Any]:
        # One at a time: a request already keeps all cores busy, and a second would only double
        # the memory.
        with ENGINES.at_work(), self._lock:
            try:
                run = self._runs.pop(kind, None)
                if run is None:
                    self._make_room(kind)
                    run = self._compile(kind)
                self._runs[kind] = run
                return run(lr, keep)
            except (RuntimeError, MemoryError) as err:
                # What was compiled is not to be trusted after a failure: OpenVINO 2026.4 keeps
                # asking for the memory that it did not get, or crashes.
                self._runs.clear()
                shape = lr.shape if kind == PLANES else (1, lr.shape[2], *lr.shape[:2])
                raise engine_failure(err, shape=shape) from err

    def _make_room(self, kind: Kind) -> None:
        # What goes, goes first, so that its memory is there for what comes.
        oldest = list(self._runs)[: 1 - KEPT]
        large = [old for old in self._runs if _is_large(old) and _is_large(kind)]
        for old in {*oldest, *large}:
            del self._runs[old]

    def _has_bf16(self) -> bool:
        # OpenVINO lists BF16 only for processors that compute with it; on others bf16 is slower
        # than float32, or does not run at all. What its kernels are held back to it does not know.
        held_back = os.environ.get(INSTRUCTIONS, "").upper() in WITHOUT_BF16
        offered = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return offered and not held_back

    def _choose_precision(self, precision: str, *, has_bf16: bool) -> Precision:
        if precision == "bf16" and not has_bf16:
            raise ConfigError(
                'precision "bf16" was asked for, but this processor does not compute in bf16; '
                'allowed are "auto", "f32" and, for some networks, "int8". Use "auto".'
            )
        # On other processors integers were never measured.
        known = self._ranges is not None and platform.machine().lower() in X86
        if precision == "int8" and not known:
            raise ConfigError(
                f'precision "int8" was asked for; it needs an x86 processor, and {self.card.key} '
                'to have its ranges beside it. Use "auto".'
            )
        if known and (precision == "int8" or (precision == "auto" and self._is_close())):
            return "int8"
        suits = self.card.base != "none" or precision == "bf16"
        return "bf16" if has_bf16 and suits and precision != "f32" else "f32"

    def _is_close(self) -> bool:
        return self._ranges is not None and self._ranges.loss_db <= MOST_LOSS

    def _load(self, data: bytes) -> list[Any]:
        # The models to run one after the other: each takes the picture and all that the ones
        # before it made.
        model = self._core.read_model(data)
        model.reshape([1, self.card.planes, -1, -1])
        lr = model.input("lr").get_node()
        sr = model.output("sr").get_node()
        if self.precision == "int8" and self._ranges is not None:
            residual = _find_output(model, CUT).get_node()
            if not round_chain(self._openvino, residual, self._ranges):
                raise RuntimeError("its ranges for int8 are those of another network")
        self._parts = find_parts(self._openvino, model, CUT)
        if self.precision == "f32" or self.card.base == "none":
            return [model]
        ops = self._openvino.opset8
        cut = _find_output(model, CUT)
        # Told to round what it hands on: else the engine does so with some networks only.
        handed = ops.convert(cut, self._floats)
        trunk = self._openvino.Model([ops.result(handed)], [lr], "trunk").clone()
        kind = trunk.outputs[0].get_element_type()
        residual = ops.parameter(cut.get_partial_shape(), kind, name=CUT)
        exact = ops.convert(residual, "f32")
        for consumer in cut.get_target_inputs():
            if consumer.get_node().get_type_name() not in ("Result", "Convert"):
                consumer.replace_source_output(exact.output(0))
        return [trunk, self._openvino.Model([sr], [lr, residual], "tail")]

    @property
    def _arithmetic(self) -> Precision:
        # What is rounded to integers is said by the network itself.
        return self._floats if self.precision == "int8" else self.precision

    def _compile(self, kind: Kind) -> Run:
        name, height, width, is_inner = kind
        if self._parts is not None and kind != PLANES:
            return Strips(
                self._openvino,
                self._parts,
                self._compile_model,
                name=name,
                shape=(height, width),
                is_inner=is_inner,
                precision=self._arithmetic,
            )
        models = self._models
        if kind != PLANES:
            models = take_samples(self._openvino, models, name, height=height, width=width)
        precisions: list[Precision] = [self._arithmetic, "f32"]
        requests = list(map(self._compile_model, models, precisions))
        return _Chain(self._openvino, requests, is_planes=kind == PLANES)

    def _compile_model(self, model: Any, precision: Precision) -> Any:  # noqa: ANN401
        return open_request(self._core, model, precision=precision, threads=self._threads)


class _Chain:
    """Networks one after the other: each takes the picture and what those before made.

    It does not know its engine: what knows itself in a circle is freed late, and this is large.
    """

    def __init__(self, openvino: Any, requests: list[Any], *, is_planes: bool) -> None:  # noqa: ANN401
        self._openvino = openvino
        self._requests = requests
        self._is_planes = is_planes

    def __call__(self, lr: NDArray[Any], keep: Box) -> NDArray[Any]:
        given, kept = (lr, np.s_[:]) if self._is_planes else (lr[None], (0, *keep.slices))
        tensors = [self._openvino.Tensor(np.ascontiguousarray(given))]
        for request in self._requests:
            for i, tensor in enumerate(tensors):
                request.set_input_tensor(i, tensor)
            request.infer()
            tensors.append(request.get_output_tensor(0))
        # The request writes to the same memory next time.
        sr: NDArray[Any] = tensors[-1].data[kept].copy()
        return sr


def import_openvino() -> Any:  # noqa: ANN401  (the package has no type hints)
    """Import OpenVINO without its converter, which reports every import over the network.

    `import openvino` also imports `openvino.tools.ovc`, and that sends a usage event and writes
    an identifier into the home folder. Pixelift must do neither, and does not need the
    converter. OpenVINO allows for its absence. Skipping it also makes the import about 0.1 s
    shorter. Who imported OpenVINO before keeps what they have; who wants the converter later
    finds it as before, since it is then imported when it is asked for.

    Returns:
        The module `openvino`.

    Raises:
        EngineUnavailableError: OpenVINO is not installed.
    """
    with _import_lock:
        is_ours = "openvino" not in sys.modules and CONVERTER not in sys.modules
        if is_ours:
            sys.modules[CONVERTER] = None  # type: ignore[assignment]  # makes its import fail
        try:
            import openvino  # noqa: PLC0415  (heavy: only where this engine is chosen)
        except ImportError as err:
            raise engine_missing("openvino", err) from err
        finally:
            if is_ours:
                del sys.modules[CONVERTER]
        if is_ours:
            openvino.__getattr__ = _late_converter
    return openvino


def shared_core() -> Any:  # noqa: ANN401  (the package has no type hints)
    """Open OpenVINO once for the whole process.

    Each core registers a stack that signals are handled on, and frees it when it goes although it
    may still be registered (2026.4). Python's handlers ask for that stack: the first Ctrl-C after
    cores have gone would end in a crash. So there is one, which stays.

    Returns:
        The core, which may be used from several threads.

    Raises:
        EngineUnavailableError: OpenVINO is not installed.
    """
    # Two threads at once would open two, and one of them would go.
    with ENGINES.at_work(), _core_lock:
        return _only_core()


@functools.cache
def _only_core() -> Any:  # noqa: ANN401
    openvino = import_openvino()
    _meet_numpy(openvino)
    return openvino.Core()


def _meet_numpy(openvino: Any) -> None:  # noqa: ANN401
    """Hand an array to OpenVINO and take it back once, while no other thread can do so.

    With the first array its bindings (2026.4) set up tables of numpy's types: under a lock of C++
    that a thread waits for without letting go of Python's, which the one that sets up lets go of
    for a moment. Two threads that came first together waited for each other for ever.
    """
    array = np.zeros((1, 1), np.float32)
    constant = openvino.opset8.constant(array)
    for held in (constant.data, openvino.Tensor(array).data):
        held.copy()


def _late_converter(name: str) -> Any:  # noqa: ANN401  (an attribute of a module is anything)
    if name == "convert_model":
        from openvino.tools.ovc import convert_model  # noqa: PLC0415  (that is the point)

        return convert_model
    raise AttributeError(f"module 'openvino' has no attribute {name!r}")


def _is_large(kind: Kind) -> bool:
    return kind[1] * kind[2] > LARGE


def _find_output(model: Any, name: str) -> Any:  # noqa: ANN401  (no type hints)
    for op in model.get_ops():
        for output in op.outputs():
            if name in output.get_names():
                return output
    raise RuntimeError(f'the network has no tensor "{name}"')
