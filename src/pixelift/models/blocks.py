"""Convolutions that are rich while they are trained and plain when they are used."""

import torch
import torch.nn.functional as F
from torch import nn


class CollapsibleConv(nn.Module):
    """A 3x3 convolution trained as a wide 3x3, a 1x1 and an identity, without their cost.

    The three are linear, so their product is one 3x3 kernel. It is formed from the weights in
    each forward pass: training pays for the plain convolution and a product of small matrices.

    Paper: K. Bhardwaj et al., "Collapsible Linear Blocks for Super-Efficient Super Resolution",
        MLSys 2022, sections 3.1 and 3.2; the identity is theirs, the He scaling is ours.
    """

    def __init__(self, inputs: int, outputs: int, *, expansion: int = 4, gain: float = 1.0) -> None:
        """Draw the weights.

        Args:
            inputs: Input channels.
            outputs: Output channels.
            expansion: Width of the hidden 3x3, in multiples of `outputs`.
            gain: Scale of the collapsed kernel beside He initialisation; small for a last layer.
        """
        super().__init__()
        hidden = expansion * outputs
        spread = nn.init.calculate_gain("relu") / (9 * inputs) ** 0.5
        self.wide = nn.Parameter(torch.randn(hidden, inputs, 3, 3) * spread)
        self.mix = nn.Parameter(torch.randn(outputs, hidden) * gain / hidden**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.identity = inputs == outputs

    def collapsed(self) -> torch.Tensor:
        """Form the plain kernel, (outputs, inputs, 3, 3)."""
        kernel = (self.mix @ self.wide.flatten(1)).view(-1, *self.wide.shape[1:])
        if self.identity:
            eye = torch.eye(kernel.shape[0], dtype=kernel.dtype, device=kernel.device)
            kernel = kernel + F.pad(eye[:, :, None, None], (1, 1, 1, 1))
        return kernel

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H, W)."""
        with torch.autocast(x.device.type, enabled=False):
            kernel = self.collapsed()
        return F.conv2d(x, kernel.to(x.dtype), self.bias.to(x.dtype), padding=1)

    def fuse(self) -> nn.Conv2d:
        """Make the plain convolution that gives the same output."""
        outputs, inputs = self.mix.shape[0], self.wide.shape[1]
        plain = nn.Conv2d(inputs, outputs, 3, padding=1)
        with torch.no_grad():
            plain.weight.copy_(self.collapsed())
            plain.bias.copy_(self.bias)  # type: ignore[union-attr]
        return plain
