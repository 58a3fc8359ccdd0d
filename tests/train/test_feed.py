import numpy as np
import pytest
from msgspec.structs import replace

from pixelift.data.sample import Sampling
from pixelift.errors import WrongDatasetError
from pixelift.train.config import DataSettings, ModelSettings, Recipe, RunSettings
from pixelift.train.feed import training_pairs, validation_pairs
from tests.prepared import make_prepared

RECIPE = Recipe(
    model=ModelSettings(scale=2),
    data=DataSettings(lr_patch=12, batch=4, degrade="photo", clean_share=0.5),
    run=RunSettings(seed=3, valid_crop=64),
)


REACH = 8
"""LR pixels that a network of the default depth sees on each side."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("feed"))


def test_the_parts_of_a_batch_are_the_batch(prepared):
    whole = training_pairs(RECIPE, prepared)[5]
    parts = [training_pairs(RECIPE, prepared, part=(n, 2))[5] for n in (0, 1)]
    assert whole.lr.shape == (4, 3, 12, 12)
    assert whole.hr.shape == (4, 3, 24, 24)
    for name in ("lr", "hr"):
        halves = [getattr(part, name).numpy() for part in parts]
        assert np.array_equal(getattr(whole, name).numpy(), np.concatenate(halves))


def test_another_seed_draws_other_crops(prepared):
    other = replace(RECIPE, run=replace(RECIPE.run, seed=4))
    first, second = (training_pairs(recipe, prepared)[0] for recipe in (RECIPE, other))
    assert not np.array_equal(first.hr.numpy(), second.hr.numpy())


def test_what_is_measured_is_degraded_as_the_recipe_says(prepared):
    clean = replace(RECIPE, data=replace(RECIPE.data, degrade="clean"))
    ((lr, hr),), ((clean_lr, clean_hr),) = (validation_pairs(r, prepared) for r in (RECIPE, clean))
    seen = 2 * 2 * REACH
    assert hr.shape == (64 + seen, 64 + seen, 3)
    assert np.array_equal(hr, clean_hr)
    assert lr.shape == clean_lr.shape == (1, 3, 32 + 2 * REACH, 32 + 2 * REACH)
    assert not np.array_equal(lr.numpy(), clean_lr.numpy())


@pytest.fixture(scope="module")
def kept_as_luma(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("feed_y"), channels="y")


@pytest.mark.parametrize("by", ["uniform", "restoration_error"])
def test_a_network_for_luma_sees_the_same_in_a_set_of_rgb_as_in_one_of_luma(
    prepared, kept_as_luma, by
):
    assert prepared.patches.tobytes() == kept_as_luma.patches.tobytes()
    recipe = replace(
        RECIPE,
        model=ModelSettings(scale=2, dials={"channels": 1}),
        data=replace(RECIPE.data, batch=24, halved_share=0.4, sampling=Sampling(by=by)),
    )
    ours, theirs = (
        training_pairs(recipe, prepared_set)[2] for prepared_set in (prepared, kept_as_luma)
    )
    assert ours.hr.shape == (24, 1, 24, 24)
    assert np.array_equal(ours.lr.numpy(), theirs.lr.numpy())
    assert np.array_equal(ours.hr.numpy(), theirs.hr.numpy())
    (pair,), (expected,) = (validation_pairs(recipe, s) for s in (prepared, kept_as_luma))
    for shown, wanted in zip(pair, expected, strict=True):
        assert np.array_equal(np.asarray(shown), np.asarray(wanted))


def test_a_set_without_validation_photos_is_refused(prepared, monkeypatch):
    monkeypatch.setattr(type(prepared), "numbers", lambda *_: [])
    with pytest.raises(WrongDatasetError, match=r"no validation photos\. Prepare it again with"):
        validation_pairs(RECIPE, prepared)
