import numpy as np
import pytest
import torch

from pixelift.data.degraded import Degrader
from pixelift.data.pairs import PairDataset, batches
from pixelift.data.sample import CropSampler, Sampling
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS, Degradation
from pixelift.degrade.plan import Plan, Resize
from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box
from tests.prepared import make_prepared, natural_photo

BOXES = [Box(16, 32, 32, 32), Box(0, 0, 32, 32), Box(64, 88, 32, 32)]


@pytest.fixture(scope="module")
def photos():
    rng = np.random.default_rng(2)
    return [natural_photo(rng, 96, 120) for _ in BOXES]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("degraded"))


def make_dataset(prepared, *, preset="photo", clean_share=0.2, seed=1):
    sampler = CropSampler(prepared, scale=2, hr_patch=32, rule=Sampling(), seed=seed)
    degrader = Degrader(PRESETS[preset], clean_share, 2, seed)
    return PairDataset(prepared, sampler, scale=2, batch=5, degrader=degrader)


def test_clean_crops_are_those_without_a_degrader(prepared):
    sampler = CropSampler(prepared, scale=2, hr_patch=32, rule=Sampling(), seed=1)
    plain = PairDataset(prepared, sampler, scale=2, batch=5)
    for dataset in (
        make_dataset(prepared, preset="clean"),
        make_dataset(prepared, clean_share=1.0),
    ):
        for step in (0, 7):
            assert torch.equal(dataset[step].lr, plain[step].lr)
            assert torch.equal(dataset[step].hr, plain[step].hr)


def test_only_lr_is_degraded_and_a_share_of_it_stays_clean(prepared):
    plain, degraded = make_dataset(prepared, preset="clean"), make_dataset(prepared)
    same = []
    for step in range(30):
        a, b = plain[step], degraded[step]
        assert torch.equal(a.hr, b.hr)
        same += [torch.equal(x, y) for x, y in zip(a.lr, b.lr, strict=True)]
    assert 0.08 < np.mean(same) < 0.4


def test_a_crop_depends_on_seed_and_index_alone(prepared):
    dataset, fresh = make_dataset(prepared), make_dataset(prepared)
    for step in (9, 4, 0, 4):
        again = dataset[step]
    assert torch.equal(fresh[4].lr, again.lr)
    assert not torch.equal(make_dataset(prepared, seed=2)[4].lr, again.lr)


def test_a_crop_is_the_same_in_a_batch_of_another_size(photos):
    degrader = Degrader(PRESETS["photo"], 0.3, 4, 5)
    together = degrader.crops(photos, BOXES, first=7)
    for n in range(3):
        alone = degrader.crops(photos[n : n + 1], BOXES[n : n + 1], first=7 + n)
        assert np.array_equal(alone[0], together[n])


def test_blurred_and_resized_crops_are_those_of_the_whole_picture(photos):
    # Without noise and compression, whose seeds and blocks begin with the crop.
    only = Degradation(kernels=("lanczos", "area"), blur_share=1.0, blur_lr_px=(0.2, 0.7))
    degrader = Degrader(only, 0.0, 4, 3)
    crops = degrader.crops(photos, BOXES, first=0)
    for n, box in enumerate(BOXES):
        whole = apply_plan(photos[n], degrader.plan(n))
        assert np.array_equal(crops[n], whole[box.unscaled(4).slices])


def test_blocks_begin_anywhere_in_a_crop(photos):
    only = Degradation(compress_share=1.0, quality=(1, 1))
    degrader = Degrader(only, 0.0, 2, 3)
    boxes = [Box(0, 0, 64, 64)] * 40
    crops = degrader.crops([photos[0]] * 40, boxes, first=0).astype(int)
    steps = np.abs(np.diff(crops, axis=2)).sum(axis=(1, 3))
    starts = {int(np.argmax(line.reshape(-1)[:24].reshape(3, 8).sum(axis=0))) for line in steps}
    assert len(starts) >= 6


def test_the_plan_of_a_crop_is_what_was_done_to_it():
    degrader = Degrader(Degradation(kernels=("area",)), 0.0, 2, 0)
    assert degrader.plan(3) == Plan(scale=2, steps=(Resize(hr_per_px=2.0, kernel="area"),))
    photo = natural_photo(np.random.default_rng(1), 64, 64)
    crop = degrader.crops([photo], [Box(0, 0, 64, 64)], first=3)[0]
    clean = downscale_crops([photo], [Box(0, 0, 64, 64)], scale=2)[0]
    assert np.array_equal(crop, apply_plan(photo, degrader.plan(3)))
    assert not np.array_equal(crop, clean)


@pytest.mark.slow  # a process that imports torch anew
def test_a_process_beside_this_one_makes_the_same_batches(prepared):
    dataset = make_dataset(prepared)
    alone = list(batches(dataset, first=0, last=3, workers=0))
    helped = list(batches(dataset, first=0, last=3, workers=1))
    for (_, a), (_, b) in zip(alone, helped, strict=True):
        assert torch.equal(a.lr, b.lr)
