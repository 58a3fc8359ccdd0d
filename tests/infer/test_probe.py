import importlib.util

import pytest

from pixelift.errors import WeightsError
from pixelift.infer.engine_foreign import open_runner
from pixelift.infer.probe import probe
from tests import strangers

if importlib.util.find_spec("openvino") is None:
    pytest.skip("OpenVINO is not installed", allow_module_level=True)


def found(data):
    runner, _, shapes = open_runner(data, provider="openvino", threads=1)
    return probe(runner, shapes)


@pytest.mark.parametrize(("scale", "channels", "depth"), [(2, 3, 3), (4, 1, 4), (3, 3, 1)])
def test_scale_channels_and_radius_are_those_it_was_made_with(scale, channels, depth):
    limits = found(strangers.plain(scale=scale, channels=channels, depth=depth, width=6, gain=3))
    assert (limits.scale, limits.channels) == (scale, "rgb" if channels == 3 else "y")
    # The kernel of the interpolation reaches two pixels.
    assert limits.radius == max(depth, 2)
    assert (limits.top, limits.fixed) == (1, None)


def test_a_network_of_one_size_is_told_by_its_size():
    limits = found(strangers.fixed(32, scale=2, depth=2, width=4))
    assert limits.fixed == (32, 32)
    assert limits.radius == 2


def test_a_network_that_takes_0_to_255_is_found_out():
    assert found(strangers.of_255()).top == 255


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (strangers.with_global_pooling(), r"global pooling or attention.*seams.*Take a network"),
        (strangers.in_squares_of_two(), r"multiples of 2.*seams"),
        (strangers.inverted(), r"does not give a smooth picture back"),
        (strangers.same_size(), r"allowed is 2 to 16 times.*SRCNN"),
        (strangers.of_two_inputs(), r"2 inputs; allowed is one picture"),
        (strangers.of_four_channels(), r"\(\?, 4, \?, \?\).*allowed is \(1, C, height, width\)"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(data, message):
    with pytest.raises(WeightsError, match=message):
        found(data)


def test_a_file_that_is_no_network_is_refused():
    with pytest.raises(WeightsError, match="cannot be loaded"):
        found(b"\x08\x08nothing of the kind")
