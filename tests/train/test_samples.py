import numpy as np
import pytest
import torch
from PIL import Image

from pixelift.image.resize import upscale
from pixelift.models.repnet import RepNet
from pixelift.train.samples import draw_sample, write_png
from pixelift.train.validate import validation_crops
from tests.prepared import make_prepared


def test_a_written_png_is_read_back_as_it_was(tmp_path, rng):
    pixels = rng.integers(0, 256, (13, 29, 3), dtype=np.uint8)
    write_png(pixels, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def interpolation(channels=3):
    network = RepNet(scale=2, width=5, depth=1, channels=channels)
    torch.nn.init.zeros_(network.tail.mix)
    return network


@pytest.mark.parametrize("channels", ["rgb", "y"])
def test_each_row_shows_bicubic_network_and_original(tmp_path, channels):
    prepared = make_prepared(tmp_path, photos=2, valid=2, channels=channels)
    pairs = validation_crops(prepared, scale=2, side=80)
    sample = draw_sample(interpolation(1 if channels == "y" else 3), pairs, scale=2)
    assert sample.shape == (2 * 80 + 4, 3 * 80 + 2 * 4, 3)
    bicubic, network, original = (sample[84:, at : at + 80] for at in (0, 84, 168))
    lr, hr = pairs[1]
    assert np.abs(original - hr * 255.0).max() < 0.51
    expected = upscale(lr[0].permute(1, 2, 0).numpy(), 2).clip(0, 1)
    assert np.abs(bicubic - expected * 255.0).max() < 0.51
    # An untrained network interpolates, with another border.
    inside = (slice(6, -6), slice(6, -6))
    assert np.abs(network[inside].astype(int) - bicubic[inside]).max() <= 1
    assert (sample[80:84] == 255).all()


def test_the_most_detailed_spot_is_shown():
    hr = np.full((400, 420, 3), 0.5, np.float32)
    hr[190:390:2, 200:400] = 1
    lr = torch.from_numpy(hr[::2, ::2].copy()).permute(2, 0, 1)[None]
    sample = draw_sample(interpolation(), [(lr, hr)], scale=2)
    original = sample[:, -192:]
    assert (original[:, 8:-8].std(axis=0) > 50).all()


def test_photos_smaller_than_a_spot_are_shown_whole(rng):
    sizes = ((40, 60), (24, 30))
    pairs = []
    for height, width in sizes:
        hr = rng.random((height, width, 3), dtype=np.float32)
        lr = torch.from_numpy(hr[::2, ::2].copy()).permute(2, 0, 1)[None]
        pairs.append((lr, hr))
    assert draw_sample(interpolation(), pairs, scale=2).shape == (40 + 4 + 24, 3 * 40 + 8, 3)
