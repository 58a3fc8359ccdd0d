import msgspec
import numpy as np
import pytest
import torch

from pixelift.infer.engine import open_engine
from pixelift.zoo.ranges import SUFFIX, Ranges
from tests.fakes import write_model

pytest.importorskip("openvino")

from tools.int8_levels import to_levels
from tools.round_weights import STRETCHES, choose, draw_sheets, range_of, steps_of


def test_nothing_is_a_level_of_its_own_and_the_range_is_as_wide_as_asked():
    x = torch.linspace(-1, 3, 1001)
    for stretch in STRETCHES:
        low, high = range_of(x, stretch)
        assert low == pytest.approx(-stretch, abs=0.02)
        assert high == pytest.approx(3 * stretch, abs=0.02)
        assert to_levels(torch.zeros(1), low, high).abs() < 1e-6
    assert range_of(x.clamp(min=0), 1.0) == (0.0, 3.0)


@pytest.mark.parametrize("stretch", STRETCHES)
def test_the_engine_takes_what_is_chosen_and_comes_close(stretch, tmp_path, rng):
    card, path = write_model(tmp_path, width=8)
    crops = torch.tensor(rng.random((4, 3, 24, 24), dtype=np.float32))
    layers = choose(steps_of(card, path), crops, stretch)
    assert [len(layer.weights) for layer in layers] == [8]
    ranges = Ranges(card.sha256, 0.0, "Set5", layers)
    path.with_name(path.stem + SUFFIX).write_bytes(msgspec.json.encode(ranges))
    exact = open_engine(card, path, provider="openvino", precision="f32")
    rounded = open_engine(card, path, provider="openvino")
    if rounded.precision != "int8":
        pytest.skip("integers are for x86 processors")
    lr = crops[:1].numpy()
    assert 0 < np.abs(exact(lr) - rounded(lr)).mean() < 0.005


def test_sheets_are_drawn_in_full_colours(tmp_path):
    folder = draw_sheets(tmp_path / "drawn")
    assert len(list(folder.glob("*.png"))) == 8
