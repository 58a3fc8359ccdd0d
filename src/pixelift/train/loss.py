"""How far a picture is from the one that it should be."""

import torch

from pixelift.train.config import PixelLoss

SOFTNESS = 1e-3
"""Difference, of a range of 0 to 1, below which `charbonnier` is round."""


NEGLIGIBLE = 1e-5
"""Mean squared difference, of a range of 0 to 1, that `psnr` takes for none: 50 dB."""


def restoration_loss(
    sr: torch.Tensor, hr: torch.Tensor, *, kind: PixelLoss, frequency: float
) -> torch.Tensor:
    """Measure how far a restored picture is from the original.

    Args:
        sr: Restored, (N, C, H, W) in [0, 1], float32.
        hr: Original, likewise.
        kind: What is averaged over the pixels.
        frequency: Weight of the spectrum's part beside it; 0 leaves it out, and its cost.

    Returns:
        A scalar, 0 for equal pictures.

    Paper: W.-S. Lai et al., LapSRN, CVPR 2017, section 3.3 (Charbonnier, 1e-3); S.-J. Cho et al.,
        MIMO-UNet, ICCV 2021, equation 6 (mean absolute difference of the Fourier transforms, not
        scaled, weight 0.1), here of real pictures and with real and imaginary part apart. The
        logarithm of the squared difference: L. Chen et al., HINet, CVPRW 2021, section 3.3.
    """
    difference = sr - hr
    if kind == "l1":
        loss = difference.abs().mean()
    elif kind == "l2":
        loss = difference.square().mean()
    elif kind == "psnr":
        # Crop by crop, so that smooth ones count as much as rough ones: as in a mean of decibels.
        loss = (difference.square().mean(dim=(1, 2, 3)) / NEGLIGIBLE).log1p().mean()
    else:
        # Less SOFTNESS, so that equal pictures give 0; the gradient is the paper's.
        loss = (difference.square() + SOFTNESS**2).sqrt().mean() - SOFTNESS
    if not frequency:
        return loss
    spectrum = torch.view_as_real(torch.fft.rfft2(difference))
    return loss + frequency * spectrum.abs().mean()
