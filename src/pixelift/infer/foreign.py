"""Other people's networks: opened from plain .onnx files, and what was found out remembered."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from pixelift.atomic import replacing
from pixelift.errors import ConfigError, UnknownNameError, WeightsError
from pixelift.infer.engine_foreign import ForeignEngine, Limits, Runner, open_runner
from pixelift.infer.probe import probe
from pixelift.zoo.card import METADATA_KEY, Card, read_metadata
from pixelift.zoo.store import HOME_VARIABLE, read_weights

VERSION = 1
"""Of what a probe finds out: older findings are not read."""


def is_foreign(model: str | os.PathLike[str]) -> bool:
    """Tell whether a model is an .onnx file that carries no card of ours.

    Args:
        model: What was given as a model.

    Returns:
        Whether it is; also False for files that cannot be read, about which the zoo tells.
    """
    if not os.fspath(model).lower().endswith(".onnx"):
        return False
    try:
        return METADATA_KEY not in read_metadata(_read(Path(model)))
    except WeightsError:
        return False


def open_foreign(
    path: str | os.PathLike[str],
    *,
    provider: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> ForeignEngine:
    """Load a network that Pixelift did not make; what it takes is probed once for each file.

    Args:
        path: An .onnx file.
        provider: See `open_engine`.
        precision: "f32" or "auto", which is the same here.
        threads: See `open_engine`.

    Returns:
        The engine.

    Raises:
        ConfigError: The precision is another, or there is no such engine.
        EngineUnavailableError: The engine is not installed.
        WeightsError: The network cannot be used; says why, and what to do instead.
    """
    if precision not in ("auto", "f32"):
        raise ConfigError(
            f"precision {precision} is for networks that Pixelift exported; {path} runs in f32. "
            "Leave --precision out"
        )
    data = _read(Path(path))
    try:
        runner, name, shapes = open_runner(data, provider=provider, threads=threads)
        sha256 = hashlib.sha256(data).hexdigest()
        limits = _remembered(sha256) or _probe_and_remember(runner, shapes, sha256)
    except WeightsError as err:
        raise WeightsError(f"{path}: {err}") from err
    return ForeignEngine(_card(Path(path), limits, data, sha256), limits, runner, name=name)


def scale_of_foreign(path: str | os.PathLike[str]) -> int:
    """Tell the scale of a network that Pixelift did not make.

    Args:
        path: An .onnx file.

    Returns:
        HR pixels per LR pixel.

    Raises:
        WeightsError: The network cannot be used.
    """
    return open_foreign(path).card.scale


def check_scale(path: str | os.PathLike[str], card: Card, scale: int | None) -> None:
    """Refuse another scale than the network's.

    Args:
        path: The file, for the message.
        card: What was found.
        scale: What was asked for.

    Raises:
        UnknownNameError: They differ.
    """
    if scale is not None and scale != card.scale:
        raise UnknownNameError(
            f"{path} is for scale {card.scale}, not for scale {scale}. Use scale {card.scale}."
        )


def _read(path: Path) -> bytes:
    # The zoo's reader bounds the size; with an empty hash nothing is compared.
    return read_weights(_blank_card("foreign", 2, "rgb", 0), path)


def _card(path: Path, limits: Limits, data: bytes, sha256: str) -> Card:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", path.stem)[:100]
    name = name if re.match(r"[A-Za-z0-9]", name) else f"n{name}"[:100]
    card = _blank_card(name, limits.scale, limits.channels, limits.radius)
    return msgspec.structs.replace(card, sha256=sha256, bytes=len(data))


def _blank_card(name: str, scale: int, channels: Any, radius: int) -> Card:  # noqa: ANN401
    return Card(
        name=name,
        scale=scale,
        channels=channels,
        radius=radius,
        parameters=0,
        macs_per_pixel=0,
        base="none",
        licence="unknown",
        architecture="not made by Pixelift",
        recipe="",
        dataset_sha256="",
        training="not known",
        scores={},
    )


_found: dict[str, Limits] = {}
"""By the hash of the file: what was found out in this process."""


class _Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    limits: Limits | None
    refused: str = ""


def _place(sha256: str) -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() / "probes" / f"{sha256}.json" if home else None


def _remembered(sha256: str) -> Limits | None:
    place = _place(sha256)
    if sha256 in _found:
        return _found[sha256]
    if place is None:
        return None
    try:
        finding = msgspec.json.decode(place.read_bytes(), type=_Finding)
    except (OSError, msgspec.MsgspecError):
        return None  # not there, or damaged: it is found out again
    if finding.version != VERSION:
        return None
    if finding.limits is None:
        raise WeightsError(finding.refused)
    _found[sha256] = finding.limits
    return finding.limits


def _probe_and_remember(runner: Runner, shapes: Any, sha256: str) -> Limits:  # noqa: ANN401
    try:
        finding = _Finding(VERSION, probe(runner, shapes))
    except WeightsError as err:
        finding = _Finding(VERSION, None, str(err))
    place = _place(sha256)
    if place is not None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with replacing(place, unique=True) as hidden:
                hidden.write_bytes(msgspec.json.encode(finding))
        except OSError:
            pass  # a folder that cannot be written to only costs another probe
    if finding.limits is None:
        raise WeightsError(finding.refused)
    _found[sha256] = finding.limits
    return finding.limits
