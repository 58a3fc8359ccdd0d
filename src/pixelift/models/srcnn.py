"""SRCNN: the first convolutional network for super-resolution, the baseline of every study."""

from math import ceil

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import he_normal
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase


class SRCNN(nn.Module):
    """Bicubic first; then 9x9, 1x1 and 5x5 convolutions at HR resolution paint the picture anew.

    No residual: the network has to learn to hand on what interpolation had right already.

    Paper: C. Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016,
        section 3.1, network 9-1-5 with 64 and 32 channels. Ours: padded, so that the output keeps
        its size, and weights drawn after He with a smaller last layer instead of with a fixed
        spread of 0.001, which needs 10^8 steps.
    """

    def __init__(
        self, *, scale: int, width: int = 64, mapping: int = 32, channels: int = 3
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels after the first convolution (n1 of the paper).
            mapping: Channels after the second (n2).
            channels: Picture channels, 3 for RGB or 1 for luma.
        """
        super().__init__()
        self.scale, self.channels = scale, channels
        self.radius = BASE_RADIUS + ceil((4 + 2) / scale)
        self.multiple_of = 1
        self.base = BicubicBase(scale=scale, channels=channels)
        self.head = he_normal(nn.Conv2d(channels, width, 9, padding=4))
        self.body = he_normal(nn.Conv2d(width, mapping, 1))
        self.tail = he_normal(nn.Conv2d(mapping, channels, 5, padding=2), gain=0.3)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        x = F.pixel_shuffle(self.base(lr), self.scale)
        x = F.relu(self.head(x))
        x = F.relu(self.body(x))
        return self.tail(x).float()
