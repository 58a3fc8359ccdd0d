"""SRCNN: the first convolutional network for super-resolution, the baseline of every study."""

from math import ceil

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import he_normal
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase


class SRCNN(nn.Module):
    """Bicubic first; then 9x9, 1x1 and 5x5 convolutions at HR resolution paint the picture anew.

    As published there is no residual: the network has to learn to hand on what interpolation had
    right already. The switch `residual` adds its output to the interpolated picture, so that what
    this alone changes can be measured (experiments/002-residual).

    Paper: C. Dong et al., "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016,
        section 3.1, network 9-1-5 with 64 and 32 channels. Ours: padded, so that the output keeps
        its size, and weights drawn after He with a smaller last layer instead of with a fixed
        spread of 0.001, which needs 10^8 steps.
    """

    def __init__(
        self,
        *,
        scale: int,
        width: int = 64,
        mapping: int = 32,
        channels: int = 3,
        residual: bool = False,
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels after the first convolution (n1 of the paper).
            mapping: Channels after the second (n2).
            channels: Picture channels, 3 for RGB or 1 for luma.
            residual: Whether the output is added to the interpolated picture; same parameters,
                same arithmetic but for one sum. The last layer then starts small.
        """
        super().__init__()
        self.scale, self.channels, self.residual = scale, channels, residual
        self.radius = BASE_RADIUS + ceil((4 + 2) / scale)
        self.multiple_of = 1
        self.base = BicubicBase(scale=scale, channels=channels)
        self.head = he_normal(nn.Conv2d(channels, width, 9, padding=4))
        self.body = he_normal(nn.Conv2d(width, mapping, 1))
        gain = 0.05 if residual else 0.3
        self.tail = he_normal(nn.Conv2d(mapping, channels, 5, padding=2), gain=gain)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        interpolated = F.pixel_shuffle(self.base(lr), self.scale)
        x = F.relu(self.head(interpolated))
        x = F.relu(self.body(x))
        sr = self.tail(x).float()
        return interpolated + sr if self.residual else sr
