"""SRResNet: residual blocks with batch norm, as the original experiment of this project had it."""

from math import ceil

import torch
from torch import nn

from pixelift.models.blocks import UPSAMPLER_RADIUS, SubPixelUpsampler, he_normal


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = he_normal(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.first_norm = nn.BatchNorm2d(width)
        self.bend = nn.PReLU(width)
        self.second = he_normal(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.second_norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bend(self.first_norm(self.first(x)))
        return x + self.second_norm(self.second(y))


class SRResNet(nn.Module):
    """head: 9x9; body: blocks and a 3x3 with a skip around all; tail: sub-pixel steps and 9x9.

    Paper: C. Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative
        Adversarial Network", CVPR 2017, section 2.1 and figure 4: 16 blocks of 64 channels, PReLU.
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
        # The last kernel lies at HR; half an LR pixel of it is in the upsampler's radius already.
        self.radius = 5 + 2 * blocks + UPSAMPLER_RADIUS + ceil(4 / scale)
        self.head = nn.Sequential(
            he_normal(nn.Conv2d(channels, width, 9, padding=4)), nn.PReLU(width)
        )
        self.body = nn.Sequential(
            *(_Block(width) for _ in range(blocks)),
            he_normal(nn.Conv2d(width, width, 3, padding=1, bias=False)),
            nn.BatchNorm2d(width),
        )
        self.upsampler = SubPixelUpsampler(width, scale=scale, bends=True)
        self.tail = he_normal(nn.Conv2d(width, channels, 9, padding=4), gain=0.3)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        x = self.head(lr)
        x = self.upsampler(x + self.body(x))
        return self.tail(x).float()
