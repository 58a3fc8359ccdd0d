"""EDSR-baseline: residual blocks without batch norm."""

import torch
from torch import nn

from pixelift.models.blocks import UPSAMPLER_RADIUS, SubPixelUpsampler, he_normal


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = he_normal(nn.Conv2d(width, width, 3, padding=1))
        self.second = he_normal(nn.Conv2d(width, width, 3, padding=1), gain=0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(torch.relu(self.first(x)))


class EDSR(nn.Module):
    """head: 3x3; body: blocks and a 3x3 with a skip around all; tail: sub-pixel steps and 3x3.

    Paper: B. Lim et al., "Enhanced Deep Residual Networks for Single Image Super-Resolution",
        CVPRW 2017, section 3, the baseline of 16 blocks of 64 channels. Where they take the mean
        colour of their photos off, we take 0.5 off.
    """

    def __init__(self, *, scale: int, width: int = 64, blocks: int = 16, channels: int = 3) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor: 2, 3, 4 or 8.
            width: Channels inside.
            blocks: Residual blocks.
            channels: Picture channels, 3 for RGB or 1 for luma.

        Raises:
            ConfigError: Another scale.
        """
        super().__init__()
        self.scale, self.channels, self.multiple_of = scale, channels, 1
        self.radius = 2 + 2 * blocks + UPSAMPLER_RADIUS
        self.head = he_normal(nn.Conv2d(channels, width, 3, padding=1))
        self.body = nn.Sequential(
            *(_Block(width) for _ in range(blocks)),
            he_normal(nn.Conv2d(width, width, 3, padding=1), gain=0.5),
        )
        self.upsampler = SubPixelUpsampler(width, scale=scale)
        self.tail = he_normal(nn.Conv2d(width, channels, 3, padding=1), gain=0.3)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        x = self.head(lr - 0.5)
        x = self.upsampler(x + self.body(x))
        return self.tail(x).float() + 0.5
