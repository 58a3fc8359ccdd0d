import numpy as np
import pytest
import torch

from pixelift.data.halved import Halver
from pixelift.data.pairs import PairDataset, batches
from pixelift.data.sample import CropSampler, Sampling
from pixelift.image.dihedral import DIHEDRAL, inverse
from pixelift.image.resize import downscale
from tests.drawn_set import draw_set
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def sampler(prepared):
    return CropSampler(prepared, scale=2, hr_patch=32, rule=Sampling(), seed=1)


@pytest.fixture(scope="module")
def dataset(prepared, sampler):
    return PairDataset(prepared, sampler, scale=2, batch=5)


def test_a_batch_holds_bytes_of_the_right_shape(dataset):
    batch = dataset[0]
    assert batch.lr.shape == (5, 3, 16, 16)
    assert batch.hr.shape == (5, 3, 32, 32)
    assert batch.lr.dtype == batch.hr.dtype == torch.uint8


def test_lr_is_the_bicubic_of_the_whole_picture_at_the_same_place(prepared, sampler, dataset):
    step = 7
    batch = dataset[step]
    for n in range(5):
        crop = sampler.draw(step * 5 + n)
        lr = inverse(batch.lr[n].permute(1, 2, 0).numpy(), crop.turn)
        hr = inverse(batch.hr[n].permute(1, 2, 0).numpy(), crop.turn)
        whole = prepared.picture(crop.picture)
        assert np.array_equal(hr, whole[crop.box.slices])
        assert np.array_equal(lr, downscale(np.array(whole), 2)[crop.box.unscaled(2).slices])


def test_each_of_the_eight_turns_moves_every_pixel_to_its_place(prepared, sampler, dataset):
    seen = set()
    for step in range(20):
        batch = dataset[step]
        for n in range(5):
            crop = sampler.draw(step * 5 + n)
            seen.add(crop.turn)
            hr = inverse(batch.hr[n].permute(1, 2, 0).numpy(), crop.turn)
            assert np.array_equal(hr, prepared.picture(crop.picture)[crop.box.slices])
    assert seen == set(DIHEDRAL)


def test_a_batch_lies_in_memory_as_the_convolutions_want_it(dataset):
    for tensor in (dataset[2].lr, dataset[2].hr):
        assert tensor.is_contiguous(memory_format=torch.channels_last)


def test_a_step_is_the_same_after_others_and_in_a_fresh_dataset(prepared, sampler, dataset):
    fresh = PairDataset(prepared, sampler, scale=2, batch=5)[4]
    for step in (9, 4, 0, 4):
        again = dataset[step]
    assert torch.equal(fresh.lr, again.lr)
    assert torch.equal(fresh.hr, again.hr)


def test_a_set_of_luma_gives_batches_of_one_channel(tmp_path):
    drawn = draw_set(tmp_path, [(96, 144, 1)])
    sampler = CropSampler(drawn, scale=4, hr_patch=64, rule=Sampling(), seed=3)
    batch = PairDataset(drawn, sampler, scale=4, batch=8)[0]
    assert batch.lr.shape == (8, 1, 16, 16)
    assert batch.hr.shape == (8, 1, 64, 64)
    whole = downscale(np.array(drawn.picture(0)), 4)
    for n in range(8):
        crop = sampler.draw(n)
        lr = inverse(batch.lr[n].permute(1, 2, 0).numpy(), crop.turn)
        assert np.array_equal(lr, whole[crop.box.unscaled(4).slices])


# More workers than cores are slow, not wrong: this test asks for them on purpose.
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_changes_nothing(dataset, workers):
    alone = list(batches(dataset, first=3, last=9, workers=0))
    helped = list(batches(dataset, first=3, last=9, workers=workers))
    assert [step for step, _ in helped] == list(range(3, 9))
    for (_, a), (_, b) in zip(alone, helped, strict=True):
        assert torch.equal(a.lr, b.lr)
        assert torch.equal(a.hr, b.hr)


def test_what_needs_libvips_is_not_made_by_forked_processes(prepared, sampler, dataset):
    halving = PairDataset(
        prepared, sampler, scale=2, batch=5, halver=Halver(share=1.0, scale=2, seed=1)
    )
    assert dataset.forks_safely
    assert not halving.forks_safely
    downscale(np.zeros((64, 64, 3), np.uint8), 2)  # libvips is used before the workers are there
    ((_, alone),) = batches(halving, first=0, last=1, workers=0)
    ((_, helped),) = batches(halving, first=0, last=1, workers=1)
    assert torch.equal(alone.lr, helped.lr)
