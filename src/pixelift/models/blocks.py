"""Convolutions that are rich while they are trained and plain when they are used."""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.errors import ConfigError

UPSAMPLER_RADIUS = 2
"""LR pixels on each side that `SubPixelUpsampler` and a 3x3 at HR behind it look at, at most."""

C = TypeVar("C", bound=nn.Conv2d)


def he_normal(convolution: C, *, gain: float = 1.0) -> C:
    """Draw the weights of a convolution so that a chain with ReLU keeps the size of what flows.

    Args:
        convolution: Changed in place; its bias, if any, becomes zero.
        gain: Scale beside the paper's; small for a last layer.

    Returns:
        The convolution.

    Paper: K. He et al., "Delving Deep into Rectifiers", ICCV 2015, equation 10.
    """
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    with torch.no_grad():
        convolution.weight.mul_(gain)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


class SubPixelUpsampler(nn.Sequential):
    """One sub-pixel convolution for x2 and x3, one after another for x4 and x8.

    Paper: W. Shi et al., CVPR 2016 (ESPCN), equation 4.
    """

    def __init__(self, width: int, *, scale: int, bends: bool = False) -> None:
        """Build the steps.

        Args:
            width: Channels before and after.
            scale: 2, 3, 4 or 8.
            bends: Whether a PReLU follows each step.

        Raises:
            ConfigError: Another scale.
        """
        steps = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}.get(scale)
        if steps is None:
            raise ConfigError(f"model.scale is {scale}; this architecture allows 2, 3, 4 and 8.")
        layers: list[nn.Module] = []
        for step in steps:
            wide = nn.Conv2d(width, width * step**2, 3, padding=1)
            layers += [he_normal(wide, gain=0.7), nn.PixelShuffle(step)]
            layers += [nn.PReLU(width)] if bends else []
        super().__init__(*layers)


class CollapsibleConv(nn.Module):
    """A 3x3 convolution trained as a wide 3x3, a 1x1 and an identity, without their cost.

    The three are linear, so their product is one 3x3 kernel. It is formed from the weights in
    each forward pass: training pays for the plain convolution and a product of small matrices.

    Paper: K. Bhardwaj et al., "Collapsible Linear Blocks for Super-Efficient Super Resolution",
        MLSys 2022, sections 3.1 and 3.2; the identity is theirs, the He scaling is ours.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        expansion: int = 4,
        gain: float = 1.0,
        identity: bool = True,
    ) -> None:
        """Draw the weights.

        Args:
            inputs: Input channels.
            outputs: Output channels.
            expansion: Width of the hidden 3x3, in multiples of `outputs`.
            gain: Scale of the collapsed kernel beside He initialisation; small for a last layer.
            identity: Whether the input is added where it has as many channels as the output.
        """
        super().__init__()
        hidden = expansion * outputs
        spread = nn.init.calculate_gain("relu") / (9 * inputs) ** 0.5
        self.wide = nn.Parameter(torch.randn(hidden, inputs, 3, 3) * spread)
        self.mix = nn.Parameter(torch.randn(outputs, hidden) * gain / hidden**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.identity = identity and inputs == outputs

    def collapsed(self) -> torch.Tensor:
        """Form the plain kernel, (outputs, inputs, 3, 3)."""
        kernel = (self.mix @ self.wide.flatten(1)).view(-1, *self.wide.shape[1:])
        if self.identity:
            eye = torch.eye(kernel.shape[0], dtype=kernel.dtype, device=kernel.device)
            kernel = kernel + F.pad(eye[:, :, None, None], (1, 1, 1, 1))
        return kernel

    @torch.no_grad()
    def embed(self, kernel: torch.Tensor, bias: torch.Tensor) -> None:
        """Take over a plain convolution, by the smallest change of the wide 3x3 that gives it.

        What was drawn stays where the mix does not look, so that the gradients are not degenerate.

        Args:
            kernel: (outputs, inputs, 3, 3).
            bias: (outputs,).
        """
        missing = (kernel - self.collapsed()).flatten(1).double()
        change = torch.linalg.pinv(self.mix.double()) @ missing
        self.wide.add_(change.view_as(self.wide).to(self.wide.dtype))
        self.bias.copy_(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        with torch.autocast(x.device.type, enabled=False):
            kernel = self.collapsed()
        return F.conv2d(x, kernel.to(x.dtype), self.bias.to(x.dtype), padding=1)


class DirectConv(nn.Module):
    """A 3x3 convolution whose kernel is trained as it is, begun as a `CollapsibleConv` would be.

    What the wide form does for Adam, an optimizer that looks at whole kernels (SOAP) does by
    itself, and then the wide form only costs time (experiments/LOG.md).
    """

    def __init__(
        self, inputs: int, outputs: int, *, gain: float = 1.0, identity: bool = True
    ) -> None:
        """Draw the weights.

        Args:
            inputs: Input channels.
            outputs: Output channels.
            gain: Scale of the kernel beside He initialisation; small for a last layer.
            identity: Whether the kernel begins as the identity and what is drawn, where the input
                has as many channels as the output.
        """
        super().__init__()
        spread = nn.init.calculate_gain("relu") / (9 * inputs) ** 0.5
        kernel = torch.randn(outputs, inputs, 3, 3) * spread * gain
        if identity and inputs == outputs:
            kernel[:, :, 1, 1] += torch.eye(outputs)
        self.weight = nn.Parameter(kernel)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def collapsed(self) -> torch.Tensor:
        """Give the kernel, (outputs, inputs, 3, 3)."""
        return self.weight

    @torch.no_grad()
    def embed(self, kernel: torch.Tensor, bias: torch.Tensor) -> None:
        """Take over a plain convolution.

        Args:
            kernel: (outputs, inputs, 3, 3).
            bias: (outputs,).
        """
        self.weight.copy_(kernel)
        self.bias.copy_(bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        return F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), padding=1)


TrainedConv = CollapsibleConv | DirectConv
"""What `plain` makes a plain convolution of."""


@torch.no_grad()
def plain(convolution: TrainedConv) -> nn.Conv2d:
    """Make the plain convolution that gives the same output.

    Args:
        convolution: As it is trained.

    Returns:
        The convolution that is exported.
    """
    kernel = convolution.collapsed()
    made = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
    made.weight.copy_(kernel)
    made.bias.copy_(convolution.bias)  # type: ignore[union-attr]
    return made
