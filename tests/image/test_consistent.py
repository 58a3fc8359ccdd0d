import weakref
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.image.consistent import BLOCK, LOW_SIGMA, consistent_rows, derive_filters
from pixelift.image.depth import to_float, to_u8
from pixelift.image.geometry import Size
from pixelift.image.read import read_u8
from pixelift.image.resize import bicubic_taps, downscale, modcrop, upscale
from pixelift.image.rows import Header, Rows, gather

F32 = np.dtype(np.float32)
DEPTHS = {np.uint8: 8, np.uint16: 16, np.float32: 32}


def rows(samples, *, depth, has_alpha, bands):
    height, width, channels = samples.shape
    header = Header(Size(height, width), channels - has_alpha, has_alpha=has_alpha, depth=depth)
    return Rows(header, iter(np.split(samples, bands)))


def consistent(sr, lr, *, sigma=0.0, dtype=F32, has_alpha=False, sr_bands=(), lr_bands=()):
    """Project a picture in memory."""
    depth = DEPTHS[lr.dtype.type]
    result = consistent_rows(
        rows(sr, depth=depth, has_alpha=has_alpha, bands=sr_bands),
        rows(lr, depth=depth, has_alpha=has_alpha, bands=lr_bands),
        scale=len(sr) // len(lr),
        dtype=np.dtype(dtype),
        sigma=sigma,
    )
    return gather(result, np.dtype(dtype))


def middling(rng, *shape):
    """Make noise so faint that nothing is clipped."""
    return (0.5 + 0.06 * rng.standard_normal(shape)).clip(0.3, 0.7).astype(np.float32)


def matrix(length, scale):
    """Write bicubic downscaling along an axis as a matrix: (length, length * scale)."""
    index, weight = bicubic_taps(length * scale, length, Fraction(1, scale))
    result = np.zeros((length, length * scale))
    np.add.at(result, (np.arange(length)[:, None], index), weight)
    return result


@pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 8), (7, 5), (40, 17), (33, 50)])
def test_it_is_the_orthogonal_projection_up_to_the_border(rng, scale, shape):
    height, width = shape
    lr = middling(rng, height, width, 3)
    sr = middling(rng, height * scale, width * scale, 3)
    down, across = matrix(height, scale), matrix(width, scale)
    missing = lr - np.einsum("ij,jkc,lk->ilc", down, sr, across)
    change = np.einsum("ij,jkc,lk->ilc", np.linalg.pinv(down), missing, np.linalg.pinv(across))
    result = consistent(sr, lr)
    assert np.abs(result - (sr + change)).max() < 2e-5
    assert np.abs(downscale(result, scale) - lr).max() < 2e-5


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_the_filters_are_those_of_downscaling_and_its_inverse(scale):
    filters = derive_filters(scale, 0.0)
    size = 2 * filters.halo + 1
    assert np.allclose(matrix(size, scale)[filters.halo].sum(), filters.shrink.sum())
    grow = np.linalg.pinv(matrix(4 * size, scale))[2 * size * scale :][:scale]
    around = grow[:, 2 * size - filters.halo : 2 * size + filters.halo + 1]
    assert np.abs(around - filters.grow).max() < 1e-4
    # What was cut off is less than a hundredth of a level of the largest difference.
    assert np.abs(filters.grow[:, [0, -1]]).max() < 0.01 / 255


@given(
    height=st.integers(1, 8),
    width=st.integers(1, 8),
    scale=st.sampled_from([2, 3, 4]),
    seed=st.integers(0, 1000),
)
def test_tiny_pictures_are_given_back(height, width, scale, seed):
    rng = np.random.default_rng(seed)
    lr = to_u8(middling(rng, height, width, 1))
    sr = to_u8(np.clip(upscale(to_float(lr), scale), 0, 1))
    result = consistent(sr, lr, dtype=np.uint8)
    assert np.abs(downscale(result, scale).astype(int) - lr).max() <= 1


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("name", ["flowers", "monarch"])
def test_a_photo_is_given_back_within_a_level(shared, scale, name):
    hr = modcrop(read_u8(next((shared / "bench" / "Set14" / "HR").glob(f"{name}.*"))), scale)
    lr = downscale(hr, scale)
    sr = to_float(to_u8(upscale(to_float(lr), scale)))
    result = consistent(sr, lr, dtype=np.uint8)
    far_before, far = (
        np.abs(downscale(to_u8(s), scale).astype(int) - lr) > 1 for s in (sr, to_float(result))
    )
    assert far_before.mean() > 0.05
    assert far.mean() < 0.002
    error_before, error = (np.square(to_float(s) - to_float(hr)).mean() for s in (sr, result))
    assert error < error_before


