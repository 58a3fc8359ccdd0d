"""How far a picture is from the one that it should be."""

import torch

from pixelift.train.config import PixelLoss

SOFTNESS = 1e-3
"""Difference, of a range of 0 to 1, below which `charbonnier` is round."""


NEGLIGIBLE = 1e-5
"""Mean squared difference, of a range of 0 to 1, that `psnr` takes for none: 50 dB."""

LUMA = (0.299, 0.587, 0.114)
"""Shares of R, G and B in luma, without the scale and offset of the studio range, so that a grey
difference counts in luma what it counts in RGB. Source: ITU-R BT.601-7, section 2.5.1."""


def restoration_loss(
    sr: torch.Tensor, hr: torch.Tensor, *, kind: PixelLoss, frequency: float, luma: float = 0.0
) -> torch.Tensor:
    """Measure how far a restored picture is from the original.

    Args:
        sr: Restored, (N, C, H, W) in [0, 1], float32.
        hr: Original, likewise.
        kind: What is averaged over the pixels.
        frequency: Weight of the spectrum's part beside it; 0 leaves it out, and its cost.
        luma: Share of the loss that is measured on the luma of RGB pictures alone; without
            meaning where there is one channel.

    Returns:
        A scalar, 0 for equal pictures.

    Paper: W.-S. Lai et al., LapSRN, CVPR 2017, section 3.3 (Charbonnier, 1e-3); S.-J. Cho et al.,
        MIMO-UNet, ICCV 2021, equation 6 (mean absolute difference of the Fourier transforms, not
        scaled, weight 0.1), here of real pictures and with real and imaginary part apart. The
        logarithm of the squared difference: L. Chen et al., HINet, CVPRW 2021, section 3.3.
    """
    difference = sr - hr
    loss = _over_pixels(difference, kind)
    if luma and difference.shape[1] == len(LUMA):
        weights = difference.new_tensor(LUMA).view(1, -1, 1, 1)
        of_luma = _over_pixels((difference * weights).sum(1, keepdim=True), kind)
        loss = (1 - luma) * loss + luma * of_luma
    if not frequency:
        return loss
    spectrum = torch.view_as_real(torch.fft.rfft2(difference))
    return loss + frequency * spectrum.abs().mean()


def _over_pixels(difference: torch.Tensor, kind: PixelLoss) -> torch.Tensor:
    if kind == "l1":
        return difference.abs().mean()
    if kind == "l2":
        return difference.square().mean()
    if kind == "psnr":
        # Crop by crop, so that smooth ones count as much as rough ones: as in a mean of decibels.
        return (difference.square().mean(dim=(1, 2, 3)) / NEGLIGIBLE).log1p().mean()
    # Less SOFTNESS, so that equal pictures give 0; the gradient is the paper's.
    return (difference.square() + SOFTNESS**2).sqrt().mean() - SOFTNESS
