import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import ShapeError
from pixelift.image.color import luma as luma_of
from pixelift.image.resize import downscale, upscale
from pixelift.patches.artefacts import (
    WINDOW,
    blockiness,
    measure_artefacts,
    noise_sigma,
    sharpness,
)
from pixelift.patches.screen import Limits, screen_picture

PHOTO = Path(__file__).parents[2] / "examples" / "great_hall.jpg"


@pytest.fixture(scope="module")
def photo():
    pixels = pyvips.Image.new_from_file(str(PHOTO)).numpy()
    pixels.flags.writeable = False
    return pixels


def luma(rgb):
    levels = luma_of(rgb.astype(np.float32) / np.float32(255)).astype(np.float32)
    levels.flags.writeable = False
    return levels


def jpeg(rgb, quality):
    encoded = pyvips.Image.new_from_array(rgb).jpegsave_buffer(Q=quality)
    return pyvips.Image.new_from_buffer(encoded, "").numpy()


def with_noise(rgb, sigma, rng):
    return np.clip(np.rint(rgb + rng.normal(0, sigma, rgb.shape)), 0, 255).astype(np.uint8)


def blurred(rgb, sigma):
    return pyvips.Image.new_from_array(rgb).gaussblur(sigma).numpy()


def enlarged(rgb, factor, kernel="cubic"):
    """Cut the middle out and enlarge it to the size of the photo."""
    height, width = (round(n / factor) for n in rgb.shape[:2])
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    middle = np.ascontiguousarray(rgb[top : top + height, left : left + width])
    return pyvips.Image.new_from_array(middle).resize(factor, kernel=kernel).numpy()


@pytest.mark.parametrize("sigma", [1, 2, 5, 10, 20])
def test_noise_on_a_smooth_picture_is_measured_within_a_tenth(sigma, rng, frozen):
    ramp = np.add.outer(np.linspace(60, 100, 400), np.linspace(0, 60, 500))
    noisy = frozen(np.rint(ramp + rng.normal(0, sigma, ramp.shape)).astype(np.float32))
    assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("sigma", [8, 10, 20])
def test_noise_on_a_photo_is_measured_within_a_fifth_of_its_part_in_luma(photo, sigma, rng):
    in_luma = sigma * math.hypot(65.481, 128.553, 24.966) / 255
    assert noise_sigma(luma(with_noise(photo, sigma, rng))) == pytest.approx(in_luma, rel=0.2)


def test_texture_is_not_taken_for_noise(rng):
    fine = rng.normal(0, 1, (400, 400))
    kernel = np.array([1, 3, 3, 1]) / 8
    for axis in (0, 1):
        fine = np.apply_along_axis(np.convolve, axis, fine, kernel, mode="same")
    texture = 120 + fine * (20 / fine.std())
    assert noise_sigma(texture) < 1
    texture[:, 200:] = 120
    assert noise_sigma(texture + rng.normal(0, 10, texture.shape)) == pytest.approx(10, rel=0.1)


def test_clipped_places_do_not_hide_the_noise(rng):
    levels = np.full((384, 384), 120.0) + rng.normal(0, 10, (384, 384))
    levels[:, :192] = 235
    assert noise_sigma(levels) == pytest.approx(10, rel=0.15)
    assert math.isnan(noise_sigma(np.full((384, 384), 235.0)))


@pytest.mark.parametrize("crop", [(0, 0), (3, 5), (7, 1), (4, 4)])
def test_blocks_are_found_wherever_the_grid_starts(photo, crop):
    top, left = crop
    compressed = luma(jpeg(photo, 30))
    assert blockiness(compressed[top:, left:]) == pytest.approx(blockiness(compressed), rel=0.05)
    assert blockiness(compressed[top:, left:]) > Limits().blockiness_max


def test_blockiness_falls_with_quality_and_with_halving(photo):
    ratios = [blockiness(luma(jpeg(photo, quality))) for quality in (10, 20, 30, 50, 75, 95)]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 1.1
    halved = downscale(jpeg(photo, 20), 2)
    assert blockiness(luma(halved)) < 0.75 * ratios[1]


def test_halved_blocks_are_blocks_of_four(photo):
    heavily = luma(downscale(jpeg(photo, 10), 2))
    assert blockiness(heavily, block=4) > 1.2
    assert blockiness(luma(downscale(photo, 2)), block=4) < 1.1


def test_tiles_of_one_colour_are_all_blocks_and_a_fence_is_none(rng):
    tiles = np.kron(rng.uniform(40, 200, (40, 40)), np.ones((8, 8)))
    assert blockiness(tiles) > 10
    fence = np.tile(np.where(np.arange(320) % 8 < 3, 200.0, 40.0), (320, 1))
    assert blockiness(fence) == 1


