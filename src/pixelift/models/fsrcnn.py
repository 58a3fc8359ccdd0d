"""FSRCNN: SRCNN made quick by shrinking, mapping and expanding at LR resolution."""

import torch
from torch import nn

from pixelift.models.blocks import he_normal


class FSRCNN(nn.Module):
    """5x5 features; 1x1 shrink; mapping 3x3; 1x1 expand; one 9x9 transposed convolution.

    Paper: C. Dong et al., "Accelerating the Super-Resolution Convolutional Neural Network",
        ECCV 2016, section 3.2: FSRCNN(56, 12, 4); FSRCNN-s is (32, 5, 1).
    """

    def __init__(
        self,
        *,
        scale: int,
        width: int = 56,
        shrunk: int = 12,
        depth: int = 4,
        channels: int = 3,
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels of the features (d).
            shrunk: Channels of the mapping (s).
            depth: Mapping convolutions (m).
            channels: Picture channels, 3 for RGB or 1 for luma.
        """
        super().__init__()
        self.scale, self.channels, self.multiple_of = scale, channels, 1
        # The 9x9 kernel lies at HR: so many LR pixels reach the furthest of an LR pixel's places.
        self.radius = 2 + depth + (scale + 3) // scale
        self.head = nn.Sequential(
            he_normal(nn.Conv2d(channels, width, 5, padding=2)),
            nn.PReLU(width),
            he_normal(nn.Conv2d(width, shrunk, 1)),
            nn.PReLU(shrunk),
        )
        self.body = nn.Sequential()
        for _ in range(depth):
            self.body.append(he_normal(nn.Conv2d(shrunk, shrunk, 3, padding=1)))
            self.body.append(nn.PReLU(shrunk))
        self.expand = nn.Sequential(he_normal(nn.Conv2d(shrunk, width, 1)), nn.PReLU(width))
        self.tail = nn.ConvTranspose2d(
            width, channels, 9, stride=scale, padding=4, output_padding=scale - 1
        )
        # As the paper has it: the last layer starts as next to nothing.
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        return self.tail(self.expand(self.body(self.head(lr)))).float()
