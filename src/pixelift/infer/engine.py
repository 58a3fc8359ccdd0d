"""Engines run a network on an array: one small interface, and the choice between them."""

import importlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, cast, get_args

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import (
    ConfigError,
    EngineUnavailableError,
    OutOfMemoryError,
    WeightsError,
    unknown_name,
)
from pixelift.image.depth import to_float
from pixelift.image.geometry import Box
from pixelift.image.rows import Samples, as_type
from pixelift.zoo.card import Card
from pixelift.zoo.ranges import Ranges, read_ranges
from pixelift.zoo.store import read_weights

Precision = Literal["f32", "bf16", "int8"]

PrecisionChoice = Literal["auto", "f32", "bf16", "int8"]
"""A precision, or "auto" for the fastest that loses next to nothing."""

EngineChoice = Literal["auto", "openvino", "onnxruntime"]
"""An engine, or "auto" for the fastest that is installed."""

PRECISIONS: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)

ENGINES = {
    "openvino": "pixelift.infer.engine_openvino:OpenVinoEngine",
    "onnxruntime": "pixelift.infer.engine_onnx:OnnxEngine",
}
"""The engines, the fastest of those measured first: "auto" takes the first that is installed."""

INSTALL = {
    "openvino": "pip install openvino",
    "onnxruntime": "pip install onnxruntime",
}

# As seen in OpenVINO 2026.4 and ONNX Runtime 1.32 under a limit of the address space. The last is
# what starting a thread says when there is no memory for its stack.
OUT_OF_MEMORY_SIGNS = (
    "bad_alloc",
    "failed to allocate",
    "can't alloc",
    "out of memory",
    "cannot allocate memory",
    "resource temporarily unavailable",
)


class Engine(Protocol):
    """A network that is ready to run; may be called from several threads."""

    @property
    def card(self) -> Card:
        """What the network promises."""

    @property
    def name(self) -> str:
        """Which engine it is: "openvino" or "onnxruntime"."""

    @property
    def precision(self) -> Precision:
        """Arithmetic of the trained part; the interpolated base is always added in float32."""

    @property
    def lean(self) -> tuple[str, ...]:
        """Types of samples of which large tiles need little memory: "uint8", "uint16"."""

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array.

        Args:
            lr: (1, C, H, W) in [0, 1], C as the card says, any H and W from 1 up.

        Returns:
            (1, C, scale * H, scale * W), not clipped; the caller's to keep.

        Raises:
            OutOfMemoryError: There is not enough memory for an array of this size.
        """

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples as pictures hold them, and keep a part of the result.

        Args:
            lr: (H, W, C) uint8 or uint16 of the whole range, or float32 in [0, 1].
            keep: What is kept of the result, in HR pixels.

        Returns:
            (keep.height, keep.width, C) of the same type; integers are clipped and rounded by the
            rule of `pixelift.image.depth`, floats are not clipped. The caller's to keep.

        Raises:
            OutOfMemoryError: There is not enough memory for an array of this size.
        """


class EngineClass(Protocol):
    """What every engine's class takes; `open_engine` is the only caller."""

    def __call__(
        self,
        card: Card,
        data: bytes,
        *,
        precision: str,
        threads: int | None,
        ranges: Ranges | None,
    ) -> Engine:
        """Load the verified bytes of a network."""


