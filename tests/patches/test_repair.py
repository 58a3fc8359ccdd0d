from pathlib import Path

import numpy as np
import pytest
import pyvips

from pixelift.image.color import luma as luma_of
from pixelift.image.resize import downscale
from pixelift.patches.artefacts import measure_artefacts
from pixelift.patches.repair import HALVED, LARGE, repair
from pixelift.patches.screen import Limits, screen_picture

PHOTO = Path(__file__).parents[2] / "examples" / "great_hall.jpg"


@pytest.fixture(scope="module")
def large():
    """Hand out a photo with a shorter side of at least `LARGE`: the bundled one, mirrored below."""
    photo = pyvips.Image.new_from_file(str(PHOTO)).numpy()
    return np.ascontiguousarray(np.concatenate([photo, photo[::-1]])[: LARGE + 24])


def compressed(rgb, quality):
    encoded = pyvips.Image.new_from_array(rgb).jpegsave_buffer(Q=quality)
    pixels = pyvips.Image.new_from_buffer(encoded, "").numpy()
    pixels.flags.writeable = False
    return pixels


def measures_of(rgb):
    return measure_artefacts(luma_of(rgb.astype(np.float32) / np.float32(255)))


def test_a_large_photo_with_blocks_is_halved_and_then_passes(large):
    spoilt = compressed(large, 30)
    verdict = screen_picture(measures_of(spoilt), Limits())
    assert verdict is not None
    assert verdict.rule == "blockiness"
    repaired = repair(spoilt, measures_of(spoilt), limits=Limits())
    assert repaired is not None
    pixels, done = repaired
    assert done == HALVED
    assert np.array_equal(pixels, downscale(spoilt, 2))
    assert screen_picture(measures_of(pixels), Limits()) is None


def test_a_photo_without_blocks_is_left_alone(large):
    assert repair(large, measures_of(large), limits=Limits()) is None
    assert repair(large, {}, limits=Limits()) is None


def test_a_photo_that_has_no_pixels_to_spare_is_left_alone(large):
    small = compressed(large[: LARGE - 1], 30)
    assert measures_of(small)["blockiness"] > Limits().blockiness_max
    assert repair(small, measures_of(small), limits=Limits()) is None


def test_what_halving_does_not_mend_is_left_alone():
    tiles = np.random.default_rng(3).integers(0, 256, (130, 130, 3), np.uint8)
    blocks = np.kron(tiles, np.ones((8, 8, 1), np.uint8))
    assert measures_of(blocks)["blockiness"] > 5
    assert repair(blocks, measures_of(blocks), limits=Limits()) is None
