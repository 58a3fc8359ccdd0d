"""ESPCN: all work at LR resolution, and one rearrangement at the end."""

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import he_normal


class ESPCN(nn.Module):
    """5x5, 3x3, and a 3x3 convolution to scale * scale values a pixel, with tanh between.

    Paper: W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
        Sub-Pixel Convolutional Neural Network", CVPR 2016, section 3.1: f1 = 5, n1 = 64, f2 = 3,
        n2 = 32, f3 = 3.
    """

    def __init__(
        self, *, scale: int, width: int = 64, mapping: int = 32, channels: int = 3
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels after the first convolution (n1).
            mapping: Channels after the second (n2).
            channels: Picture channels, 3 for RGB or 1 for luma.
        """
        super().__init__()
        self.scale, self.channels, self.radius, self.multiple_of = scale, channels, 4, 1
        self.head = he_normal(nn.Conv2d(channels, width, 5, padding=2), gain=0.5)
        self.body = he_normal(nn.Conv2d(width, mapping, 3, padding=1), gain=0.5)
        self.tail = he_normal(nn.Conv2d(mapping, channels * scale**2, 3, padding=1), gain=0.5)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        x = torch.tanh(self.head(lr))
        x = torch.tanh(self.body(x))
        return F.pixel_shuffle(self.tail(x).float(), self.scale)
