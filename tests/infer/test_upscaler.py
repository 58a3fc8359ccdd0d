import importlib.util
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pixelift.errors import (
    ConfigError,
    ImageReadError,
    OutOfMemoryError,
    ShapeError,
    UnknownNameError,
)
from pixelift.image.depth import to_float, to_u8
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.resize import upscale as bicubic
from pixelift.image.write import encode_picture
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Hand out a folder with a network that adds a residual and one that is plain bicubic."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, name="strong", scale=2, width=8, gain=2)
    write_model(folder, name="bicubic", scale=2, gain=0)
    write_model(folder, name="luma", scale=3, channels=1, width=8)
    return folder


@pytest.fixture(scope="module")
def strong(folder):
    """Hand out an upscaler whose network changes colours visibly."""
    return Upscaler(folder / "strong_x2.onnx")


@pytest.fixture(scope="module")
def plain(folder):
    """Hand out an upscaler that is nothing but bicubic interpolation."""
    return Upscaler(folder / "bicubic_x2.onnx")


def samples(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        array = rng.random(shape).astype(dtype)
    else:
        array = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("tail", [(), (1,), (2,), (3,), (4,)])
def test_arrays_come_back_as_they_were_and_twice_the_size(strong, dtype, tail, rng):
    array = samples(rng, (9, 11, *tail), dtype)
    before = array.copy()
    result = strong.upscale(array)
    assert result.shape == (18, 22, *tail)
    assert result.dtype == dtype
    assert np.array_equal(array, before)
    top = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    assert result.min() >= 0
    assert result.max() <= top
    assert np.ptp(result.astype(float)) > top / 4


def test_bicubic_in_the_network_is_bicubic_of_the_house(plain, rng):
    for tail in [(), (3,)]:
        array = samples(rng, (13, 10, *tail), np.uint8)
        expected = to_u8(bicubic(to_float(array), 2)).astype(int)
        # A level apart only where float32 comes out at a half.
        off = np.abs(plain.upscale(array) - expected)
        assert off.max() <= 1
        assert np.count_nonzero(off) < off.size / 100


def test_depths_agree_with_each_other(strong, rng):
    u8 = samples(rng, (9, 8, 3), np.uint8)
    floats = strong.upscale(to_float(u8))
    assert np.array_equal(strong.upscale(u8), to_u8(floats))
    u16 = strong.upscale(u8.astype(np.uint16) * 257)
    assert np.abs(u16 / 65535 - floats).max() < 1e-4


def test_a_dark_16_bit_array_is_not_taken_for_8_bits(plain):
    dark = np.full((5, 5, 3), 200, np.uint16)
    assert np.abs(plain.upscale(dark).astype(int) - 200).max() <= 1


def test_grey_stays_grey_and_keeps_the_luma_of_the_coloured_answer(strong, rng):
    grey = samples(rng, (12, 9), np.float32)
    one = strong.upscale(grey)
    three = strong.upscale(np.repeat(grey[..., None], 3, axis=2))
    assert one.shape == (24, 18)
    inside = (three.min(axis=2) > 0) & (three.max(axis=2) < 1)
    assert inside.any()
    assert np.allclose(one[inside], (three @ [0.299, 0.587, 0.114])[inside], atol=1e-3)


def test_opaque_alpha_changes_nothing(strong, rng):
    rgb = samples(rng, (9, 8, 3), np.uint8)
    opaque = np.concatenate([rgb, np.full((9, 8, 1), 255, np.uint8)], axis=2)
    result = strong.upscale(opaque)
    assert np.array_equal(result[..., :3], strong.upscale(rgb))
    assert (result[..., 3] == 255).all()


def test_one_colour_with_transparency_gets_no_fringe(strong, rng):
    rgba = samples(rng, (20, 20, 4), np.uint8).copy()
    rgba[..., 3] = np.clip((9 - np.hypot(*(np.mgrid[:20, :20] - 9.5))) * 120, 0, 255)
    rgba[rgba[..., 3] > 0, :3] = (200, 30, 60)
    sheet = np.full((20, 20, 3), (200, 30, 60), np.uint8)
    result = strong.upscale(rgba)
    assert np.abs(result[..., :3].astype(int) - strong.upscale(sheet)).max() <= 1


def test_a_luma_network_takes_every_kind_of_array(folder, rng):
    upscaler = Upscaler(folder / "luma_x3.onnx")
    for tail in [(), (1,), (2,), (3,), (4,)]:
        assert upscaler.upscale(samples(rng, (7, 6, *tail), np.uint8)).shape == (21, 18, *tail)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1)])
def test_tiny_pictures_work(strong, size, rng):
    assert strong.upscale(samples(rng, (*size, 3), np.uint8)).shape == (2 * size[0], 2 * size[1], 3)


