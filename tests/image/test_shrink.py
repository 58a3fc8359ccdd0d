import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.image import shrink as shrink_module
from pixelift.image.depth import to_u8
from pixelift.image.read import read_picture
from pixelift.image.resize import bicubic_taps, downscale, modcrop, resize_bicubic
from pixelift.image.shrink import FAST_SCALES, WEIGHTS, libvips_is_exact, shrink

sides = st.integers(1, 90)


def slow(image, scale):
    """Shrink in float64, as every other scale is."""
    return resize_bicubic(image, scale=Fraction(1, scale))


def drawn(seed, shape, contrast):
    """Draw noise, black and white noise, or steps: kernels overshoot most at steps."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, shape, dtype=np.uint8)
    if contrast == "noise":
        return noise
    if contrast == "extremes":
        return (noise > 127).astype(np.uint8) * 255
    return np.repeat(np.repeat(noise > 127, 5, 0), 7, 1)[: shape[0], : shape[1]] * np.uint8(255)


@settings(max_examples=150)
@given(
    sides,
    sides,
    st.sampled_from([(), (1,), (3,), (4,)]),
    st.sampled_from(FAST_SCALES),
    st.sampled_from(["noise", "extremes", "steps"]),
    st.integers(0, 1 << 30),
)
def test_no_pixel_differs_from_the_slow_way(height, width, channels, scale, contrast, seed):
    image = drawn(seed, (height, width, *channels), contrast)
    assert np.array_equal(shrink(image, scale), slow(image, scale))


@pytest.mark.parametrize("scale", FAST_SCALES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50), (50, 1, 3), (481, 321, 3), (500, 1237, 3)])
def test_nor_in_pictures_of_one_row_and_in_large_ones(scale, shape, frozen):
    image = frozen(drawn(7, shape, "noise"))
    assert np.array_equal(shrink(image, scale), slow(image, scale))


@pytest.mark.parametrize("scale", FAST_SCALES)
def test_every_brightness_beside_every_other_is_rounded_alike(scale):
    """All 65,536 pairs of levels: among them every tie that two levels can make."""
    low, high = np.divmod(np.arange(65536), 256)
    image = np.repeat(np.stack([low, high], 1).astype(np.uint8), scale, axis=0).reshape(256, -1)
    assert np.array_equal(shrink(image, scale), slow(image, scale))
    assert np.array_equal(shrink(image.T.copy(), scale), slow(image.T.copy(), scale))


@pytest.mark.parametrize("scale", FAST_SCALES)
def test_nor_in_the_test_photos_of_the_field(scale, shared):
    for path in sorted((shared / "bench" / "Set14" / "HR").iterdir()):
        hr = modcrop(to_u8(read_picture(path).pixels), scale)
        assert np.array_equal(downscale(hr, scale), slow(hr, scale)), path.name


@pytest.mark.parametrize("scale", FAST_SCALES)
def test_the_weights_are_those_of_the_kernel(scale):
    _, weight = bicubic_taps(60, 60 // scale, Fraction(1, scale))
    used = weight[5][np.abs(weight[5]) > 1e-12]
    taps = np.array(WEIGHTS[scale])
    assert used == pytest.approx(taps[taps != 0] / sum(WEIGHTS[scale]), abs=1e-15)


@pytest.mark.parametrize("scale", FAST_SCALES)
def test_a_libvips_that_is_not_exact_is_not_used(scale, monkeypatch):
    image = drawn(3, (37, 50, 3), "noise")

    exact = shrink_module._by_libvips

    def rough(framed, scale):
        return exact(framed, scale) ^ 1

    with monkeypatch.context() as patched:
        patched.setattr(shrink_module, "_by_libvips", rough)
        libvips_is_exact.cache_clear()
        assert not libvips_is_exact()
        assert np.array_equal(shrink(image, scale), slow(image, scale))
    libvips_is_exact.cache_clear()
    assert np.array_equal(shrink(image, scale), slow(image, scale))


def test_downscale_takes_the_fast_way_for_bytes_only(monkeypatch):
    taken = []
    monkeypatch.setattr(
        "pixelift.image.resize.shrink", lambda image, scale: taken.append(scale) or image
    )
    for scale in (2, 3, 4, 5):
        downscale(np.zeros((20, 20, 3), np.uint8), scale)
        downscale(np.zeros((20, 20, 3), np.float32), scale)
    assert taken == [2, 3, 4]


def test_without_libvips_plain_integers_give_the_same(monkeypatch):
    picture = drawn(3, (37, 50, 3), "noise")
    expected = shrink(picture, 2)
    monkeypatch.setitem(sys.modules, "pyvips", None)
    libvips_is_exact.cache_clear()
    try:
        assert not libvips_is_exact()
        assert np.array_equal(shrink(picture, 2), expected)
    finally:
        libvips_is_exact.cache_clear()
