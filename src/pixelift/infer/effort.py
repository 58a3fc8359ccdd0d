"""From what was asked for to what runs: one network, or several with a choice between them."""

import os
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError, UnknownNameError
from pixelift.image.geometry import Box
from pixelift.image.resize import upscale
from pixelift.image.rows import Samples
from pixelift.infer.engine import Engine, Precision, open_engine, samples_by_planes
from pixelift.infer.ensemble import EnsembleEngine
from pixelift.infer.foreign import check_scale, is_foreign, open_foreign, scale_of_foreign
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from pixelift.zoo.card import Card
from pixelift.zoo.store import DEFAULT_SCALE, find_model, find_scales

DEFAULT_MODEL = "balanced"

TIERS = ("swift", "balanced", "fine")
"""The packaged networks among which an effort chooses, from the cheapest to the best."""

SPARED = 0.36
"""Share of a picture's detail that `auto` leaves to the cheaper network.

The dial of content-aware inference; chosen on photos/valid by experiments/004-effort, to be chosen
anew whenever `balanced` or `fine` is trained: it depends on how far the two are apart.
"""

EFFORTS = "low, auto, high, or a positive number (auto is 1)"

Effort = str | float


def open_network(
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    scale: int | None = None,
    effort: Effort | None = None,
    ensemble: bool = False,
    provider: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Network | Router:
    """Find, verify and load what enlarges pictures.

    Args:
        model: Name of a packaged network, or path of an .onnx file; without meaning where an
            effort is given.
        scale: HR pixels per LR pixel; see `find_model`.
        effort: "low" takes the cheapest packaged network, "high" the best, "auto" the one before
            the best where there is little to restore and the best where there is much; a number
            is the power to which `SPARED` is raised, so that 2 spends more than 1, which is auto.
            None takes `model`.
        ensemble: Whether each network is asked eight times.
        provider: See `open_engine`.
        precision: See `open_engine`.
        threads: See `open_engine`.

    Returns:
        A network, or a choice between several.

    Raises:
        ConfigError: An effort that does not exist, or one beside a model.
        UnknownNameError: There is no such model, or none for this scale.
        WeightsError: A file is damaged.
        EngineUnavailableError: The engine is not installed.
    """

    def open_one(card: Card, path: Path) -> Network:
        engine = open_engine(card, path, provider=provider, precision=precision, threads=threads)
        return Network(EnsembleEngine(engine) if ensemble else engine)

    if effort is None and is_foreign(model):
        foreign = open_foreign(model, provider=provider, precision=precision, threads=threads)
        check_scale(model, foreign.card, scale)
        return Network(EnsembleEngine(foreign) if ensemble else foreign)
    if effort is None:
        return open_one(*find_model(model, scale=scale))
    factor = parse_effort(effort)
    tiers = _find_tiers(scale or DEFAULT_SCALE)
    if factor in (0.0, np.inf):
        return open_one(*tiers[0 if factor == 0 else -1])
    best = open_one(*tiers[-1])
    # The one before the best: it costs more than the cheapest, but far more may be left to it.
    cheap = open_one(*tiers[-2]) if len(tiers) > 1 else Network(Interpolation(best.engine))
    return Router(cheap, best, spared=SPARED**factor)


def scales_of(model: str | os.PathLike[str], *, effort: Effort | None) -> tuple[int, ...]:
    """List the scales that there are networks for.

    Args:
        model: As for `open_network`.
        effort: As for `open_network`.

    Returns:
        Scales, growing.

    Raises:
        ConfigError: An effort that does not exist, or one beside a model.
        UnknownNameError: There is no such model, or none of those among which an effort chooses.
        WeightsError: The model's file is damaged.
    """
    if effort is None:
        return (scale_of_foreign(model),) if is_foreign(model) else find_scales(model)
    parse_effort(effort)
    if model != DEFAULT_MODEL:
        raise ConfigError(
            f"effort {effort} chooses the networks itself, and model {model} was given too. "
            "Leave one of them out"
        )
    found: set[int] = set()
    for name in TIERS:
        try:
            found |= set(find_scales(name))
        except UnknownNameError:
            continue
    if not found:
        raise _no_tiers("any scale")
    return tuple(sorted(found))


def parse_effort(effort: Effort) -> float:
    """Read an effort.

    Args:
        effort: "low", "auto", "high" or a positive number, also as text.

    Returns:
        The factor: 0 for low, 1 for auto, infinity for high.

    Raises:
        ConfigError: It is something else.

    Example:
        >>> parse_effort("auto"), parse_effort("1.5")
        (1.0, 1.5)
    """
    named = {"low": 0.0, "auto": 1.0, "high": float("inf")}
    if effort in named:
        return named[str(effort)]
    try:
        number = float(effort)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ConfigError(f"effort is {effort}; allowed are {EFFORTS}. Give --effort auto")
    return number


class Interpolation:
    """Bicubic interpolation as an engine: the cheapest network where only one is packaged."""

    name: Final = "numpy"
    lean: Final = ()
    precision: Final[Precision] = "f32"

    def __init__(self, engine: Engine) -> None:
        """Take the scale and the channels from a network.

        Args:
            engine: The network that it stands beside.
        """
        self.card: Final = msgspec.structs.replace(
            engine.card, name="bicubic", radius=2, parameters=0, macs_per_pixel=0, scores={}
        )

    def __call__(self, lr: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Enlarge one array; see `Engine`."""
        sr = upscale(lr[0].transpose(1, 2, 0), self.card.scale)
        return np.ascontiguousarray(sr.transpose(2, 0, 1)[None])

    def samples(self, lr: Samples, /, *, keep: Box) -> Samples:
        """Enlarge samples and keep a part; see `Engine`."""
        return samples_by_planes(self, lr, keep)


def _find_tiers(scale: int) -> list[tuple[Card, Path]]:
    tiers = []
    for name in TIERS:
        try:
            tiers.append(find_model(name, scale=scale))
        except UnknownNameError:
            continue  # not every network is there for every scale
    if not tiers:
        raise _no_tiers(f"scale {scale}")
    return tiers


def _no_tiers(scale: str) -> UnknownNameError:
    return UnknownNameError(
        f"no network for an effort at {scale}: there is none of {', '.join(TIERS)}. "
        "Run: pixelift models"
    )
