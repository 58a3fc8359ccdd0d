from pathlib import Path

import numpy as np
import pytest

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.jpeg import compress_jpeg
from pixelift.degrade.plan import Blur, Compress, Noise, Plan, Resize, clean_plan
from pixelift.image.depth import to_float
from pixelift.image.read import read_u8
from pixelift.patches.condition import SIDE, judge, plain_share, quantisation_step
from tests.prepared import natural_photo


@pytest.fixture(scope="module")
def photo():
    return natural_photo(np.random.default_rng(4), 480, 512)


@pytest.fixture(scope="module")
def hall():
    return read_u8(Path(__file__).parents[2] / "examples" / "great_hall.jpg")


def degraded(photo, *steps):
    return to_float(apply_plan(photo, Plan(scale=2, steps=(*steps,))))


SHRINK = Resize(hr_per_px=2.0, kernel="cubic")


def test_a_photo_that_was_only_shrunk_is_clean(photo):
    for scale in (2, 4):
        assert not judge(to_float(apply_plan(photo, clean_plan(scale)))).is_degraded


@pytest.mark.parametrize("quality", [20, 50, 80, 88])
def test_compression_is_seen_and_its_step_told(photo, quality):
    found = judge(degraded(photo, SHRINK, Compress(format="jpeg", quality=quality)))
    assert found.is_degraded
    assert "JPEG rounded it to steps of" in found.reason


def test_compression_that_nobody_sees_is_none(photo):
    assert not judge(degraded(photo, SHRINK, Compress(format="jpeg", quality=97))).is_degraded


def test_noise_is_seen_with_its_strength(photo):
    noise = Noise(kind="gaussian", sigma_255=12.0, is_grey=True, seed=1)
    found = judge(degraded(photo, SHRINK, noise))
    assert found.is_degraded
    assert "noise of" in found.reason
    assert not judge(
        degraded(photo, SHRINK, Noise(kind="gaussian", sigma_255=0.5, is_grey=True, seed=1))
    ).is_degraded


def test_strong_blur_is_seen(photo):
    found = judge(degraded(photo, Blur(sigma_px=4.0, across_px=4.0), SHRINK))
    assert found.is_degraded
    assert "fine detail -" in found.reason


def drawing():
    """Draw a page: bars of several greys on white, some of them as fine as pixels are."""
    page = np.full((320, 400, 3), 1.0, np.float32)
    for n, row in enumerate(range(10, 300, 12)):
        page[row : row + 1 + n % 4, 20 : 380 : 2 + n % 7] = 0.1 * (n % 5)
    return page


def test_what_is_drawn_is_as_crisp_as_it_was_meant_to_be():
    found = judge(drawing())
    assert not found.is_degraded
    assert found.reason.startswith("drawn, ")
    # The same page with the noise of a camera is not taken for a drawing.
    noisy = drawing() + np.random.default_rng(0).normal(0, 0.01, (320, 400, 3)).astype(np.float32)
    assert "drawn" not in judge(noisy).reason


def test_the_share_of_a_drawing_that_is_plain():
    assert plain_share(np.zeros((20, 30, 1), np.float32)) == 1
    half = np.zeros((40, 40, 3), np.float32)
    half[::2, :, 1] = 1  # rows are plain, columns are not
    assert plain_share(half) == 0
    assert 0.28 < plain_share(drawing()) < 1


def test_photos_are_not_drawn(hall, photo):
    dark = photo // 3 - 30 * (photo < 100)
    for picture in (hall, photo, np.clip(dark, 0, 255)):
        assert plain_share(to_float(np.asarray(picture, np.uint8))) == 0
    assert plain_share(np.zeros((1, 1, 3), np.float32)) == 0


@pytest.mark.parametrize("quality", [30, 50, 75])
def test_the_step_is_that_of_the_table(photo, quality):
    image = compress_jpeg(photo, quality=quality, halves_colour=True)
    luma = image.astype(np.float64) @ [0.299, 0.587, 0.114]
    # The median of five entries of the table, which are 10 to 14 at quality 50.
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    expected = np.median([(n * percent + 50) // 100 for n in (11, 12, 12, 10, 14)])
    assert quantisation_step(luma) == pytest.approx(expected, abs=1)


def test_a_grid_that_does_not_begin_with_the_picture_is_not_looked_for(photo):
    image = compress_jpeg(photo, quality=50, halves_colour=False)[3:, 5:]
    assert quantisation_step(image.astype(np.float64) @ [0.299, 0.587, 0.114]) == 1


def test_pictures_too_small_or_plain_to_tell_are_clean():
    for shape in ((1, 1, 3), (9, 200, 3), (40, 40, 1), (300, 300, 3)):
        assert not judge(np.full(shape, 0.5, np.float32)).is_degraded


def test_a_large_picture_is_looked_at_in_its_middle(rng):
    noisy = rng.random((SIDE + 400, SIDE + 400, 3)).astype(np.float32)
    noisy[150:-150, 150:-150] = 0.5
    assert not judge(noisy).is_degraded
    grey = noisy[..., :1].copy()
    assert judge(grey).is_degraded == judge(noisy).is_degraded
