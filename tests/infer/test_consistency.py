import numpy as np
import pytest

from pixelift.image.consistent import LOW_SIGMA
from pixelift.image.depth import to_float, to_u8
from pixelift.image.geometry import Size
from pixelift.image.resample import straight, weighed
from pixelift.image.resize import downscale, resize_bicubic
from pixelift.infer.consistency import sigma_of
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


@pytest.mark.parametrize(
    ("model", "consistent", "sigma"),
    [
        ("balanced", None, None),
        ("balanced", True, 0.0),
        ("mine", True, 0.0),
        ("photo", None, None),
        ("photo", True, LOW_SIGMA),
        ("vivid", None, LOW_SIGMA),
        ("vivid", True, LOW_SIGMA),
        ("vivid", False, None),
    ],
)
def test_networks_for_noisy_pictures_get_the_low_pass_and_vivid_unasked(model, consistent, sigma):
    assert sigma_of(model, consistent=consistent) == sigma


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Hand out a folder of networks that change what they enlarge visibly."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, name="rgb", scale=2, width=4, depth=2)
    write_model(folder, name="rgb", scale=3, width=4, depth=2)
    write_model(folder, name="luma", scale=3, channels=1, width=4)
    write_model(folder, name="vivid", scale=2, width=4, depth=2)
    return folder


def far(sr, lr, scale):
    """Find the share of samples that are off by more than a level of 8 bits."""
    return (np.abs(downscale(sr, scale).astype(int) - lr) > 1).mean()


def soft(rng, *shape):
    """Make a picture of 8 bits that is neither black nor white anywhere."""
    return rng.integers(100, 156, shape, dtype=np.uint8)


@pytest.mark.parametrize(("model", "scale"), [("rgb_x2", 2), ("rgb_x3", 3), ("luma_x3", 3)])
@pytest.mark.parametrize("shape", [(30, 20, 3), (21, 34), (1, 1, 3), (2, 7)])
def test_every_kind_of_network_and_picture_is_given_back(rng, models, model, scale, shape):
    lr = soft(rng, *shape)
    path = models / f"{model}.onnx"
    assert far(Upscaler(path, consistent=True, precision="f32").upscale(lr), lr, scale) < 0.001
    off = Upscaler(path, consistent=False, precision="f32").upscale(lr)
    assert np.array_equal(off, Upscaler(path, precision="f32").upscale(lr))
    if lr.size > 100:
        assert far(off, lr, scale) > 0.02


def test_two_networks_one_after_the_other_are_held_to_the_small_picture(rng, models):
    lr = soft(rng, 20, 24, 3)
    upscaler = Upscaler(models / "rgb_x3.onnx", scale=9, consistent=True, precision="f32")
    assert far(upscaler.upscale(lr), lr, 9) < 0.001


def test_after_a_resize_to_the_exact_size_it_is_nearly_given_back(models):
    place = np.arange(60)
    waves = 0.5 + 0.1 * np.sin(place[:, None, None] * 0.5 + place[None, :, None] * 0.3)
    lr = to_u8(waves.repeat(3, axis=2))
    plain, given = (
        Upscaler(models / "rgb_x3.onnx", scale=2.5, consistent=consistent).upscale(lr)
        for consistent in (False, True)
    )
    assert given.shape == (150, 150, 3)
    off_plain, off_given = (
        np.abs(resize_bicubic(sr, Size(60, 60)).astype(int) - lr) > 1 for sr in (plain, given)
    )
    assert off_given.mean() < 0.01 < off_plain.mean()


@pytest.mark.parametrize("tile", [7, 16])
def test_tiles_make_no_difference(rng, models, tile):
    lr = soft(rng, 70, 40, 3)
    options = {"consistent": True, "precision": "f32", "engine": "onnxruntime"}
    whole = Upscaler(models / "rgb_x2.onnx", **options).upscale(lr)
    assert np.array_equal(Upscaler(models / "rgb_x2.onnx", tile=tile, **options).upscale(lr), whole)


def test_floats_and_sixteen_bits_are_given_back_more_closely(rng, models):
    lr = (soft(rng, 30, 20, 3) / 255).astype(np.float32)
    upscaler = Upscaler(models / "rgb_x2.onnx", consistent=True, precision="f32")
    assert np.abs(downscale(upscaler.upscale(lr), 2) - lr).max() < 1e-3
    deep = (lr * 65535).astype(np.uint16)
    back = downscale(to_float(upscaler.upscale(deep)), 2)
    assert np.abs(back - to_float(deep)).max() < 1e-3


def test_transparent_pictures_keep_their_alpha_and_are_given_back(rng, models):
    lr = np.concatenate([soft(rng, 40, 30, 3), np.full((40, 30, 1), 255, np.uint8)], axis=2)
    lr[:8, :, 3] = 0
    lr[8:20, :, 3] = 128
    path = models / "rgb_x2.onnx"
    plain, given = (
        Upscaler(path, consistent=consistent, precision="f32").upscale(lr)
        for consistent in (False, True)
    )
    assert np.array_equal(plain[..., 3], given[..., 3])

    def off(sr):
        covered = downscale(weighed(sr, has_alpha=True), 2)[10:]
        return np.abs(straight(covered, has_alpha=True) - to_float(lr[10:]))[..., :3] * 255

    assert (off(given) > 1).mean() < 0.01
    assert (off(plain) > 1).mean() > 0.1


def test_vivid_is_held_to_the_mean_of_areas_unless_that_is_declined(rng, models):
    lr = to_u8(0.5 + 0.05 * rng.standard_normal((64, 64, 3)))
    path = models / "vivid_x2.onnx"
    bare, usual, asked = (
        Upscaler(path, consistent=c, precision="f32").upscale(lr) for c in (False, None, True)
    )
    assert np.array_equal(usual, asked)

    def off(sr):
        difference = downscale(sr, 2).astype(np.float64) - lr
        return np.abs(difference.reshape(4, 16, 4, 16, 3).mean(axis=(1, 3))).max()

    assert off(usual) < 1 < off(bare)


def test_a_choice_between_two_networks_is_held_to_the_picture_too(rng):
    lr = soft(rng, 100, 110, 3)
    plain, given = (
        Upscaler(scale=2, effort="auto", consistent=consistent).upscale(lr)
        for consistent in (False, True)
    )
    assert far(given, lr, 2) < 0.002
    assert far(plain, lr, 2) > 0.02
