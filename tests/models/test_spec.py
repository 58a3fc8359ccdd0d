import pytest
import torch

from pixelift.errors import ConfigError, UnknownNameError
from pixelift.models.fuse import fuse
from pixelift.models.spec import (
    ARCHITECTURES,
    all_dials,
    build_model,
    count_macs,
    count_parameters,
)

SMALL = {
    "srcnn": {"width": 8, "mapping": 6},
    "fsrcnn": {"width": 8, "shrunk": 4, "depth": 2},
    "espcn": {"width": 8, "mapping": 6},
    "vdsr": {"width": 8, "depth": 4},
    "srresnet": {"width": 8, "blocks": 1},
    "edsr": {"width": 8, "blocks": 2},
    "repnet": {"width": 8, "depth": 2},
    "gatenet": {"width": 8, "blocks": 1},
}


@pytest.fixture(params=sorted(ARCHITECTURES))
def name(request):
    return request.param


@pytest.fixture(params=[2, 3, 4])
def network(name, request):
    torch.manual_seed(0)
    return build_model(name, scale=request.param, **SMALL[name]).eval()


def test_any_size_comes_out_scaled_finite_and_float32(network):
    for height, width in ((1, 1), (7, 10), (16, 5)):
        sr = network(torch.rand(2, 3, height, width))
        assert sr.shape == (2, 3, height * network.scale, width * network.scale)
        assert sr.isfinite().all()
        assert sr.dtype == torch.float32


def test_the_gradient_reaches_every_parameter(network):
    network(torch.rand(1, 3, 12, 12)).square().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0, key


def test_the_radius_is_what_an_impulse_reaches(network):
    side = 2 * network.radius + 9
    lr = torch.rand(1, 3, side, side, requires_grad=True)
    middle = slice(side // 2 * network.scale, (side // 2 + 1) * network.scale)
    network(lr)[0, :, middle, middle].sum().backward()
    rows = lr.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    reach = max(side // 2 - int(rows.min()), int(rows.max()) - side // 2)
    assert reach <= network.radius
    assert reach >= min(network.radius, 2)


def test_fusing_changes_the_output_by_rounding_only(network):
    lr = torch.rand(1, 3, 20, 17)
    with torch.no_grad():
        assert torch.allclose(fuse(network)(lr), network(lr), atol=1e-5)
    assert count_parameters(fuse(network)) <= count_parameters(network)


def test_weights_survive_a_round_trip(network, name):
    torch.manual_seed(1)
    other = build_model(name, scale=network.scale, **SMALL[name]).eval()
    other.load_state_dict(network.state_dict())
    lr = torch.rand(1, 3, 9, 9)
    assert torch.equal(other(lr), network(lr))


def test_parameters_and_macs_of_the_balanced_network():
    fused = fuse(build_model("repnet", scale=4, width=32, depth=6))
    convolutions = 9 * (3 * 32 + 6 * 32 * 32 + 32 * 48)
    assert count_parameters(fused) == convolutions + 7 * 32 + 48
    assert count_macs(fused) == convolutions + 25 * 48


# Weights of the convolutions and PReLU slopes, as the papers give them or as their figures add up.
PUBLISHED = {
    "srcnn": (3, 8_032 + 97),
    "fsrcnn": (3, 12_464 + 56 + 12 + 4 * 12 + 56 + 1 + 2 * 56 + 5 * 12),
    "espcn": (3, 22_624 + 64 + 32 + 9),
    "vdsr": (2, 664_704 + 19 * 64 + 1),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_on_luma_have_the_size_that_their_papers_give(name):
    scale, parameters = PUBLISHED[name]
    assert count_parameters(build_model(name, scale=scale, channels=1)) == parameters


@pytest.mark.parametrize(("scale", "millions"), [(2, 1.37), (3, 1.55), (4, 1.52)])
def test_edsr_baseline_has_the_size_that_is_reported_of_it(scale, millions):
    assert count_parameters(build_model("edsr", scale=scale)) / 1e6 == pytest.approx(
        millions, abs=0.01
    )


def test_multiply_accumulates_at_hr_count_for_each_hr_pixel():
    macs = count_macs(build_model("srcnn", scale=3, channels=1))
    assert macs == 9 * 8032 + 25 * 9
    # A transposed kernel meets every LR pixel once: 12,464 weights, all at LR.
    assert count_macs(build_model("fsrcnn", scale=3, channels=1)) == 12_464
    # 114 and 316 G for a result of 1280x720 are what surveys report of x4 and x2.
    edsr = count_macs(build_model("edsr", scale=4)) * 320 * 180
    assert edsr / 1e9 == pytest.approx(114, abs=1)


def test_a_scale_that_sub_pixel_steps_cannot_make_is_refused():
    with pytest.raises(ConfigError, match=r"model\.scale is 5; this architecture allows 2, 3, 4"):
        build_model("edsr", scale=5)


def test_all_dials_are_listed_whether_they_are_set_or_not():
    told = all_dials("srresnet", blocks=4)
    assert told == {"width": 64, "blocks": 4, "channels": 3}
    assert all_dials("repnet", skips=True)["skips"] is True


def test_unknown_names_and_dials_are_refused():
    with pytest.raises(UnknownNameError, match=r'no architecture "repnat"\. Did you mean "repnet"'):
        build_model("repnat", scale=2)
    with pytest.raises(ConfigError, match='repnet has no dial "hight"; it has width, depth'):
        build_model("repnet", scale=2, hight=3)
    with pytest.raises(ConfigError, match=r"model\.dials\.width is 0"):
        build_model("repnet", scale=2, width=0)
    with pytest.raises(ConfigError, match=r"model\.dials\.identity is 1; it must be true or"):
        build_model("repnet", scale=2, identity=1)
    with pytest.raises(ConfigError, match=r"model\.dials\.width is True; it must be a whole"):
        build_model("repnet", scale=2, width=True)
