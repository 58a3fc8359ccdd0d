"""The critic of adversarial training: for each pixel, whether it looks like one of a photo."""

from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Discriminator(nn.Module):
    """head: C -> width; body: three halvings and three doublings with skips; tail: width -> 1.

    Every convolution but the first and the last is held to a spectral norm of 1, so that the
    critic cannot become arbitrarily sharp and its gradient stays of use.

    Paper: X. Wang, L. Xie, C. Dong and Y. Shan, "Real-ESRGAN: Training Real-World Blind
        Super-Resolution with Pure Synthetic Data", ICCV Workshops 2021, section 3.3 (a U-Net with
        spectral normalisation); T. Miyato et al., "Spectral Normalization for Generative
        Adversarial Networks", ICLR 2018.
    """

    def __init__(self, *, channels: int = 3, width: int = 24) -> None:
        """Build the network.

        Args:
            channels: Picture channels, 3 for RGB or 1 for luma.
            width: Channels at full size; they double at each of the three halvings.
        """
        super().__init__()
        sizes = [width, 2 * width, 4 * width, 8 * width]
        self.head = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False))
            for a, b in pairwise(sizes)
        )
        self.up = nn.ModuleList(
            spectral_norm(nn.Conv2d(b, a, 3, padding=1, bias=False))
            for a, b in reversed(list(pairwise(sizes)))
        )
        self.body = spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False))
        self.tail = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Judge pictures.

        Args:
            picture: (N, C, H, W) in [0, 1]; sides are multiples of 8.

        Returns:
            Logits (N, 1, H, W), above zero for a photo; and what it saw on the way, for feature
            matching.
        """
        x = F.leaky_relu(self.head(picture), 0.2)
        seen, skips = [], [x]
        for layer in self.down:
            x = F.leaky_relu(layer(x), 0.2)
            seen.append(x)
            skips.append(x)
        skips.pop()
        for layer in self.up:
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = F.leaky_relu(layer(x), 0.2) + skips.pop()
            seen.append(x)
        logits = cast("torch.Tensor", self.tail(F.leaky_relu(self.body(x), 0.2)))
        return logits, seen
