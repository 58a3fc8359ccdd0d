import numpy as np
import pytest

from pixelift.image.color import luma, rgb_to_ycbcr
from pixelift.image.resize import upscale
from pixelift.infer.channels import LUMA_WEIGHTS, TRACE, enlarge_colour, enlarge_transparent

SCALE = 2


def bicubic(image):
    return upscale(image, SCALE)


def sharpened(image):
    """Stand in for a network: bicubic and a residual that is not linear and colours grey."""
    tint = np.linspace(0.9, 1.1, image.shape[2], dtype=np.float32)
    larger = bicubic(image)
    return larger * tint + 0.5 * (larger - larger**2) * np.sin(9 * larger)


def straight(image):
    return np.clip(sharpened(image), 0, 1)


def picture(rng, frozen, *shape):
    return frozen(rng.random(shape, dtype=np.float32))


def test_rgb_goes_through_as_it_is(rng, frozen):
    rgb = picture(rng, frozen, 5, 6, 3)
    result = enlarge_colour(rgb, sharpened, channels="rgb", scale=SCALE)
    assert np.array_equal(result, straight(rgb))


@pytest.mark.parametrize("channels", ["rgb", "y"])
@pytest.mark.parametrize("planes", [1, 3])
def test_the_result_is_clipped_float32_with_the_channels_that_were_given(
    rng, frozen, channels, planes
):
    colour = picture(rng, frozen, 5, 6, planes)
    result = enlarge_colour(colour, lambda x: sharpened(x) * 3 - 1, channels=channels, scale=SCALE)
    assert result.shape == (10, 12, planes)
    assert result.dtype == np.float32
    assert result.min() == 0
    assert result.max() == 1


@pytest.mark.parametrize("channels", ["rgb", "y"])
def test_a_network_that_adds_nothing_leaves_bicubic(rng, frozen, channels):
    for planes in (1, 3):
        colour = picture(rng, frozen, 7, 6, planes)
        result = enlarge_colour(colour, bicubic, channels=channels, scale=SCALE)
        assert np.allclose(result, np.clip(bicubic(colour), 0, 1), atol=2e-6)


def test_black_and_white_stay_exact():
    for level in (0, 1):
        for channels, planes in [("rgb", 1), ("rgb", 3), ("y", 1)]:
            flat = np.full((3, 3, planes), level, np.float32)
            result = enlarge_colour(flat, bicubic, channels=channels, scale=SCALE)
            assert np.allclose(result, level, atol=1e-6)


def test_grey_has_the_luma_that_the_coloured_answer_has(rng, frozen):
    grey = picture(rng, frozen, 6, 5, 1) * np.float32(0.4) + np.float32(0.2)
    coloured = sharpened(np.repeat(grey, 3, axis=2))
    assert np.ptp(coloured, axis=2).max() > 0.05
    result = enlarge_colour(grey, sharpened, channels="rgb", scale=SCALE)
    assert coloured.max() < 1
    assert np.allclose(luma(result), luma(coloured), atol=1e-3)


def test_luma_weights_are_those_of_bt601():
    assert np.allclose(LUMA_WEIGHTS, [0.299, 0.587, 0.114], atol=1e-4)
    assert LUMA_WEIGHTS.sum() == pytest.approx(1, abs=1e-6)


def test_a_luma_network_gets_studio_luma_and_leaves_chroma_to_bicubic(rng, frozen):
    rgb = picture(rng, frozen, 6, 6, 3) * np.float32(0.5) + np.float32(0.25)
    seen = []

    def network(y):
        seen.append(y)
        return bicubic(y) + np.float32(0.01)

    result = enlarge_colour(rgb, network, channels="y", scale=SCALE)
    assert seen[0].shape == (6, 6, 1)
    assert np.allclose(seen[0][..., 0] * 255, luma(rgb), atol=1e-3)
    before, after = bicubic(rgb_to_ycbcr(rgb)), rgb_to_ycbcr(result)
    assert np.allclose(after[..., 1:], before[..., 1:], atol=1e-5)
    assert np.allclose(after[..., 0], before[..., 0] + 0.01, atol=1e-5)


def test_a_luma_network_sees_grey_as_it_sees_equal_rgb(rng, frozen):
    grey = picture(rng, frozen, 6, 6, 1)
    seen = []

    def network(y):
        seen.append(y)
        return sharpened(y)

    one = enlarge_colour(grey, network, channels="y", scale=SCALE)
    three = enlarge_colour(np.repeat(grey, 3, axis=2), network, channels="y", scale=SCALE)
    assert np.allclose(seen[0], seen[1], atol=1e-6)
    assert np.allclose(one, three, atol=1e-5)