def open_engine(
    card: Card,
    path: str | os.PathLike[str],
    *,
    provider: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Engine:
    """Verify a network's file and make it ready to run.

    Args:
        card: The network's card.
        path: Its .onnx file.
        provider: "openvino", "onnxruntime", or "auto" for the first of these that is installed.
        precision: "f32", "bf16", "int8", or "auto": int8 on x86 processors for networks that lose
            next to nothing by it, and else bf16 where the processor computes with it natively.
        threads: Processor threads to use; None leaves it to the engine, which takes all cores.

    Returns:
        The engine.

    Raises:
        ConfigError: A provider, precision or number of threads that does not exist here.
        EngineUnavailableError: The provider's package is not installed.
        WeightsError: The file is not what the card says.
    """
    if precision not in PRECISIONS:
        raise ConfigError(
            f'no precision "{precision}". Allowed: {", ".join(PRECISIONS)}. Use "auto".'
        )
    if threads is not None and threads < 1:
        raise ConfigError(
            f"threads is {threads}; allowed are numbers from 1 up. Leave it out to use all cores."
        )
    engine_class = _engine_class(_choose_provider(provider))
    data = read_weights(card, Path(path))
    # Not even looked for where it is not wanted.
    ranges = read_ranges(card, Path(path)) if precision in ("auto", "int8") else None
    try:
        return engine_class(card, data, precision=precision, threads=threads, ranges=ranges)
    except WeightsError as err:
        raise WeightsError(f"{path}: {err}") from err


def _choose_provider(provider: str) -> str:
    if provider in ENGINES:
        return provider
    if provider != "auto":
        known = ["auto", *ENGINES]
        raise ConfigError(str(unknown_name("engine", provider, known, hint="pixelift upscale -h")))
    for name in ENGINES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise EngineUnavailableError(
        f"no engine is installed; Pixelift needs one of {', '.join(ENGINES)}. "
        f"Run: {INSTALL['openvino']}"
    )


def _engine_class(provider: str) -> EngineClass:
    # The package itself is imported when the class is first called, not with the module.
    module, _, name = ENGINES[provider].partition(":")
    return cast("EngineClass", getattr(importlib.import_module(module), name))


def engine_missing(provider: str, err: ImportError) -> EngineUnavailableError:
    """Make the error for an engine whose package cannot be imported.

    Args:
        provider: Name of the engine.
        err: What the import said.

    Returns:
        The error, to be raised by the caller.
    """
    reason = "is not installed" if isinstance(err, ModuleNotFoundError) else f"is broken: {err}"
    return EngineUnavailableError(
        f'the engine "{provider}" {_one_line(reason)}. Run: {INSTALL[provider]}'
    )


def engine_failure(err: Exception, *, shape: Sequence[int]) -> OutOfMemoryError | WeightsError:
    """Translate what an engine raised while running: out of memory, or a network that is wrong.

    Args:
        err: What the engine raised.
        shape: Shape of the array that it was given.

    Returns:
        The error, to be raised by the caller.
    """
    text = _one_line(str(err))
    if isinstance(err, MemoryError) or any(sign in text.lower() for sign in OUT_OF_MEMORY_SIGNS):
        return OutOfMemoryError(
            f"the engine has not enough memory for an input of {shape[3]}x{shape[2]}: {text}"
        )
    return WeightsError(
        f"the network cannot be run on an input of {shape[3]}x{shape[2]}: {text}. "
        f"Export it again, or try the other engine."
    )


def load_failure(err: Exception) -> WeightsError:
    """Make the error for bytes that an engine does not accept as a network.

    Args:
        err: What the engine raised.

    Returns:
        The error, to be raised by the caller.
    """
    return WeightsError(
        f"the file is damaged or is no network of ours: {_one_line(str(err))}. "
        f"Restore it, or write it again with: pixelift export RUN -o FILE.onnx"
    )


def check_planes(card: Card, lr: NDArray[np.float32]) -> None:
    """Refuse an array that the network was not made for, before an engine says it in its way.

    Args:
        card: The network's card.
        lr: The array.

    Raises:
        ValueError: The array is not (1, C, H, W) with the card's number of channels.
    """
    if lr.ndim != 4 or lr.shape[:2] != (1, card.planes) or 0 in lr.shape:
        raise ValueError(f"{card.key} takes (1, {card.planes}, H, W) and was given {lr.shape}")


def check_samples(card: Card, lr: Samples) -> None:
    """Refuse samples that the network was not made for.

    Args:
        card: The network's card.
        lr: The samples.

    Raises:
        ValueError: They are not (H, W, C) with the card's number of channels, or of another type
            than those that pictures have.
    """
    if lr.ndim != 3 or lr.shape[2] != card.planes or 0 in lr.shape:
        raise ValueError(f"{card.key} takes (H, W, {card.planes}) and was given {lr.shape}")
    if lr.dtype not in (np.uint8, np.uint16, np.float32):
        raise ValueError(f"{card.key} takes uint8, uint16 and float32, and was given {lr.dtype}")


def samples_by_planes(engine: Engine, lr: Samples, keep: Box) -> Samples:
    """Enlarge samples with an engine that knows only planes; see `Engine.samples`.

    Args:
        engine: The engine.
        lr: The samples.
        keep: What is kept of the result, in HR pixels.

    Returns:
        The part that is kept.
    """
    check_samples(engine.card, lr)
    planes = np.ascontiguousarray(to_float(lr).transpose(2, 0, 1)[None])
    sr = engine(planes)[0].transpose(1, 2, 0)[keep.slices]
    return np.ascontiguousarray(as_type(sr, lr.dtype))


def check_result(card: Card, lr: tuple[int, ...], sr: tuple[int, ...]) -> None:
    """Refuse a result of another shape than the card promises.

    Args:
        card: The network's card.
        lr: Shape of what the engine was given.
        sr: Shape of what it made.

    Raises:
        WeightsError: The card's scale is not the network's.
    """
    expected = (*lr[:2], lr[2] * card.scale, lr[3] * card.scale)
    if sr != expected:
        raise WeightsError(
            f"{card.key} made {sr} where its card promises {expected}; "
            f"card and network do not belong together. Export the network again."
        )


def _one_line(text: str) -> str:
    # Engines report over several lines, their own source files first and the reason last.
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Exception from ")]
    return "; ".join(lines)[:300] or "no reason given"
