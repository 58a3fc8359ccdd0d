import msgspec
import pytest

from pixelift.errors import WeightsError
from pixelift.zoo import ranges as ranges_module
from pixelift.zoo.ranges import SUFFIX, Layer, Ranges, read_ranges
from pixelift.zoo.store import find_model, list_models
from tests.fakes import make_card, model_bytes

GOOD = Ranges("", 0.01, "Set5 0.0100 dB", [Layer(0.0, 1.0, [0.5, 0.25], [0.0, 0.1])])


@pytest.fixture
def network(tmp_path):
    data = model_bytes()
    path = tmp_path / "fake_x2.onnx"
    path.write_bytes(data)
    return make_card(data=data), path


def write(path, ranges):
    path.with_name(path.stem + SUFFIX).write_bytes(msgspec.json.encode(ranges))


def test_ranges_are_read_from_beside_the_network(network):
    card, path = network
    assert read_ranges(card, path) is None
    ranges = msgspec.structs.replace(GOOD, sha256=card.sha256)
    write(path, ranges)
    assert read_ranges(card, path) == ranges


def test_ranges_of_another_version_are_not_taken(network):
    card, path = network
    write(path, msgspec.structs.replace(GOOD, sha256="0" * 64))
    assert read_ranges(card, path) is None


@pytest.mark.parametrize(
    "text", [b"", b"{}", b'{"sha256": 3}', b"[" * 5000, b"\xff", b'{"sha256":"","x":1}']
)
def test_a_damaged_file_is_told_in_one_line(network, text):
    card, path = network
    path.with_name(path.stem + SUFFIX).write_bytes(text)
    with pytest.raises(WeightsError, match=r"cannot be used.*delete it") as info:
        read_ranges(card, path)
    assert "\n" not in str(info.value)


def test_a_file_that_is_too_large_is_not_parsed(network, monkeypatch):
    card, path = network
    monkeypatch.setattr(ranges_module, "MAX_BYTES", 10)
    write(path, GOOD)
    with pytest.raises(WeightsError, match="more than 10 bytes"):
        read_ranges(card, path)


def test_packaged_ranges_name_their_loss_or_are_of_another_network():
    for card in list_models():
        ranges = read_ranges(*find_model(card.name, scale=card.scale))
        if ranges is not None:
            assert 0 < ranges.loss_db < 0.1
            assert "Set5" in ranges.measured_on
