import hashlib

import numpy as np
import pytest

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS, draw_plan
from pixelift.degrade.plan import (
    Blur,
    Compress,
    Motion,
    Noise,
    Plan,
    Resize,
    Sharpen,
    clean_plan,
    decode_plan,
    encode_plan,
)
from pixelift.errors import ShapeError
from pixelift.image.resize import downscale
from tests.prepared import natural_photo


@pytest.fixture(scope="module")
def photo():
    return natural_photo(np.random.default_rng(6), 96, 120)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_clean_is_the_bicubic_of_the_benchmarks_to_the_last_bit(photo, scale):
    assert np.array_equal(apply_plan(photo, clean_plan(scale)), downscale(photo, scale))


@pytest.mark.parametrize("preset", ["photo", "real", "heavy"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_plan_replays_bit_for_bit_from_its_json(photo, frozen, preset, scale):
    for seed in range(12):
        plan = draw_plan(PRESETS[preset], scale=scale, rng=np.random.default_rng(seed))
        lr = apply_plan(frozen(photo), plan)
        assert lr.shape == (96 // scale, 120 // scale, 3)
        assert lr.dtype == np.uint8
        assert np.array_equal(apply_plan(photo, decode_plan(encode_plan(plan))), lr)


def test_a_recorded_plan_gives_the_bytes_it_gave_when_it_was_recorded():
    # Filters and JPEG are of whole numbers; noise is NumPy's own stream. The picture is drawn of
    # whole numbers as well, so that this holds on every machine.
    y, x = np.mgrid[:48, :60]
    image = np.stack([(x * 5 + y * y) % 256, (x * y) % 256, (x * x + 3 * y) % 256], axis=2)
    plan = Plan(
        scale=2,
        steps=(
            Blur(sigma_px=1.5, across_px=1.5),
            Resize(hr_per_px=2.0, kernel="lanczos"),
            Noise(kind="gaussian", sigma_255=6.0, is_grey=False, seed=11),
            Compress(format="jpeg", quality=60),
        ),
    )
    lr = apply_plan(image.astype(np.uint8), plan)
    assert hashlib.sha256(lr.tobytes()).hexdigest() == RECORDED


RECORDED = "5237f1838858b7270f45317ac05718069b9e514352be724c860541d504d0cffe"


def test_lr_stays_in_line_with_hr_through_any_plan():
    # The mean place of a bright spot on grey, so wide and weak that nothing is clipped or aliased.
    y, x = np.mgrid[:160, :160]
    spot = 64 + 128 * np.exp(-((y - 75.5) ** 2 + (x - 87.5) ** 2) / (2 * 12**2))
    spot = np.repeat(np.round(spot)[..., None], 3, axis=2).astype(np.uint8)
    for seed in range(120):
        preset = "heavy" if seed < 60 else "real"
        plan = draw_plan(PRESETS[preset], scale=4, rng=np.random.default_rng(seed))
        steps = tuple(s for s in plan.steps if not isinstance(s, Noise | Compress))
        lr = apply_plan(spot, Plan(scale=4, steps=steps)).astype(float)[..., 0] - 64
        rows, columns = np.mgrid[:40, :40]
        place = [float((lr * at).sum() / lr.sum()) for at in (rows, columns)]
        # HR centre c lies at (c + 1/2) / 4 - 1/2 of the LR pixels.
        # The nearest pixel is off by up to half a pixel wherever the factor is no whole number.
        is_picked = any(isinstance(s, Resize) and s.kernel == "nearest" for s in steps)
        assert place == pytest.approx([18.5, 21.5], abs=0.1 if is_picked else 0.05)


def test_a_blur_without_a_resize_after_it_is_done_all_the_same(photo):
    steps = (Resize(hr_per_px=2.0, kernel="area"), Blur(sigma_px=2.0, across_px=2.0))
    sharp = apply_plan(photo, Plan(scale=2, steps=steps[:1])).astype(float)
    blurred = apply_plan(photo, Plan(scale=2, steps=steps)).astype(float)
    assert np.abs(np.diff(blurred, axis=1)).mean() < 0.5 * np.abs(np.diff(sharp, axis=1)).mean()


def test_two_blurs_in_a_row_are_both_done(photo):
    once = (Blur(sigma_px=1.5, across_px=1.5), Resize(hr_per_px=2.0, kernel="area"))
    twice = (Motion(length_px=4.0, angle_deg=10.0), *once)
    a, b = (apply_plan(photo, Plan(scale=2, steps=steps)).astype(float) for steps in (once, twice))
    assert np.abs(np.diff(b, axis=1)).mean() < np.abs(np.diff(a, axis=1)).mean()


@pytest.mark.parametrize("codec", ["webp", "avif"])
def test_webp_and_avif_go_through_the_real_codec_and_luma_too(photo, codec):
    steps = (Resize(hr_per_px=2.0, kernel="cubic"), Compress(format=codec, quality=40))
    lr = apply_plan(photo, Plan(scale=2, steps=steps))
    clean = downscale(photo, 2).astype(int)
    assert 0.5 < np.abs(lr - clean).mean() < 8
    luma = apply_plan(photo[..., :1].copy(), Plan(scale=2, steps=steps))
    assert luma.shape == (48, 60, 1)


def test_sharpening_adds_what_a_blur_takes_away(photo):
    values = photo.astype(float)
    blurred = apply_plan(photo, Plan(scale=1, steps=(Blur(sigma_px=0.8, across_px=0.8),)))
    expected = values + 1.5 * (values - blurred)
    sharp = apply_plan(photo, Plan(scale=1, steps=(Sharpen(sigma_px=0.8, amount=1.5),)))
    # The blurred picture was rounded, by at most half a level, and so is the result.
    apart = np.abs(sharp - np.clip(expected, 0, 255))
    assert apart.max() <= 1.5 * 0.5 + 0.5 + 1e-9
    assert np.array_equal(
        apply_plan(photo, Plan(scale=1, steps=(Sharpen(sigma_px=0.8, amount=0.0),))), photo
    )


def test_the_strongest_sharpening_counts_exactly():
    # Stripes of black and white: the largest sums there are; each must be the nearest whole number.
    image = np.zeros((40, 40, 1), np.uint8)
    image[:, ::2] = 255
    sharp = apply_plan(image, Plan(scale=1, steps=(Sharpen(sigma_px=0.8, amount=2.0),)))
    assert np.array_equal(sharp, image)
    grey = np.full((40, 40, 3), 200, np.uint8)
    assert np.array_equal(
        apply_plan(grey, Plan(scale=1, steps=(Sharpen(sigma_px=1.5, amount=2.0),))), grey
    )


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((95, 96, 3), np.uint8, "sides must be multiples of 4"),
        ((96, 96), np.uint8, r"allowed is uint8 \(H, W, 3\)"),
        ((96, 96, 3), np.float32, r"allowed is uint8 \(H, W, 3\)"),
        ((0, 96, 3), np.uint8, "sides must be multiples of 4"),
    ],
)
def test_what_is_no_hr_picture_is_refused(shape, dtype, message):
    with pytest.raises(ShapeError, match=message):
        apply_plan(np.zeros(shape, dtype), clean_plan(4))
