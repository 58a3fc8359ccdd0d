from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixelift.data.sample import CropSampler, Sampling
from pixelift.errors import DatasetError
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings, open_dataset
from pixelift.patches.prepare import prepare
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("sample"))


def sampler(prepared, *, scale=4, hr_patch=32, seed=3, **rule):
    chosen = Sampling(**({"by": "restoration_error"} | rule))
    return CropSampler(prepared, scale=scale, hr_patch=hr_patch, rule=chosen, seed=seed)


@pytest.mark.parametrize("hr_patch", [32, 48, 96])
@pytest.mark.parametrize("uniform_share", [0.0, 1.0])
def test_crops_lie_inside_of_their_picture_and_on_the_grid(prepared, hr_patch, uniform_share):
    draws = sampler(prepared, hr_patch=hr_patch, uniform_share=uniform_share)
    for index in range(300):
        crop = draws.draw(index)
        height, width = prepared.picture(crop.picture).shape[:2]
        assert crop.box.top >= 0 <= crop.box.left
        assert crop.box.bottom <= height
        assert crop.box.right <= width
        crop.box.unscaled(4)


def test_a_crop_depends_on_seed_and_index_alone(prepared):
    forwards = [sampler(prepared).draw(i) for i in range(20)]
    again = sampler(prepared)
    assert [again.draw(i) for i in reversed(range(20))] == forwards[::-1]
    assert [sampler(prepared, seed=4).draw(i) for i in range(20)] != forwards


def test_places_with_more_to_learn_are_drawn_more_often(tmp_path):
    make_prepared(tmp_path, photos=2)
    grey = np.full((96, 120, 3), 99, np.uint8)
    grey[0, 0] = 120
    Image.fromarray(grey).save(tmp_path / "train" / "sky.png")
    settings = Settings(holdout=0, screens=False)
    prepare(collect_photos([tmp_path / "train"], "train"), tmp_path / "b", settings=settings)
    prepared = open_dataset(tmp_path / "b")
    sky = next(p.number for p in prepared.manifest.pictures if p.name == "sky.png")

    def share(uniform_share, **rule):
        draws = sampler(prepared, uniform_share=uniform_share, **rule)
        return np.mean([draws.draw(i).picture == sky for i in range(600)])

    assert share(0.0) < 0.01
    assert share(1.0) == pytest.approx(1 / 3, abs=0.08)
    assert share(0.5) == pytest.approx(1 / 6, abs=0.06)
    assert share(0.0, by="uniform") == pytest.approx(1 / 3, abs=0.08)
    assert share(0.0, by="variance") < 0.01
    assert share(0.0, by="edge_density") < 0.01


def with_scores(prepared, scores):
    """Give the first picture's patches scores by hand and leave the other pictures out."""
    number = prepared.numbers("train")[0]
    rows = prepared.patches[prepared.patches["picture"] == number].copy()
    rows["restoration_error"], rows["reason"] = scores, ""
    return replace(prepared, patches=rows), rows


def drawn(draws, rows, count=400):
    """Count how often each patch is the one that a crop's centre lies in."""
    hits = np.zeros(len(rows), int)
    for index in range(count):
        box = draws.draw(index).box
        centre = np.array([box.top + box.height / 2, box.left + box.width / 2]) // 48 * 48
        hits[(rows["top"] == centre[0]) & (rows["left"] == centre[1])] += 1
    return hits


def test_the_power_and_the_ends_of_a_rule_decide_which_places_are_drawn(prepared):
    known, rows = with_scores(prepared, [1, 2, 3, 100])

    def hits(**rule):
        return drawn(sampler(known, hr_patch=16, uniform_share=0.0, **rule), rows)

    assert hits()[3] > 0.6 * 400
    assert hits(drop_hardest=0.25)[3] < hits()[3] / 3
    assert hits(power=0.0)[0] > 60
    assert hits(keep=0.5)[2:].sum() > hits()[2:].sum()


def test_a_crop_of_several_patches_is_scored_by_all_of_them(prepared):
    known, rows = with_scores(prepared, [4, 0, 0, 0])
    draws = sampler(known, hr_patch=96, uniform_share=0.0)
    assert {draws.draw(i).box.height for i in range(20)} == {96}
    assert drawn(draws, rows).sum() == 400


def test_rejected_patches_are_not_drawn_around(prepared):
    known, rows = with_scores(prepared, [1, 1, 1, 1000])
    rows["reason"][3] = "clipped"
    assert drawn(sampler(known, hr_patch=16, uniform_share=0.0), rows)[3] < 100


def test_what_a_network_restores_can_be_the_measure(prepared):
    known, rows = with_scores(prepared, [50, 50, 50, 50])
    rows["network_loss"] = [50, 60, 50, 10]
    draws = sampler(known, hr_patch=16, by="restoration_gain", uniform_share=0.0)
    hits = drawn(draws, rows)
    assert hits[3] > 0.4 * 400
    assert {draws.draw(i).picture for i in range(50)} == {int(rows["picture"][0])}


def test_a_measure_that_was_not_taken_is_refused(prepared):
    with pytest.raises(DatasetError, match=r"no network loss.*--network balanced"):
        sampler(prepared, by="network_loss")


def test_photos_smaller_than_a_crop_are_refused(prepared):
    with pytest.raises(DatasetError, match=r"Lower data\.lr_patch"):
        sampler(prepared, hr_patch=200)
