import pytest
import torch

from pixelift.errors import ConfigError, UnknownNameError
from pixelift.models.fuse import fuse
from pixelift.models.spec import ARCHITECTURES, build_model, count_macs, count_parameters

SMALL = {"repnet": {"width": 8, "depth": 2}}


@pytest.fixture(params=sorted(ARCHITECTURES))
def name(request):
    return request.param


@pytest.fixture(params=[2, 3, 4])
def network(name, request):
    torch.manual_seed(0)
    return build_model(name, scale=request.param, **SMALL[name])


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
    assert count_parameters(fuse(network)) < count_parameters(network)


def test_weights_survive_a_round_trip(network, name):
    torch.manual_seed(1)
    other = build_model(name, scale=network.scale, **SMALL[name])
    other.load_state_dict(network.state_dict())
    lr = torch.rand(1, 3, 9, 9)
    assert torch.equal(other(lr), network(lr))


def test_parameters_and_macs_of_the_balanced_network():
    fused = fuse(build_model("repnet", scale=4, width=32, depth=6))
    convolutions = 9 * (3 * 32 + 6 * 32 * 32 + 32 * 48)
    assert count_parameters(fused) == convolutions + 7 * 32 + 48
    assert count_macs(fused) == convolutions + 25 * 48


def test_unknown_names_and_dials_are_refused():
    with pytest.raises(UnknownNameError, match=r'no architecture "repnat"\. Did you mean "repnet"'):
        build_model("repnat", scale=2)
    with pytest.raises(ConfigError, match='repnet has no dial "hight"; it has width, depth'):
        build_model("repnet", scale=2, hight=3)
    with pytest.raises(ConfigError, match=r"model\.width is 0"):
        build_model("repnet", scale=2, width=0)