def test_opaque_alpha_costs_nothing_and_stays_one(rng, frozen):
    colour = picture(rng, frozen, 5, 6, 3)
    calls = []

    def enlarge(image):
        calls.append(image)
        return straight(image)

    result, alpha = enlarge_transparent(colour, np.ones((5, 6), np.float32), enlarge)
    assert calls[0] is colour
    assert len(calls) == 1
    assert np.array_equal(result, straight(colour))
    assert np.array_equal(alpha, np.ones((10, 12), np.float32))


def test_a_wholly_transparent_picture_keeps_its_colours(rng, frozen):
    colour = picture(rng, frozen, 5, 6, 3)
    result, alpha = enlarge_transparent(colour, np.zeros((5, 6), np.float32), straight)
    assert np.array_equal(result, straight(colour))
    assert np.array_equal(alpha, np.zeros((10, 12), np.float32))


def disc(height, width, *, soft):
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows - height * 0.45, columns - width * 0.55)
    edge = np.float32(min(height, width) * 0.3)
    return np.clip((edge - distance) / (3 if soft else 1e-3) + 0.5, 0, 1).astype(np.float32)


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("size", [(23, 30), (16, 16), (7, 40)])
def test_hidden_colours_never_shine_through(size, soft, rng, frozen):
    alpha = disc(*size, soft=soft)
    assert alpha.min() == 0
    assert alpha.max() == 1
    red = np.array([0.8, 0.1, 0.2], np.float32)
    garbage = rng.random((*size, 3), dtype=np.float32)
    colour = frozen(np.where(alpha[..., None] > 0, red, garbage))
    sheet = straight(np.broadcast_to(red, (*size, 3)))
    result, sr_alpha = enlarge_transparent(colour, frozen(alpha), straight)
    # One colour stays one colour, as if there were no transparency, wherever it is seen.
    assert np.abs(result - sheet)[sr_alpha > 0].max() < 0.5 / 255
    assert np.abs(sr_alpha - np.clip(straight(alpha[..., None])[..., 0], 0, 1)).max() <= 1 / 1024


def test_colours_under_opaque_pixels_away_from_the_edge_are_untouched(rng, frozen):
    colour = picture(rng, frozen, 24, 24, 3)
    alpha = np.ones((24, 24), np.float32)
    alpha[:, 12:] = 0
    result, _ = enlarge_transparent(colour, frozen(alpha), straight)
    assert np.allclose(result[:, :16], straight(colour)[:, :16], atol=1e-6)


@pytest.mark.parametrize("veil", [0.004, 0.5, 1])
def test_even_transparency_changes_no_colour(rng, frozen, veil):
    colour = picture(rng, frozen, 20, 24, 3)
    alpha = frozen(np.full((20, 24), veil, np.float32))
    result, sr_alpha = enlarge_transparent(colour, alpha, straight)
    assert np.array_equal(result, straight(colour))
    expected = straight(alpha[..., None])[..., 0] if veil < 1 else 1
    assert np.abs(sr_alpha - expected).max() <= TRACE


def test_a_faint_pixel_beside_an_opaque_one_is_felt_as_little_as_it_is_seen(frozen):
    colour, alpha = np.zeros((9, 9, 3), np.float32), np.ones((9, 9), np.float32)
    colour[4, 4], alpha[4, 4] = 1, 0.02
    result, _ = enlarge_transparent(frozen(colour), frozen(alpha), straight)
    assert result.max() < 0.2


def test_grey_with_alpha_works_the_same_way(rng, frozen):
    alpha = disc(15, 18, soft=True)
    grey = picture(rng, frozen, 15, 18, 1)
    one, _ = enlarge_transparent(grey, alpha, bicubic_clipped)
    three, _ = enlarge_transparent(np.repeat(grey, 3, axis=2), alpha, bicubic_clipped)
    assert one.shape == (30, 36, 1)
    assert np.allclose(one, three, atol=1e-6)


def bicubic_clipped(image):
    return np.clip(bicubic(image), 0, 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 1), (2, 2)])
def test_tiny_pictures_with_alpha_work(size, rng, frozen):
    colour = picture(rng, frozen, *size, 3)
    alpha = frozen(np.linspace(0, 0.9, size[0] * size[1], dtype=np.float32).reshape(size) + 0.01)
    result, sr_alpha = enlarge_transparent(colour, alpha, straight)
    for array in (result, sr_alpha):
        assert np.isfinite(array).all()
        assert array.min() >= 0
        assert array.max() <= 1
