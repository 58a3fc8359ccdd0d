import pytest
import torch

from pixelift.train.loss import NEGLIGIBLE, SOFTNESS, restoration_loss


def measured(sr, hr, *, kind="l1", frequency=0.0):
    return restoration_loss(sr, hr, kind=kind, frequency=frequency).item()


@pytest.mark.parametrize(
    ("kind", "expected"), [("l1", 0.5), ("l2", 0.25), ("charbonnier", 0.5 - SOFTNESS)]
)
def test_a_picture_that_is_half_too_bright_is_off_by(kind, expected):
    hr = torch.rand(2, 3, 6, 5)
    assert measured(hr + 0.5, hr, kind=kind) == pytest.approx(expected, rel=1e-5)
    assert measured(hr, hr, kind=kind) == pytest.approx(0, abs=1e-9)


def test_the_gradient_of_charbonnier_fades_out_where_that_of_l1_jumps():
    sr = torch.tensor([[[[1e-5, 0.5]]]], requires_grad=True)
    restoration_loss(sr, torch.zeros(1, 1, 1, 2), kind="charbonnier", frequency=0.0).backward()
    near, far = (2 * sr.grad).flatten().tolist()
    assert near == pytest.approx(0.01, rel=1e-3)
    assert far == pytest.approx(1, rel=1e-3)


def test_the_spectrum_of_a_constant_difference_is_its_sum_at_frequency_zero():
    hr = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    # 8 x 5 frequencies with two parts each, of which one part of one is 64 times the difference.
    spectrum = 64 * 0.5 / (8 * 5 * 2)
    assert measured(hr + 0.5, hr, frequency=0.1) == pytest.approx(0.5 + 0.1 * spectrum)


def test_the_spectrum_has_a_gradient_and_is_symmetric():
    sr, hr = torch.rand(2, 3, 7, 6, requires_grad=True), torch.rand(2, 3, 7, 6)
    loss = restoration_loss(sr, hr, kind="l2", frequency=0.1)
    loss.backward()
    assert loss.item() == pytest.approx(measured(hr, sr.detach(), kind="l2", frequency=0.1))
    assert (sr.grad != 0).all()


def test_psnr_counts_each_crop_in_decibels():
    hr = torch.zeros(2, 1, 4, 4)
    sr = torch.stack([torch.full((1, 4, 4), 0.1), torch.full((1, 4, 4), 0.01)])
    loss = restoration_loss(sr, hr, kind="psnr", frequency=0.0)
    mean_square = torch.tensor([1e-2, 1e-4])
    assert torch.isclose(loss, (mean_square / NEGLIGIBLE).log1p().mean())
    # The rough crop is 100 times as wrong; to mend a tenth of either is worth about the same.
    gains = []
    for crop in range(2):
        better = sr.clone()
        better[crop] *= 0.9
        gains.append(float(loss - restoration_loss(better, hr, kind="psnr", frequency=0.0)))
    assert 0.85 < gains[1] / gains[0] < 1


def test_equal_crops_have_no_loss_and_no_endless_gradient():
    sr = torch.zeros(1, 1, 2, 2, requires_grad=True)
    loss = restoration_loss(sr, torch.zeros(1, 1, 2, 2), kind="psnr", frequency=0.0)
    loss.backward()
    assert loss == 0
    assert sr.grad.abs().max() == 0


def test_luma_counts_grey_differences_in_full_and_colour_by_its_share_of_brightness():
    hr = torch.rand(2, 3, 6, 5)
    grey = restoration_loss(hr + 0.5, hr, kind="l1", frequency=0.0, luma=1.0)
    assert grey.item() == pytest.approx(0.5, rel=1e-5)
    blue = hr.clone()
    blue[:, 2] += 0.3
    shares = [
        restoration_loss(blue, hr, kind="l1", frequency=0.0, luma=share).item()
        for share in (0.0, 0.5, 1.0)
    ]
    of_rgb, of_luma = 0.3 / 3, 0.3 * 0.114
    assert shares == pytest.approx([of_rgb, (of_rgb + of_luma) / 2, of_luma], rel=1e-4)


def test_one_channel_has_no_luma_of_its_own():
    sr, hr = torch.rand(2, 1, 6, 5), torch.rand(2, 1, 6, 5)
    with_luma = restoration_loss(sr, hr, kind="psnr", frequency=0.1, luma=0.7)
    assert with_luma == restoration_loss(sr, hr, kind="psnr", frequency=0.1)
