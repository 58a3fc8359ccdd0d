import numpy as np
import pytest
from PIL import Image

from pixelift.data.sample import CropSampler
from pixelift.errors import DatasetError
from pixelift.patches.dataset import Settings, open_dataset
from pixelift.patches.prepare import collect_photos, prepare
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("sample"))


def sampler(prepared, **changes):
    options = {"scale": 4, "hr_patch": 32, "uniform_share": 0.25, "seed": 3} | changes
    return CropSampler(prepared, **options)


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
    settings = Settings(scales=(4,), patch=48, stride=24, holdout=0)
    prepare(collect_photos([tmp_path / "train"], "train"), tmp_path / "b", settings=settings)
    prepared = open_dataset(tmp_path / "b")
    sky = next(p.number for p in prepared.manifest.pictures if p.name == "sky.png")

    def share(uniform_share):
        draws = sampler(prepared, uniform_share=uniform_share)
        return np.mean([draws.draw(i).picture == sky for i in range(600)])

    assert share(0.0) < 0.01
    assert share(1.0) == pytest.approx(1 / 3, abs=0.08)
    assert share(0.5) == pytest.approx(1 / 6, abs=0.06)


def test_a_scale_that_was_not_prepared_is_refused(prepared):
    with pytest.raises(DatasetError, match=r"prepared for scales x2, x4, the recipe trains x3"):
        sampler(prepared, scale=3, hr_patch=48)


def test_photos_smaller_than_a_crop_are_refused(prepared):
    with pytest.raises(DatasetError, match=r"Lower data\.lr_patch"):
        sampler(prepared, hr_patch=200)
