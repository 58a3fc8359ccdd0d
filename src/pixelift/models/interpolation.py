"""The interpolated picture as a fixed convolution: what a residual network adds to."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from pixelift.image.resize import cubic

BASE_RADIUS = 2
"""LR pixels on each side that bicubic up-scaling looks at."""


def bicubic_phases(scale: int) -> NDArray[np.float32]:
    """Give the bicubic kernel of each of the sub-pixel places that one LR pixel turns into.

    Args:
        scale: LR to HR factor.

    Returns:
        (scale * scale, 5, 5) float32 in the channel order of a pixel shuffle; each sums to 1.

    Paper: R. Keys 1981 (see `pixelift.image.resize.cubic`), written as a convolution followed by
        the sub-pixel rearrangement of W. Shi et al., CVPR 2016, equation 4.
    """
    centre = (np.arange(scale) + 0.5) / scale - 0.5
    taps = cubic(centre[:, None] - np.arange(-BASE_RADIUS, BASE_RADIUS + 1))
    return np.einsum("ai,bj->abij", taps, taps).reshape(scale**2, 5, 5).astype(np.float32)


class BicubicBase(nn.Module):
    """Bicubic up-scaling before the pixel shuffle; always float32, nothing to learn."""

    kernel: torch.Tensor

    def __init__(self, *, scale: int, channels: int) -> None:
        """Fix the kernels.

        Args:
            scale: LR to HR factor.
            channels: Picture channels, each interpolated by itself.
        """
        super().__init__()
        phases = torch.from_numpy(bicubic_phases(scale))[:, None]
        self.register_buffer("kernel", phases.repeat(channels, 1, 1, 1), persistent=False)
        self.channels = channels

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) to (N, C * scale * scale, H, W); outside of the picture is zero."""
        with torch.autocast(lr.device.type, enabled=False):
            return F.conv2d(lr.float(), self.kernel, padding=BASE_RADIUS, groups=self.channels)
