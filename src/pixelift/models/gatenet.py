"""GateNet: blocks whose result decides itself how much of it passes, on the bicubic base."""

import torch
import torch.nn.functional as F
from torch import nn

from pixelift.models.blocks import CollapsibleConv, DirectConv
from pixelift.models.interpolation import BASE_RADIUS, BicubicBase

OPEN_GAIN, SPAN_GAIN = 0.1, 2.0
"""How large the last convolution of a block begins, by its gate. Small before an open gate, which
then lets the input pass. Before SPAN's, which halves a signal at best, a deep body dies out below
this and grows above it (experiments/LOG.md)."""


class _Block(nn.Module):
    """Three convolutions; x + o, where o is what they give, times a gate that o opens or closes."""

    def __init__(
        self,
        width: int,
        *,
        convolution: type[CollapsibleConv | DirectConv],
        is_open: bool,
        smooth: bool,
    ) -> None:
        super().__init__()
        self.is_open, self.smooth = is_open, smooth
        gain = OPEN_GAIN if is_open else SPAN_GAIN
        self.first: nn.Module = convolution(width, width, identity=False)
        self.second: nn.Module = convolution(width, width, identity=False)
        self.third: nn.Module = convolution(width, width, gain=gain, identity=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bend = F.silu if self.smooth else F.relu
        o = self.third(bend(self.second(bend(self.first(x)))))
        gate = o.sigmoid()
        return (x + o) * (gate + 0.5 if self.is_open else gate - 0.5)


class GateNet(nn.Module):
    """head: 3 -> width; body: gated blocks, and a 3x3 with a skip around all; tail: sub-pixel.

    A block multiplies planes, which a plain chain cannot, for three more passes over memory that an
    engine makes in one. All at LR resolution, and `fuse` makes plain convolutions of the wide form.

    Paper: C. Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution",
        CVPRW 2024 (SPAN), sections 3.1 and 3.2: its block is (x + o) * (sigmoid(o) - 0.5), which at
        first lets next to nothing pass. Ours is (x + o) * (sigmoid(o) + 0.5): the input itself
        where o is zero. Ours adds to the interpolated picture as RepNet does, bends by ReLU, and
        does not join the features of several blocks, which would cost memory traffic.
    """

    def __init__(
        self,
        *,
        scale: int,
        width: int = 48,
        blocks: int = 6,
        channels: int = 3,
        open_gate: bool = True,
        smooth: bool = False,
        direct: bool = True,
    ) -> None:
        """Build the network.

        Args:
            scale: LR to HR factor.
            width: Channels inside.
            blocks: Gated blocks of three convolutions each.
            channels: Picture channels, 3 for RGB or 1 for luma.
            open_gate: Whether a block begins as the identity; else its gate is the paper's.
            smooth: Whether SiLU stands between the convolutions of a block, as in the paper, which
                costs a processor more than ReLU.
            direct: Whether the kernels are trained as they are and not in a wide form: for the
                optimizer "soap", which does as well without and is quicker so.
        """
        super().__init__()
        self.scale, self.channels = scale, channels
        self.radius = max(3 * blocks + 3, BASE_RADIUS)
        self.multiple_of = 1
        self.open_gate, self.smooth = open_gate, smooth
        convolution = DirectConv if direct else CollapsibleConv
        self.head: nn.Module = convolution(channels, width)
        self.body = nn.ModuleList(
            _Block(width, convolution=convolution, is_open=open_gate, smooth=smooth)
            for _ in range(blocks)
        )
        self.last: nn.Module = convolution(width, width, gain=0.5, identity=False)
        self.tail: nn.Module = convolution(width, channels * scale**2, gain=0.05, identity=False)
        self.base = BicubicBase(scale=scale, channels=channels)

    def trunk(self, lr: torch.Tensor) -> torch.Tensor:
        """Predict what interpolation lost: (N, C, H, W) to (N, C * scale * scale, H, W)."""
        features = x = self.head(lr - 0.5)
        for block in self.body:
            x = block(x)
        return self.tail(features + self.last(x))

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) in [0, 1] to (N, C, scale * H, scale * W), float32, not clipped."""
        return F.pixel_shuffle(self.trunk(lr).float() + self.base(lr), self.scale)