def test_black_and_white_are_given_back_far_better_though_they_are_clipped(rng):
    squares = rng.integers(0, 2, (30, 30, 1), np.uint8).repeat(7, axis=0).repeat(7, axis=1) * 255
    hr = modcrop(squares, 4)
    lr = downscale(hr, 4)
    sr = to_float(to_u8(upscale(to_float(lr), 4)))
    result = consistent(sr, lr)
    off_before, off = (np.abs(downscale(to_u8(s), 4).astype(int) - lr).mean() for s in (sr, result))
    assert off < off_before / 4
    assert np.square(result - to_float(hr)).mean() < 0.7 * np.square(sr - to_float(hr)).mean()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("sigma", [0.0, LOW_SIGMA])
def test_it_does_not_matter_how_the_rows_come(rng, dtype, has_alpha, sigma):
    def picture(height, width):
        values = rng.random((height, width, 4), np.float32)
        return values if dtype == np.float32 else (values * np.iinfo(dtype).max).astype(dtype)

    lr, sr = picture(37, 21), picture(74, 42)
    options = {"sigma": sigma, "dtype": dtype, "has_alpha": has_alpha}
    whole = consistent(sr, lr, **options)
    parts = consistent(sr, lr, sr_bands=[1, 2, 33, 70], lr_bands=[5, 36], **options)
    assert whole.dtype == dtype
    assert (whole == parts).all()


def test_sixteen_bits_are_given_back_to_a_few_of_their_levels(rng):
    lr = (middling(rng, 20, 20, 3) * 65535).astype(np.uint16)
    sr = (middling(rng, 60, 60, 3) * 65535).astype(np.uint16)
    back = downscale(consistent(sr, lr, dtype=np.uint16).astype(np.float64), 3)
    assert np.abs(back - lr).max() < 4


def test_the_low_pass_takes_even_differences_and_leaves_noise(rng):
    sr = middling(rng, 128, 128, 3)
    lr = downscale(sr, 2)
    noise = 0.04 * rng.standard_normal(lr.shape).astype(np.float32)
    shifted = (lr + noise + np.float32([0.05, 0, -0.05])).astype(np.float32)
    change = consistent(sr, shifted, sigma=LOW_SIGMA) - sr
    assert np.abs(change.mean(axis=(0, 1)) - [0.05, 0, -0.05]).max() < 0.002
    assert change.std(axis=(0, 1)).max() < 0.25 * noise.std()
    blocks = (downscale(sr + change, 2) - shifted).reshape(4, 16, 4, 16, 3).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 1 / 255


def test_even_transparency_changes_nothing_and_alpha_is_left_as_it_is(rng):
    lr, sr = middling(rng, 20, 24, 3), middling(rng, 40, 48, 3)
    expected = consistent(sr, lr)
    for alpha in (1.0, 0.5):
        thin_lr, thin_sr = (
            np.concatenate([x, np.full_like(x[..., :1], alpha)], axis=2) for x in (lr, sr)
        )
        result = consistent(thin_sr, thin_lr, has_alpha=True)
        assert (result[..., 3] == np.float32(alpha)).all()
        assert np.abs(result[..., :3] - expected).max() < 1e-5


def test_one_colour_stays_that_colour_under_every_alpha(rng):
    colour = np.float32([0.2, 0.5, 0.7])
    lr, sr = (
        np.concatenate([np.broadcast_to(colour, (n, n, 3)), rng.random((n, n, 1))], axis=2).astype(
            np.float32
        )
        for n in (20, 60)
    )
    result = consistent(sr, lr, has_alpha=True)
    assert np.abs(result[..., :3] - colour).max() < 1e-3
    assert (result[..., 3] == sr[..., 3]).all()


def test_what_alpha_hides_has_no_share_in_the_result():
    lr = np.zeros((12, 12, 4), np.float32)
    lr[..., :3] = 1, 0, 0  # red that nobody sees
    lr[4:8, 4:8] = 0, 0.5, 0, 1
    sr = np.repeat(np.repeat(lr, 2, axis=0), 2, axis=1)
    sr[..., :3] = 0, 0.45, 0
    result = consistent(sr, lr, has_alpha=True)
    assert result[8:16, 8:16, 0].max() == 0
    assert np.abs(result[8:16, 8:16, 1] - 0.5).max() < 0.03


def test_what_agrees_already_is_left_as_it_is(rng):
    sr = middling(rng, 3 * BLOCK, 2 * BLOCK, 1)
    assert np.abs(consistent(sr, downscale(sr, 2)) - sr).max() < 1e-6


def test_what_is_held_does_not_grow_with_the_height():
    def held(height):
        alive, most = 0, 0

        def gone():
            nonlocal alive
            alive -= 1

        def bands(rows, width):
            nonlocal alive, most
            for _ in range(rows // 32):
                band = np.full((32, width, 1), 0.5, np.float32)
                weakref.finalize(band, gone)
                alive += 1
                most = max(most, alive)
                yield band

        lr, sr = (
            Rows(Header(Size(height * s, 20 * s), 1, depth=32), bands(height * s, 20 * s))
            for s in (1, 2)
        )
        for _ in consistent_rows(sr, lr, scale=2, dtype=F32).bands:
            pass
        return most

    assert held(2560) == held(640)