def test_the_tile_is_a_matter_of_memory_only(folder, rng):
    array = samples(rng, (50, 70, 3), np.uint8)
    results = [
        Upscaler(folder / "strong_x2.onnx", tile=tile, threads=threads).upscale(array)
        for tile, threads in [(None, None), (16, 1), (33, 2)]
    ]
    for result in results[1:]:
        off = np.abs(result.astype(int) - results[0])
        assert off.max() <= 1
        assert np.count_nonzero(off) < off.size / 10_000


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3, 3), np.uint8),
        np.zeros((3, 3, 5), np.uint8),
        np.zeros((3, 8, 8), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((3, 3), bool),
        np.zeros((3, 3), np.int64),
        np.zeros((3, 3), np.float16),
        np.full((3, 3), np.nan, np.float32),
        np.full((3, 3), np.inf, np.float32),
        np.full((3, 3), 1.1, np.float32),
        np.full((3, 3), -0.1, np.float64),
        np.full((3, 3), 255, np.float32),
    ],
)
def test_an_array_that_is_no_picture_is_refused_with_what_is_allowed(strong, array):
    with pytest.raises(ShapeError, match="allowed are") as info:
        strong.upscale(array)
    assert "\n" not in str(info.value)


def test_one_nan_among_good_values_is_found(strong):
    array = np.full((9, 9, 3), 0.5, np.float32)
    array[4, 4, 1] = np.nan
    with pytest.raises(ShapeError, match="finite"):
        strong.upscale(array)


def test_a_small_overshoot_is_clipped(strong):
    over = np.array([[-0.003, 1.003]], np.float32)
    assert np.array_equal(strong.upscale(over), strong.upscale(np.clip(over, 0, 1)))


@pytest.mark.parametrize("thing", [None, 3, [[1, 2]], memoryview(b"x")])
def test_what_is_no_image_is_refused_with_what_is_allowed(strong, thing):
    with pytest.raises(ShapeError, match=r"allowed is a numpy array, .*numpy\.asarray\(image\)"):
        strong.upscale(thing)


def test_a_picture_carries_over_what_its_file_said(strong, rng):
    picture = Picture(
        samples(rng, (6, 5, 3), np.float32),
        samples(rng, (6, 5), np.float32),
        depth=16,
        icc=b"icc",
        exif=b"exif",
        dpi=(300, 301),
        format="tiff",
    )
    for result in (strong.picture(picture), strong.upscale(picture)):
        assert str(result.size) == "10x12"
        assert result.alpha.shape == (12, 10)
        for name in ("depth", "icc", "exif", "dpi", "format"):
            assert getattr(result, name) == getattr(picture, name)


@pytest.mark.parametrize("kind", [bytes, bytearray])
@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "tiff"])
def test_bytes_come_back_in_the_same_format(strong, name, kind, rng):
    data = encode_picture(Picture(samples(rng, (16, 12, 3), np.float32)), name)
    result = strong.upscale(kind(data))
    assert type(result) is kind
    picture = read_picture(bytes(result))
    assert picture.format == read_picture(data).format
    assert str(picture.size) == "24x32"
    if name == "png":
        assert np.array_equal(
            to_u8(picture.pixels), to_u8(strong.picture(read_picture(data)).pixels)
        )


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_read_and_becomes_a_picture(strong, kind, tmp_path, rng):
    path = tmp_path / "a.png"
    path.write_bytes(encode_picture(Picture(samples(rng, (16, 12, 3), np.float32)), "png"))
    result = strong.upscale(kind(path))
    assert isinstance(result, Picture)
    assert result.format == "png"
    assert np.array_equal(result.pixels, strong.picture(read_picture(path)).pixels)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    with pytest.raises(ImageReadError, match="there is no such file"):
        strong.upscale(kind(tmp_path / "b.png"))


def test_bytes_that_are_no_picture_are_refused(strong):
    with pytest.raises(ImageReadError):
        strong.upscale(b"no picture")


def pil_image(mode, rng):
    image_module = pytest.importorskip("PIL.Image")
    rgb = image_module.fromarray(samples(rng, (7, 9, 3), np.uint8))
    if mode == "I;16":
        return image_module.fromarray(samples(rng, (7, 9), np.uint16))
    if mode == "P":
        return rgb.quantize(16)
    if mode in ("LA", "RGBA"):
        rgb.putalpha(image_module.fromarray(samples(rng, (7, 9), np.uint8)))
    return rgb.convert(mode)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("L", "L"),
        ("LA", "LA"),
        ("RGB", "RGB"),
        ("RGBA", "RGBA"),
        ("I;16", "I;16"),
        ("P", "RGB"),
        ("1", "L"),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("HSV", "RGB"),
    ],
)
def test_pil_images_come_back_as_pil_images(strong, mode, expected, rng):
    image = pil_image(mode, rng)
    before = image.tobytes()
    result = strong.upscale(image)
    assert result.mode == expected
    assert result.size == (18, 14)
    assert image.tobytes() == before
    same = image if mode == expected else image.convert(expected)
    array = np.asarray(same)
    array = array.astype(np.uint16) if mode == "I;16" else array
    assert np.array_equal(np.asarray(result), strong.upscale(array))


