from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.errors import ShapeError
from pixelift.image.depth import to_u8
from pixelift.image.dihedral import DIHEDRAL, transform
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture
from pixelift.image.resize import (
    bicubic_taps,
    downscale,
    modcrop,
    resize_bicubic,
    shave,
    upscale,
)

HALF = [-3, -9, 29, 111, 111, 29, -9, -3]
THIRD = [-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1]
QUARTER = [-7, -45, -75, -49, 93, 399, 745, 987, 987, 745, 399, 93, -49, -75, -45, -7]


@pytest.mark.parametrize(
    ("scale", "first", "taps", "whole"),
    [(2, -3, HALF, 256), (3, -4, THIRD, 81), (4, -6, QUARTER, 4096)],
)
def test_shrinking_taps_are_the_exact_rationals(scale, first, taps, whole):
    index, weight = bicubic_taps(64 * scale, 64, Fraction(1, scale))
    k = 30
    dense = np.zeros(64 * scale)
    np.add.at(dense, index[k], weight[k])
    start = scale * k + first
    assert dense[start : start + len(taps)] == pytest.approx(np.array(taps) / whole, abs=1e-15)
    assert np.abs(dense).sum() == pytest.approx(np.abs(taps).sum() / whole)


RAMP = np.arange(16.0)


@pytest.mark.parametrize(
    ("line", "scale", "expected"),
    [
        (RAMP, 2, [0.449219, 2.488281, 4.5, 6.5, 8.5, 10.5, 12.511719, 14.550781]),
        (RAMP, 4, [1.359863, 5.483887, 9.516113, 13.640137]),
        (np.repeat([0.0, 255.0], 8), 4, [-3.2373, 19.6729, 235.3271, 258.2373]),
    ],
)
def test_golden_lines_along_both_axes(line, scale, expected):
    picture = np.repeat(line[None], 4 * scale, axis=0)
    assert downscale(picture, scale)[2] == pytest.approx(expected, abs=1e-4)
    assert downscale(picture.T, scale)[:, 2] == pytest.approx(expected, abs=1e-4)


def test_floats_are_not_clipped_and_bytes_are():
    step = np.repeat(np.repeat([0, 255], 8)[None], 8, axis=0)
    assert downscale(step.astype(np.float32), 4)[0, 0] == pytest.approx(-3.2373, abs=1e-3)
    assert downscale(step.astype(np.uint8), 4)[0].tolist() == [0, 20, 235, 255]


def test_bytes_are_rounded_between_the_passes_rows_first(rng):
    picture = rng.integers(0, 256, (32, 32), dtype=np.uint8)

    def rounded(values):
        return np.clip(np.floor(values + 0.5), 0, 255)

    index, weight = bicubic_taps(32, 16, Fraction(1, 2))
    rows = rounded((weight[:, :, None] * picture.astype(float)[index]).sum(axis=1))
    expected = rounded((weight[:, :, None] * rows.T[index]).sum(axis=1)).T
    assert np.array_equal(downscale(picture, 2), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_no_pixel_differs_from_matlab_on_set5(scale, shared):

    folder = shared / "bench" / "Set5"
    for path in sorted((folder / "HR").iterdir()):
        hr = to_u8(read_picture(path).pixels)
        (reference,) = (folder / "LR_bicubic" / f"X{scale}").glob(f"{path.stem}*")
        lr = to_u8(read_picture(reference).pixels)
        assert np.array_equal(downscale(modcrop(hr, scale), scale), lr), path.name


sides = st.integers(1, 20)


@settings(max_examples=40, deadline=None)
@given(sides, sides, sides, sides, st.integers(0, 255))
def test_one_colour_stays_one_colour(height, width, new_height, new_width, level):
    picture = np.full((height, width, 3), level, np.uint8)
    resized = resize_bicubic(picture, Size(new_height, new_width))
    assert resized.shape == (new_height, new_width, 3)
    assert (resized == level).all()


@pytest.mark.parametrize("code", DIHEDRAL)
def test_flips_and_turns_commute_with_resizing(code, rng, frozen):
    picture = frozen(rng.random((12, 18)))
    for size in (Size(6, 6), Size(30, 25)):
        turned = Size(size.width, size.height) if code & 4 else size
        direct = transform(resize_bicubic(picture, size), code)
        assert resize_bicubic(transform(picture, code), turned) == pytest.approx(direct, abs=1e-12)


def test_resizing_is_linear(rng):
    a, b = rng.random((2, 9, 13))
    mixed = upscale(2 * a - 3 * b, 3)
    assert mixed == pytest.approx(2 * upscale(a, 3) - 3 * upscale(b, 3), abs=1e-12)


def test_a_ramp_stays_a_ramp_inside():
    inside = upscale(np.repeat(RAMP[None], 16, axis=0), 4)[32, 12:-12]
    assert np.diff(inside) == pytest.approx(0.25)


def test_a_given_scale_rounds_the_size_up():
    assert resize_bicubic(np.zeros((5, 7)), scale=Fraction(1, 2)).shape == (3, 4)
    assert resize_bicubic(np.zeros((5, 7)), scale=1.5).shape == (8, 11)


@pytest.mark.parametrize(
    ("shape", "dtype", "options", "message"),
    [
        ((0, 4), np.uint8, {"scale": 2}, "not empty"),
        ((4,), np.uint8, {"scale": 2}, "allowed are"),
        ((4, 4), np.int32, {"scale": 2}, "allowed are uint8"),
        ((4, 4), np.uint8, {}, "either a size or a scale"),
        ((4, 4), np.uint8, {"scale": -1}, "must be positive"),
        ((4, 4), np.uint8, {"size": Size(0, 3)}, "at least 1 pixel"),
    ],
)
def test_what_cannot_be_resized_is_refused(shape, dtype, options, message):
    with pytest.raises(ShapeError, match=message):
        resize_bicubic(np.zeros(shape, dtype), **options)


def test_modcrop_and_shave_cut_and_refuse_to_cut_everything():
    picture = np.zeros((10, 11, 3))
    assert modcrop(picture, 4).shape == (8, 8, 3)
    assert shave(picture, 4).shape == (2, 3, 3)
    with pytest.raises(ShapeError, match="too small for scale 16"):
        modcrop(picture, 16)
    with pytest.raises(ShapeError, match="leaves nothing"):
        shave(picture, 5)
