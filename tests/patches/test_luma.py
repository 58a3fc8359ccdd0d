import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.color import STUDIO_MATRIX, luma
from pixelift.patches.luma import LumaPicture, framed_luma, luma_of_floats, luma_u8


@given(st.integers(1, 12), st.integers(1, 300), st.integers(0, 99))
def test_luma_is_that_of_the_standard_and_the_frame_mirrors_it(height, width, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = np.pad(luma(rgb / 255), 8, mode="symmetric")
    assert framed_luma(rgb, margin=8) == pytest.approx(expected, abs=1e-4)


def test_large_pictures_are_put_together_without_a_seam(rng, frozen):
    rgb = frozen(rng.integers(0, 256, (401, 501, 3), dtype=np.uint8))
    assert framed_luma(rgb, margin=1)[1:-1, 1:-1] == pytest.approx(luma(rgb / 255), abs=1e-4)
    assert np.abs(luma_u8(rgb)[..., 0] - luma(rgb / 255)).max() <= 0.5 + 1e-9


def test_what_is_cut_out_of_a_picture_shown_as_luma_is_its_luma_there(rng, frozen):
    rgb = frozen(rng.integers(0, 256, (61, 47, 3), dtype=np.uint8))
    shown, whole = LumaPicture(rgb), luma_u8(rgb)
    assert shown.shape == whole.shape == (61, 47, 1)
    for place in (np.s_[:, :], np.s_[3:4, 5:6], np.s_[10:33, 1:46]):
        assert np.array_equal(shown[place], whole[place])


def test_stored_luma_is_rounded_without_an_error_of_its_own(rng):
    """Compared in whole numbers of 1/255000 of a level, ties upwards."""
    weights = np.rint(STUDIO_MATRIX[0] * 1000).astype(np.int64)
    rgb = rng.integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    rgb[0, :256] = np.arange(256, dtype=np.uint8)[:, None]
    exact = (rgb.astype(np.int64) @ weights + 16 * 255_000 + 127_500) // 255_000
    assert np.array_equal(luma_u8(rgb)[..., 0], exact)


def test_black_white_and_ties_are_where_they_belong():
    levels = np.array([[[0, 0, 0], [255, 255, 255], [128, 128, 128]]], np.uint8)
    assert luma_u8(levels).ravel().tolist() == [16, 235, 126]


def test_luma_of_floats_is_that_of_the_standard(rng, frozen):
    rgb = frozen(rng.random((9, 7, 3)).astype(np.float32))
    assert luma_of_floats(rgb) == pytest.approx(luma(rgb), abs=1e-3)
