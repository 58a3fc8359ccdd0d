"""The table of architectures, and building a network from its name."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import nn

from pixelift.errors import ConfigError, unknown_name
from pixelift.models.fuse import fuse
from pixelift.models.interpolation import BicubicBase


class SRModel(Protocol):
    """What every architecture offers beside being a module.

    Those that learn what interpolation lost say so to the export, which then names it in the file:
    by a `trunk`, which predicts the residual at LR size before the pixel shuffle and beside a
    `BicubicBase`, or by `parts`, which gives the interpolated picture and the residual at HR size.
    """

    scale: int
    channels: int
    radius: int
    multiple_of: int

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Super-resolve (N, C, H, W) in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class ArchSpec:
    """Where an architecture is, and what it is."""

    target: str
    summary: str


ARCHITECTURES: Mapping[str, ArchSpec] = {
    "srcnn": ArchSpec("pixelift.models.srcnn:SRCNN", "the baseline: 9-1-5 on the bicubic picture"),
    "fsrcnn": ArchSpec("pixelift.models.fsrcnn:FSRCNN", "shrink, map and expand at LR size"),
    "espcn": ArchSpec("pixelift.models.espcn:ESPCN", "LR size throughout, sub-pixel output"),
    "vdsr": ArchSpec("pixelift.models.vdsr:VDSR", "deep and residual, on the bicubic picture"),
    "srresnet": ArchSpec("pixelift.models.srresnet:SRResNet", "residual blocks with batch norm"),
    "edsr": ArchSpec("pixelift.models.edsr:EDSR", "residual blocks without batch norm"),
    "repnet": ArchSpec("pixelift.models.repnet:RepNet", "plain 3x3 chain on the bicubic base"),
    "gatenet": ArchSpec("pixelift.models.gatenet:GateNet", "gated blocks on the bicubic base"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """An architecture at its default dials."""

    name: str
    summary: str
    dials: dict[str, int | bool]
    parameters: int
    macs_per_pixel: int
    """Per LR pixel."""


def describe_architectures(*, scale: int) -> list[Described]:
    """Build each architecture at its default dials and count.

    Args:
        scale: LR to HR factor.

    Returns:
        One entry an architecture, in the order of the table; counted as it is used, that is fused.
    """
    return [_describe(name, spec, scale) for name, spec in ARCHITECTURES.items()]


def _describe(name: str, spec: ArchSpec, scale: int) -> Described:
    fused = fuse(build_model(name, scale=scale))
    dials = all_dials(name)
    return Described(name, spec.summary, dials, count_parameters(fused), count_macs(fused))


def all_dials(architecture: str, **dials: int | bool) -> dict[str, int | bool]:
    """List every dial of an architecture, as it stands where it is not set.

    Args:
        architecture: A name of `ARCHITECTURES`.
        **dials: Those that are set.

    Returns:
        Values by the name of the dial.

    Example:
        >>> all_dials("edsr", blocks=8)
        {'width': 64, 'blocks': 8, 'channels': 3}
    """
    parameters = inspect.signature(_factory(ARCHITECTURES[architecture])).parameters
    return {n: dials.get(n, p.default) for n, p in parameters.items() if n != "scale"}


def _factory(spec: ArchSpec) -> Callable[..., nn.Module]:
    module, _, name = spec.target.partition(":")
    return cast(Callable[..., nn.Module], getattr(importlib.import_module(module), name))


def build_model(architecture: str, *, scale: int, **dials: int | bool) -> nn.Module:
    """Build a network with fresh weights from torch's global generator.

    Args:
        architecture: A name of `ARCHITECTURES`.
        scale: LR to HR factor.
        **dials: What the architecture lets one set, such as width and depth; switches are true or
            false.

    Returns:
        The network; it keeps the promises of `SRModel`.

    Raises:
        UnknownNameError: There is no such architecture.
        ConfigError: The architecture has no such dial, or its value is not positive, or a number
            is given for a switch or the other way round.
    """
    spec = ARCHITECTURES.get(architecture)
    if spec is None:
        raise unknown_name(
            "architecture", architecture, ARCHITECTURES, hint="pixelift models --architectures"
        )
    factory = _factory(spec)
    parameters = inspect.signature(factory).parameters
    allowed = [p for p in parameters if p != "scale"]
    for dial, value in dials.items():
        if dial not in allowed:
            raise ConfigError(
                f'{architecture} has no dial "{dial}"; it has {", ".join(allowed)}. '
                "Correct [model] in the recipe."
            )
        is_switch = isinstance(parameters[dial].default, bool)
        if is_switch != isinstance(value, bool):
            wanted = "true or false" if is_switch else "a whole number"
            raise ConfigError(f"model.dials.{dial} is {value}; it must be {wanted}.")
        if not is_switch and value < 1:
            raise ConfigError(f"model.dials.{dial} is {value}; it must be at least 1.")
    return factory(scale=scale, **dials)


def count_parameters(network: nn.Module) -> int:
    """Count the learned numbers of a network."""
    return sum(p.numel() for p in network.parameters())


def count_macs(network: nn.Module) -> int:
    """Count the multiply-accumulates of all convolutions, the interpolated base included.

    Args:
        network: A network that keeps the promises of `SRModel`; where it is collapsible, what
            `pixelift.models.fuse.fuse` returned.

    Returns:
        Multiply-accumulates per LR pixel.
    """
    counted: list[int] = []

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        if isinstance(module, BicubicBase):
            kernel, places = module.kernel, output.shape[-2:].numel()
        elif isinstance(module, nn.ConvTranspose2d):
            # Each input pixel meets the whole kernel once.
            kernel, places = module.weight, output.shape[-2:].numel() // module.stride[0] ** 2
        elif isinstance(module, nn.Conv2d):
            kernel, places = module.weight, output.shape[-2:].numel()
        else:
            return
        counted.append(kernel.numel() * places)

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    channels, side = int(network.channels), 8  # type: ignore[arg-type]
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, channels, side, side))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return sum(counted) // side**2
