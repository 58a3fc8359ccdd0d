"""VDSR: very deep, at HR resolution, and the first to learn only what interpolation lost."""

from math import ceil

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import he_normal
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase


class VDSR(nn.Module):
    """A chain of 3x3 convolutions on the bicubic picture, whose output is added to it.

    Paper: J. Kim et al., "Accurate Image Super-Resolution Using Very Deep Convolutional Networks",
        CVPR 2016, section 3.1: 20 layers of 64 channels.
    """

    def __init__(self, *, scale: int, width: int = 64, depth: int = 20, channels: int = 3) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels inside.
            depth: Convolutions in all, head and tail included; at least 2.
            channels: Picture channels, 3 for RGB or 1 for luma.
        """
        super().__init__()
        self.scale, self.channels, self.multiple_of = scale, channels, 1
        self.radius = BASE_RADIUS + ceil(max(depth, 2) / scale)
        self.base = BicubicBase(scale=scale, channels=channels)
        self.head = he_normal(nn.Conv2d(channels, width, 3, padding=1))
        self.body = nn.ModuleList(
            he_normal(nn.Conv2d(width, width, 3, padding=1)) for _ in range(depth - 2)
        )
        self.tail = he_normal(nn.Conv2d(width, channels, 3, padding=1), gain=0.05)

    def parts(self, lr: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Interpolate, and predict what that lost: twice (N, C, scale * H, scale * W), float32."""
        interpolated = F.pixel_shuffle(self.base(lr), self.scale)
        x = F.relu(self.head(interpolated))
        for convolution in self.body:
            x = F.relu(convolution(x))
        return interpolated, self.tail(x).float()

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        interpolated, residual = self.parts(lr)
        return interpolated + residual