def test_a_picture_of_one_colour_has_no_blocks_and_no_verdict():
    measures = measure_artefacts(np.full((300, 300), 90.0))
    assert measures == {"noise_sigma": 0, "blockiness": 1}
    assert screen_picture(measures, Limits()) is None


@pytest.mark.parametrize(
    ("spoil", "fall"),
    [
        (lambda p: enlarged(p, 2), 10),
        (lambda p: enlarged(p, 2, "lanczos3"), 10),
        (lambda p: enlarged(p, 3), 10),
        (lambda p: enlarged(p, 1.5), 5),
        (lambda p: jpeg(enlarged(p, 2), 90), 10),
        (lambda p: blurred(p, 1), 10),
        (lambda p: blurred(p, 2), 15),
    ],
    ids=["x2", "x2 lanczos", "x3", "x1.5", "x2 saved again", "blur 1", "blur 2"],
)
def test_blurred_and_enlarged_photos_lack_decibels(photo, spoil, fall):
    assert sharpness(luma(spoil(photo))) < sharpness(luma(photo)) - fall


def test_a_spectrum_of_one_over_frequency_has_zero_decibels(rng):
    side = 768
    down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(down, right)
    frequency[0, 0] = 1
    white = np.fft.rfft2(rng.normal(0, 1, (side, side)))
    natural = np.fft.irfft2(white / frequency, s=(side, side))
    natural = 120 + natural * (30 / natural.std())
    assert sharpness(natural) == pytest.approx(0, abs=1)
    # Enlarged by 2, all beyond a quarter of a cycle is gone.
    assert sharpness(upscale(natural[::2, ::2], 2)) < -15


def test_one_sharp_tree_before_a_plain_sky_is_sharp(photo):
    sky = np.full((960, 960), 150.0)
    sky[400:640, 400:640] = luma(photo)[400:640, 500:740]
    assert sharpness(sky) == pytest.approx(sharpness(luma(photo)[400:640, 500:740]), abs=4)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda p, rng: with_noise(p, 10, rng), "noise"),
        (lambda p, rng: with_noise(p, 20, rng), "noise"),
        (lambda p, _: jpeg(p, 10), "blockiness"),
        (lambda p, _: jpeg(p, 20), "blockiness"),
        (lambda p, _: jpeg(p, 30), "blockiness"),
        (lambda p, _: enlarged(p, 2), "blur"),
        (lambda p, _: enlarged(p, 3), "blur"),
        (lambda p, _: blurred(p, 2), "blur"),
    ],
    ids=["noise 10", "noise 20", "q10", "q20", "q30", "x2", "x3", "blur 2"],
)
def test_the_bundled_photo_passes_and_its_spoilt_copy_is_rejected(photo, spoil, rule, rng):
    assert screen_picture(measure_artefacts(luma(photo)), Limits()) is None
    verdict = screen_picture(measure_artefacts(luma(spoil(photo, rng))), Limits())
    assert verdict is not None
    assert verdict.rule == rule


def test_all_at_once_gives_what_each_measure_gives(photo):
    levels = luma(photo)
    assert measure_artefacts(levels) == {
        "noise_sigma": noise_sigma(levels),
        "blockiness": blockiness(levels),
        "sharpness": sharpness(levels),
    }


def test_mirrored_photos_measure_alike(photo):
    levels = luma(photo)
    turned = measure_artefacts(np.ascontiguousarray(levels[::-1, ::-1]))
    for name, value in measure_artefacts(levels).items():
        assert turned[name] == pytest.approx(value, rel=0.15, abs=1), name


@given(st.integers(1, 130), st.integers(1, 130))
def test_small_pictures_are_measured_or_left_out_and_never_fail(height, width):
    levels = np.random.default_rng(height * 200 + width).uniform(16, 235, (height, width))
    measures = measure_artefacts(levels)
    if min(height, width) < WINDOW:
        assert measures == {}
        assert all(math.isnan(m(levels)) for m in (noise_sigma, blockiness, sharpness))
    else:
        assert measures.keys() >= {"blockiness", "sharpness"}
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures


def test_the_cost_does_not_grow_with_the_picture(rng):
    small = rng.uniform(16, 235, (500, 500)).astype(np.float32)
    large = np.tile(small, (6, 6))

    def seconds(levels):
        def once():
            start = time.process_time()
            measure_artefacts(levels)
            return time.process_time() - start

        return min(once() for _ in range(7))

    assert seconds(large) < 4 * seconds(small)


@pytest.mark.parametrize("shape", [(64,), (64, 64, 3)])
def test_what_is_not_a_plane_is_refused(shape):
    with pytest.raises(ShapeError, match=r"allowed is \(H, W\)"):
        measure_artefacts(np.zeros(shape))


def test_blocks_of_odd_sizes_are_refused():
    with pytest.raises(ShapeError, match="blocks of 5 pixels; allowed are 2, 4 and 8"):
        blockiness(np.zeros((64, 64)), block=5)