def test_pil_palettes_with_transparency_become_rgba(strong, rng):
    image = pil_image("P", rng)
    image.info["transparency"] = 3
    result = strong.upscale(image)
    assert result.mode == "RGBA"
    assert "transparency" not in result.info
    assert np.asarray(result)[..., 3].min() < 255


def test_pil_profile_exif_and_resolution_are_kept(strong, rng):
    image = pil_image("RGB", rng)
    image.info.update(icc_profile=b"icc", exif=b"exif", dpi=(72, 72))
    assert strong.upscale(image).info == image.info


def test_a_lazily_opened_pil_file_works(strong, rng):
    image_module = pytest.importorskip("PIL.Image")
    stream = io.BytesIO()
    pil_image("RGB", rng).save(stream, "PNG")
    with image_module.open(stream) as image:
        assert strong.upscale(image).size == (18, 14)


def test_several_threads_may_share_an_upscaler(strong, rng):
    arrays = [samples(rng, (20 + i % 3, 17, 3), np.uint8) for i in range(12)]
    expected = [strong.upscale(array) for array in arrays]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(strong.upscale, arrays))
    assert all(map(np.array_equal, results, expected))


def test_an_upscaler_says_what_it_is(folder):
    upscaler = Upscaler(folder / "strong_x2.onnx", precision="f32")
    assert (upscaler.card.name, upscaler.scale, upscaler.precision) == ("strong", 2, "f32")
    assert upscaler.engine in ("openvino", "onnxruntime")


def test_names_are_found_in_the_users_folder(folder, monkeypatch, tmp_path):
    (tmp_path / "models").symlink_to(folder)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    assert Upscaler("strong", scale=2).card.key == "strong_x2"
    assert Upscaler("luma_x3").scale == 3
    with pytest.raises(UnknownNameError, match='no model "strang"'):
        Upscaler("strang", scale=2)


def test_a_tile_that_makes_no_sense_is_refused(folder):
    with pytest.raises(ConfigError, match="tile is 0"):
        Upscaler(folder / "strong_x2.onnx", tile=0)


def test_memory_that_runs_out_is_told_and_the_upscaler_still_works(strong, rng, monkeypatch):
    array = samples(rng, (40, 40, 3), np.uint8)
    expected = strong.upscale(array)
    network = strong._family.network(2)
    real = network.engine

    class Starved:
        card, lean = real.card, real.lean

        def samples(self, lr, *, keep):
            if lr.shape[0] > limit:
                raise OutOfMemoryError("no")
            return real.samples(lr, keep=keep)

    monkeypatch.setattr(network, "_engine", Starved())
    limit = 30
    assert np.array_equal(strong.upscale(array), expected)
    limit = 0
    with pytest.raises(OutOfMemoryError, match="even with tiles of 16"):
        strong.upscale(array)
    monkeypatch.undo()
    assert np.array_equal(strong.upscale(array), expected)


@pytest.mark.parametrize("with_alpha", [False, True])
def test_progress_is_told_and_changes_nothing(folder, rng, with_alpha):
    upscaler = Upscaler(folder / "strong_x2.onnx", tile=16)
    alpha = samples(rng, (20, 40), np.float32) if with_alpha else None
    picture = Picture(samples(rng, (20, 40, 3), np.float32), alpha)
    told = []
    result = upscaler.picture(picture, progress=told.append)
    assert told == pytest.approx([n / 6 for n in range(1, 7)])
    assert np.array_equal(result.pixels, upscaler.picture(picture).pixels)


def test_progress_through_two_networks_never_falls(folder, rng):
    upscaler = Upscaler(folder / "strong_x2.onnx", scale=4, tile=16)
    told = []
    upscaler.picture(Picture(samples(rng, (20, 20, 3), np.float32)), progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_what_progress_raises_ends_the_work(folder, rng):
    def stop(_):
        raise KeyboardInterrupt

    upscaler = Upscaler(folder / "strong_x2.onnx", tile=16)
    with pytest.raises(KeyboardInterrupt):
        upscaler.picture(Picture(samples(rng, (20, 20, 3), np.float32)), progress=stop)
