"""The networks of the study, and their recipes."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

from pixelift.models.fuse import fuse
from pixelift.models.spec import build_model, count_macs, count_parameters
from pixelift.train.config import Recipe
from study import shared_recipe


@dataclass(frozen=True)
class Network:
    """One RepNet."""

    width: int
    depth: int
    channels: int
    identity: bool
    scale: int

    @property
    def name(self) -> str:
        """Width and depth, and whether it is for luma."""
        return f"{self.width}x{self.depth}" + ("-y" if self.channels == 1 else "")

    @property
    def dials(self) -> dict[str, int | bool]:
        """What `build_model` is given."""
        return {
            "width": self.width,
            "depth": self.depth,
            "channels": self.channels,
            "identity": self.identity,
            "direct": True,
        }

    @cached_property
    def fused(self) -> nn.Module:
        """The plain network, of fresh weights."""
        return fuse(build_model("repnet", scale=self.scale, **self.dials)).eval()

    @cached_property
    def parameters(self) -> int:
        """Learned numbers when fused."""
        return count_parameters(self.fused)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates per LR pixel when fused."""
        return count_macs(self.fused)


def network_of(config: dict[str, Any], width: int, depth: int, channels: int = 3) -> Network:
    """Make a network of the study from its size."""
    identity = depth >= config["identity_from_depth"]
    return Network(width, depth, channels, identity, config["scale"])


def networks_of(config: dict[str, Any]) -> list[Network]:
    """List the networks: RGB, then luma."""
    return [network_of(config, *size) for size in config["sizes"]] + [
        network_of(config, *size, channels=1) for size in config["luma_sizes"]
    ]


def recipe_of(config: dict[str, Any], network: Network, *, seed: int) -> Recipe:
    """Write the recipe of a training; all but the network is shared."""
    model = {"architecture": "repnet", "scale": network.scale, "dials": network.dials}
    rate = config["learning_rate"]
    return shared_recipe(config, model, lr_patch=config["lr_patch"], learning_rate=rate, seed=seed)
