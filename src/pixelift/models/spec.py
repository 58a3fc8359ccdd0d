"""The table of architectures, and building a network from its name."""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import nn

from pixelift.errors import ConfigError, unknown_name
from pixelift.models.interpolation import BicubicBase


class SRModel(Protocol):
    """What every architecture offers beside being a module."""

    scale: int
    channels: int
    radius: int
    multiple_of: int

    def trunk(self, lr: torch.Tensor) -> torch.Tensor:
        """Predict the residual before the pixel shuffle."""
        ...

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Super-resolve (N, C, H, W) in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class ArchSpec:
    """Where an architecture is, and what it is."""

    target: str
    summary: str


ARCHITECTURES: Mapping[str, ArchSpec] = {
    "repnet": ArchSpec("pixelift.models.repnet:RepNet", "plain 3x3 chain on the bicubic base"),
}


def build_model(architecture: str, *, scale: int, **dials: int) -> nn.Module:
    """Build a network with fresh weights from torch's global generator.

    Args:
        architecture: A name of `ARCHITECTURES`.
        scale: LR to HR factor.
        **dials: What the architecture lets one set, such as width and depth.

    Returns:
        The network; it keeps the promises of `SRModel`.

    Raises:
        UnknownNameError: There is no such architecture.
        ConfigError: The architecture has no such dial, or its value is not positive.
    """
    spec = ARCHITECTURES.get(architecture)
    if spec is None:
        raise unknown_name(
            "architecture", architecture, ARCHITECTURES, hint="grep architecture recipes/*.toml"
        )
    module, _, name = spec.target.partition(":")
    factory = getattr(importlib.import_module(module), name)
    allowed = [p for p in inspect.signature(factory).parameters if p != "scale"]
    for dial, value in dials.items():
        if dial not in allowed:
            raise ConfigError(
                f'{architecture} has no dial "{dial}"; it has {", ".join(allowed)}. '
                "Correct [model] in the recipe."
            )
        if value < 1:
            raise ConfigError(f"model.{dial} is {value}; it must be at least 1.")
    return cast(nn.Module, factory(scale=scale, **dials))


def count_parameters(network: nn.Module) -> int:
    """Count the learned numbers of a network."""
    return sum(p.numel() for p in network.parameters())


def count_macs(fused: nn.Module) -> int:
    """Count multiply-accumulates for each LR pixel, the interpolated base included.

    Args:
        fused: What `pixelift.models.fuse.fuse` returned, working at LR size throughout.

    Returns:
        Multiply-accumulates per LR pixel.
    """
    learned = sum(c.weight.numel() for c in fused.modules() if isinstance(c, nn.Conv2d))
    fixed = sum(b.kernel.numel() for b in fused.modules() if isinstance(b, BicubicBase))
    return learned + fixed
