import numpy as np
import pytest
import torch

from pixelift.data.degraded import Degrader
from pixelift.data.halved import Halver
from pixelift.data.pairs import PairDataset
from pixelift.data.sample import CropSampler, Sampling
from pixelift.degrade.draw import PRESETS
from pixelift.image.geometry import Box
from pixelift.image.shrink import shrink
from tests.prepared import make_prepared, natural_photo


@pytest.fixture(scope="module")
def photo():
    return natural_photo(np.random.default_rng(5), 420, 333)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("halved"))


def halved(photo, box, *, scale):
    return Halver(1.0, scale, 3).take(photo, box, index=0)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("corner", [(0, 0), (120, 96), (360, 264)])
def test_a_halved_crop_is_part_of_the_halved_photo(photo, scale, corner):
    box = Box(*corner, 60, 60)
    picture, place = halved(photo, box, scale=scale)
    assert place.size == box.size
    assert place.top % scale == place.left % scale == 0
    # Pictures and crops begin at even pixels, so that one is a part of the other.
    whole = shrink(photo, 2)
    crop = picture[place.slices]
    assert crop.shape == (60, 60, 3)
    found = [
        (top, left)
        for top in range(whole.shape[0] - 59)
        for left in range(whole.shape[1] - 59)
        if np.array_equal(whole[top, left : left + 60], crop[0])
    ]
    ((top, left),) = found
    assert np.array_equal(whole[top : top + 60, left : left + 60], crop)
    # The middle of the crop stays where it was, unless the border is near.
    if corner == (120, 96):
        assert abs(2 * top + 60 - 150) <= 2 * scale
        assert abs(2 * left + 60 - 126) <= 2 * scale


def test_a_photo_too_small_to_be_halved_is_left_alone():
    photo = natural_photo(np.random.default_rng(5), 100, 300)
    box = Box(4, 8, 64, 64)
    picture, place = halved(photo, box, scale=4)
    assert picture is photo
    assert place == box


def test_a_share_of_the_crops_is_halved_and_the_same_ones_each_time(photo):
    box = Box(120, 96, 60, 60)

    def which():
        halver = Halver(0.3, 4, 7)
        return [halver.take(photo, box, index=n)[0] is not photo for n in range(200)]

    assert which() == which()
    assert 0.2 < np.mean(which()) < 0.4


@pytest.mark.parametrize("preset", ["clean", "photo"])
def test_lr_is_made_of_the_halved_crop(prepared, preset):
    def dataset(share):
        sampler = CropSampler(prepared, scale=2, hr_patch=32, rule=Sampling(), seed=1)
        degrader = Degrader(PRESETS[preset], 0.0, 2, 1)
        return PairDataset(
            prepared, sampler, scale=2, batch=4, degrader=degrader, halver=Halver(share, 2, 1)
        )

    plain, small = dataset(0.0)[3], dataset(1.0)[3]
    assert plain.hr.shape == small.hr.shape
    assert not torch.equal(plain.hr, small.hr)
    if preset == "clean":
        for lr, hr in zip(small.lr, small.hr, strict=True):
            shrunk = shrink(hr.permute(1, 2, 0).contiguous().numpy(), 2)
            off = lr.permute(1, 2, 0).numpy().astype(int) - shrunk
            # Shrinking rounds after the rows, so that a turned crop may be off by one.
            assert np.abs(off[4:-4, 4:-4]).max() <= 1
    means = small.lr.float().mean((2, 3)), small.hr.float().mean((2, 3))
    assert torch.allclose(*means, atol=12)
