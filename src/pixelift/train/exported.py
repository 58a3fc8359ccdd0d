"""An exported file as a network that can be trained on: `pixelift export`, backwards."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from pixelift.errors import ConfigError, WrongRunError
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import Origin
from pixelift.train.config import ModelSettings
from pixelift.zoo.store import find_model, find_scales, read_weights

Weights = Mapping[str, torch.Tensor]
Dials = dict[str, int | bool]

_PREFIX = "network."
_OTHERS = re.compile(r"of other photos \(([0-9a-f]+)\)")
UNKNOWN = "unknown"
"""Stands for the photos behind a network whose card does not tell of them."""


def load_exported(name: str, *, scale: int) -> tuple[nn.Module, ModelSettings, Origin]:
    """Build the network of a packaged model or of a file that `pixelift export` wrote.

    Its kernels are trained as they are (the dial `direct`), since the wide forms that a training
    may have had are not in the file. A network that learned on luma has the dial `luma` now.

    Args:
        name: As for `pixelift.zoo.store.find_model`.
        scale: Which network of the name is taken where it has several; one that has not this
            scale gives the nearest.

    Returns:
        The network, the settings it is built with, and the photos behind it.

    Raises:
        UnknownNameError: There is no such model.
        WeightsError: Its file is missing, damaged or carries no card.
        WrongRunError: It is neither a RepNet nor a GateNet; others can be trained on from their run
            folder alone.
    """
    scales = find_scales(name)
    card, path = find_model(name, scale=min(scales, key=lambda offered: abs(offered - scale)))
    architecture = card.architecture.partition(" ")[0]
    try:
        graph = onnx.load_from_string(read_weights(card, path)).graph
        weights = {
            initializer.name.removeprefix(_PREFIX): torch.tensor(_array(initializer))
            for initializer in graph.initializer
            if initializer.name.startswith(_PREFIX)
        }
    except (DecodeError, ValueError) as error:
        raise WrongRunError(f"{path} is damaged: {error}. Export the network again.") from error
    try:
        operations = Counter(node.op_type for node in graph.node)
        dials = _DESCRIBED[architecture](card.scale, weights, operations)
        model = ModelSettings(architecture=architecture, scale=card.scale, dials=dials)
        # Building a network draws numbers, which must not move what the caller draws next.
        with torch.random.fork_rng(devices=()):
            network = build_model(model.architecture, scale=model.scale, **model.dials)
        network.load_state_dict(weights)
    except (KeyError, RuntimeError, ConfigError) as error:
        raise WrongRunError(
            f'"{name}" is a network of the architecture {architecture}; only a '
            f"{' or a '.join(_DESCRIBED)} can be trained on from its exported file. "
            "Name its run folder instead."
        ) from error
    origin = Origin(
        photos_sha256=card.dataset_sha256 or UNKNOWN,
        photos=0,
        patches_sha256="",
        # Photos that the network had seen before those of its last training.
        started_from=next(iter(_OTHERS.findall(card.training)), ""),
    )
    return network.eval(), model, origin


def _array(initializer: onnx.TensorProto) -> NDArray[np.float32]:
    if initializer.data_location == onnx.TensorProto.EXTERNAL:
        # It would be read from wherever the file says.
        raise ValueError(f"{initializer.name} lies in another file")
    return numpy_helper.to_array(initializer)


def _describe_repnet(scale: int, weights: Weights, operations: Counter[str]) -> Dials:
    channels = weights["head.weight"].shape[1]
    dials = _describe_ends(weights) | {"depth": _count(r"body\.\d+\.bias", weights)}
    told = {
        "luma": len(weights["tail.bias"]) < channels * scale**2,
        "leaky": operations["LeakyRelu"] > 0,
        # Only such networks take half of white off the picture first.
        "skips": operations["Sub"] > 0,
    }
    return dials | {dial: True for dial, is_so in told.items() if is_so}


def _describe_gatenet(_: int, weights: Weights, operations: Counter[str]) -> Dials:
    dials = _describe_ends(weights) | {"blocks": _count(r"body\.\d+\.third\.bias", weights)}
    # All take half of white off the picture; SPAN's gates take a half off as well.
    if operations["Sub"] > 1:
        dials["open_gate"] = False
    if not operations["Relu"]:
        dials["smooth"] = True
    return dials


def _describe_ends(weights: Weights) -> Dials:
    width, channels = weights["head.weight"].shape[:2]
    dials: Dials = {"width": width, "direct": True}
    return dials | ({"channels": 1} if channels == 1 else {})


def _count(pattern: str, weights: Weights) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in weights)


_DESCRIBED: Mapping[str, Callable[[int, Weights, Counter[str]], Dials]] = {
    "repnet": _describe_repnet,
    "gatenet": _describe_gatenet,
}
"""Finds the dials of a network of a scale from its weights, and how often each operation is in it,
by the architecture."""
