import numpy as np
import pytest
import torch

from pixelift.image.color import rgb_to_ycbcr
from pixelift.models.colour import in_colour, in_luma
from pixelift.models.fuse import fuse
from pixelift.models.repnet import RepNet


@pytest.fixture(params=[{}, {"leaky": True}, {"skips": True}], ids=str)
def trained(request):
    torch.manual_seed(0)
    network = RepNet(scale=2, width=8, depth=2, channels=1, identity=False, **request.param)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def assert_same(found, expected):
    """Sums of float32 differ from processor to processor by their terms, not by what is left."""
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)


def ycbcr(nchw):
    return rgb_to_ycbcr(nchw[0].permute(1, 2, 0).numpy())


def test_luma_is_that_of_the_luma_network_and_chroma_that_of_interpolation(trained):
    colour = in_colour(trained)
    rgb = torch.rand(1, 3, 20, 22)
    with torch.no_grad():
        found = ycbcr(colour(rgb))
        base = ycbcr(torch.nn.functional.pixel_shuffle(colour.base(rgb), 2))
        y = trained(torch.from_numpy(ycbcr(rgb)[None, None, ..., 0]))[0, 0].numpy()
    inside = np.s_[2 * colour.radius : -2 * colour.radius, 2 * colour.radius : -2 * colour.radius]
    assert np.abs(y - base[..., 0])[inside].max() > 0.01
    assert_same(found[..., 0][inside], y[inside])
    np.testing.assert_allclose(
        found[..., 1:][inside],
        base[..., 1:][inside],
        # The luma that is taken off the colours again is as large as this.
        atol=1e-5 * np.abs(y[inside]).max(),
    )


def test_a_network_as_wide_as_its_output_is_the_same_in_colour():
    # Inputs and outputs of the tail are as many: where others are an identity at first, it is none.
    torch.manual_seed(1)
    luma = RepNet(scale=2, width=4, depth=1, channels=1, identity=False).eval()
    for parameter in luma.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    colour = in_colour(luma)
    rgb = torch.rand(1, 3, 20, 20)
    with torch.no_grad():
        found = ycbcr(colour(rgb))[..., 0]
        y = luma(torch.from_numpy(ycbcr(rgb)[None, None, ..., 0]))[0, 0].numpy()
    inside = np.s_[2 * colour.radius : -2 * colour.radius, 2 * colour.radius : -2 * colour.radius]
    assert_same(found[inside], y[inside])


def test_the_tail_has_the_planes_of_one_channel(trained):
    colour = in_colour(trained)
    assert colour.trunk(torch.rand(1, 3, 8, 8)).shape == (1, 4, 8, 8)
    assert colour.channels == 3


def test_the_fused_colour_network_gives_the_same(trained):
    colour = in_colour(trained)
    rgb = torch.rand(1, 3, 12, 12)
    with torch.no_grad():
        assert torch.allclose(fuse(colour)(rgb), colour(rgb), atol=1e-4)


def test_the_trained_network_is_not_changed_and_no_number_is_drawn(trained):
    before = {k: v.clone() for k, v in trained.state_dict().items()}
    state = torch.random.get_rng_state()
    in_colour(trained)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in trained.state_dict().items())


def test_a_fused_network_is_refused(trained):
    with pytest.raises(TypeError, match="before `fuse`"):
        in_colour(fuse(trained))


def test_a_network_for_colour_becomes_the_luma_network_again(trained):
    y = torch.rand(1, 1, 14, 12)
    back = in_luma(in_colour(trained))
    assert back.channels == 1
    assert torch.allclose(back(y), trained(y), atol=1e-4)


def test_a_network_that_looks_at_colours_has_no_luma_network():
    torch.manual_seed(0)
    assert in_luma(RepNet(scale=2, width=8, depth=2)) is None
    assert in_luma(RepNet(scale=2, width=8, depth=2, luma=True)) is None
