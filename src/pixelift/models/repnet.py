"""RepNet: a chain of 3x3 convolutions that learns what bicubic interpolation lost."""

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import CollapsibleConv, DirectConv
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase

LEAK = 0.25
"""What a leaky network lets through of negative values: where PReLU starts (K. He et al., ICCV
2015, section 2.1)."""


class RepNet(nn.Module):
    """head: 3 -> width; body: depth x (width -> width); tail: width -> 3 * scale * scale.

    All at LR resolution and, but for the dial `skips`, without a branch, because on a CPU memory
    traffic costs more than arithmetic; the wide training form collapses into plain convolutions
    (`fuse`).

    Paper: residual learning on the interpolated picture, J. Kim et al., CVPR 2016 (VDSR), section
        3.1; sub-pixel output, W. Shi et al., CVPR 2016 (ESPCN); see `CollapsibleConv`. The pairs
        of `skips` are the residual blocks of B. Lim et al., CVPRW 2017 (EDSR), section 3.1.
    """

    def __init__(  # noqa: PLR0913 - each is a dial of its own
        self,
        *,
        scale: int,
        width: int = 32,
        depth: int = 6,
        channels: int = 3,
        identity: bool = True,
        luma: bool = False,
        leaky: bool = False,
        direct: bool = False,
        skips: bool = False,
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels inside.
            depth: Convolutions between head and tail.
            channels: Picture channels, 3 for RGB or 1 for luma.
            identity: Whether each convolution of the body begins as the identity and a little
                more. Deep chains need it; a narrow one of a few layers learns sooner without it
                (experiments/LOG.md).
            luma: Whether what is learned is one plane that all channels receive: their differences
                stay those of interpolation, and the tail has a third of the work
                (`pixelift.models.colour`).
            leaky: Whether `LEAK` of what is negative passes. A narrow network cannot afford to lose
                it (experiments/LOG.md), and an engine computes it at the same speed.
            direct: Whether the kernels are trained as they are and not in a wide form: for the
                optimizer "soap", which does as well without and is quicker so.
            skips: Whether the body is pairs of convolutions, each added to what went into it, and,
                where depth is odd, one more before the input of all is added: for deep bodies.
        """
        super().__init__()
        self.scale, self.channels = scale, channels
        self.radius = max(depth + 2, BASE_RADIUS)
        self.multiple_of = 1
        convolution = DirectConv if direct else CollapsibleConv
        self.head: nn.Module = convolution(channels, width)
        self.skips = skips
        # The kernels start small: beside an identity or a skip that carries the signal, or as they
        # are. The second of a pair starts smaller still, so that a deep sum does not grow.
        gains = [(1.0, 0.1)[n % 2] if skips else 0.5 for n in range(depth)]
        if skips and depth % 2:
            gains[-1] = 0.5
        self.body = nn.ModuleList(
            convolution(width, width, gain=gain, identity=identity and not skips) for gain in gains
        )
        self.middle = 0.5 if skips else 0.0
        """Taken off the picture, so that the zeros around a crop are grey and not black."""
        self.leak = LEAK if leaky else 0.0
        self.shared = channels if luma else 1
        """Channels that receive the same residual."""
        planes = channels // self.shared
        self.tail: nn.Module = convolution(width, planes * scale**2, gain=0.05, identity=False)
        self.base = BicubicBase(scale=scale, channels=channels)

    def trunk(self, lr: torch.Tensor) -> torch.Tensor:
        """Predict what interpolation lost: (N, C, H, W) to (N, C * scale * scale, H, W).

        With the dial `luma` the result has the planes of one channel only.
        """
        if self.skips:
            return self.tail(self._residual_body(self.head(lr - self.middle)))
        x = self._bend(self.head(lr))
        for convolution in self.body:
            x = self._bend(convolution(x))
        return self.tail(x)

    def _residual_body(self, features: torch.Tensor) -> torch.Tensor:
        x, body = features, list(self.body)
        for first, second in zip(body[::2], body[1::2], strict=False):
            x = x + second(self._bend(first(x)))
        return features + body[-1](x) if len(body) % 2 else x

    def _bend(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(x, self.leak) if self.leak else F.relu(x)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        residual = self.trunk(lr).float().repeat(1, self.shared, 1, 1)
        return F.pixel_shuffle(residual + self.base(lr), self.scale)
