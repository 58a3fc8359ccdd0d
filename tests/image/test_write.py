import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from PIL import Image, ImageCms

from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.write import encode_picture, write_picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TOPS = {8: 255, 16: 65535}


def make(rng, *, channels=3, depth=8, alpha=False, size=(13, 17), **fields):
    """Draw a picture whose values are exactly those of its depth, in read-only arrays."""

    def draw(shape):
        if depth == 32:
            values = rng.random(shape, np.float32)
        else:
            samples = rng.integers(0, TOPS[depth] + 1, shape)
            values = samples.astype(np.float32) * np.float32(1 / TOPS[depth])
        values.flags.writeable = False
        return values

    pixels = draw((*size, channels))
    return Picture(pixels, draw(size) if alpha else None, depth=depth, **fields)


def exif():
    block = Image.Exif()
    block[0x112] = 1
    block[0x10F] = "Camera"
    details = block.get_ifd(0x8769)
    details[0x9003] = "2020:01:02 03:04:05"
    details[0xA434] = "Lens 50mm"
    details[0x927C] = b"maker's own note"
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes()


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("suffix", "depth"),
    [(".png", 8), (".png", 16), (".tif", 8), (".tiff", 16), (".tif", 32)],
)
def test_what_is_written_is_read_again_exactly(rng, tmp_path, suffix, depth, channels, alpha):
    picture = make(rng, channels=channels, depth=depth, alpha=alpha, dpi=(300.0, 150.0))
    if channels == 3:
        picture = picture.replace(icc=SRGB)
    path = write_picture(picture, tmp_path / f"out{suffix}")
    again = read_picture(path)
    assert (again.pixels == picture.pixels).all()
    assert again.alpha is None if not alpha else (again.alpha == picture.alpha).all()
    assert again.depth == depth
    assert again.icc == picture.icc
    assert again.dpi == picture.dpi
    assert again.format in ("png", "tiff")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pictures_of_more_rows_than_are_handled_at_once_come_back_too(rng, tmp_path, suffix):
    picture = make(rng, alpha=True, size=(700, 9))
    again = read_picture(write_picture(picture, tmp_path / f"tall{suffix}"))
    assert (again.pixels == picture.pixels).all()
    assert (again.alpha == picture.alpha).all()


@given(
    nps.arrays(np.uint8, st.tuples(*[st.integers(1, 9)] * 2, st.sampled_from([1, 3]))),
    st.booleans(),
)
def test_png_of_any_small_picture_comes_back(samples, has_alpha):
    pixels = samples.astype(np.float32) * np.float32(1 / 255)
    picture = Picture(pixels, pixels[..., 0].copy() if has_alpha else None)
    again = read_picture(encode_picture(picture, "png"))
    assert (again.pixels == picture.pixels).all()
    assert again.alpha is None if not has_alpha else (again.alpha == picture.alpha).all()


@given(nps.arrays(np.uint16, st.tuples(*[st.integers(1, 9)] * 2, st.sampled_from([1, 3]))))
def test_png_of_16_bits_of_any_small_picture_comes_back(samples):
    picture = Picture(samples.astype(np.float32) * np.float32(1 / 65535), depth=16)
    assert (read_picture(encode_picture(picture, "png")).pixels == picture.pixels).all()


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".png", ".tif"])
def test_others_read_what_is_written(tmp_path, suffix):
    flat = np.broadcast_to(np.float32([0.2, 0.6, 0.8]), (20, 30, 3))
    path = write_picture(Picture(flat), tmp_path / f"out{suffix}")
    with Image.open(path) as image:
        assert image.size == (30, 20)
        seen = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(seen - [51, 153, 204]).max() <= 3


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_exif_is_kept_and_stays_upright(rng, name):
    picture = make(rng, exif=exif(), dpi=(300.0, 150.0))
    data = encode_picture(picture, name)
    with Image.open(io.BytesIO(data)) as image:
        block = image.getexif()
        details = block.get_ifd(0x8769)
        assert block[0x112] == 1
        assert block[0x10F] == "Camera"
        assert details[0x9003] == "2020:01:02 03:04:05"
        assert details[0xA434] == "Lens 50mm"
        assert details[0x927C] == b"maker's own note"
        assert block.get_ifd(0x8825)[1] == "N"
        # EXIF also says how large the picture is; that must be the new size. Of TIFF, whose tags
        # say it, it need not.
        assert name == "tiff" or (details[0xA002], details[0xA003]) == (17, 13)
    again = read_picture(data)
    assert again.dpi == (300.0, 150.0)
    assert again.exif is not None


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_resolution_is_kept(rng, name):
    assert read_picture(encode_picture(make(rng, dpi=(240.0, 120.0)), name)).dpi == (240.0, 120.0)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_nothing_is_made_up_for_a_picture_that_says_nothing(rng, name):
    data = encode_picture(make(rng), name)
    again = read_picture(data)
    assert (again.dpi, again.exif, again.icc) == (None, None, None)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info.get("dpi") in (None, (1, 1))
        assert name == "tiff" or not image.getexif()


@pytest.mark.parametrize("fields", [{"exif": b""}, {"dpi": (0.0, 0.0)}, {"dpi": (1e9, 1e-9)}])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_fields_without_sense_are_left_out(rng, name, fields, capfd):
    again = read_picture(encode_picture(make(rng, **fields), name))
    assert (again.dpi, again.exif) == (None, None)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0garbage", b"garbage all over"])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_damaged_exif_does_not_stop_the_picture(rng, name, exif, capfd):
    picture = make(rng, exif=exif)
    assert read_picture(encode_picture(picture, name)).size == picture.size
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_the_profile_is_kept(rng, name):
    assert read_picture(encode_picture(make(rng, icc=SRGB), name)).icc == SRGB


def test_a_profile_for_another_number_of_channels_is_left_out(rng):
    grey = make(rng, channels=1, icc=SRGB)
    assert read_picture(encode_picture(grey, "png")).icc is None


def grey_profile(gamma):
    """Build the smallest profile for grey: a white point and one curve."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    start = 128 + 4 + 2 * 12
    table = struct.pack(">I", 2)
    table += struct.pack(">4sII", b"wtpt", start, len(white))
    table += struct.pack(">4sII", b"kTRC", start + len(white), len(curve))
    head = bytearray(128)
    struct.pack_into(">I", head, 0, start + len(white) + len(curve))
    struct.pack_into(">I12s", head, 8, 0x02400000, b"mntrGRAYXYZ ")
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + table + white + curve


@pytest.mark.parametrize("name", ["png", "jpeg", "tiff"])
def test_a_grey_profile_is_kept(rng, name):
    profile = grey_profile(1.8)
    assert read_picture(encode_picture(make(rng, channels=1, icc=profile), name)).icc == profile


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_a_grey_profile_becomes_srgb_where_the_format_has_no_grey(name):
    picture = Picture(np.full((16, 16, 1), 0.5, np.float32), icc=grey_profile(1.0))
    again = read_picture(encode_picture(picture, name, quality=100))
    # Half the light is level 188 in sRGB.
    assert np.abs(again.pixels * 255 - 188).max() <= 3
    assert again.icc is None or again.icc[16:20] == b"RGB "


@pytest.mark.parametrize("name", ["webp", "avif"])
def test_alpha_is_kept_by_webp_and_avif(name):
    ramp = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32), (30, 40))
    picture = Picture(np.full((30, 40, 3), 0.5, np.float32), ramp)
    again = read_picture(encode_picture(picture, name, quality=100))
    assert np.abs(again.alpha - ramp).max() < 0.02


def test_transparency_becomes_white_in_jpeg():
    alpha = np.repeat(np.float32([[0, 0.5, 1]]), 16, axis=1)
    picture = Picture(np.zeros((1, 48, 3), np.float32), alpha)
    again = read_picture(encode_picture(picture, "jpeg", quality=100))
    assert again.alpha is None
    middles = again.pixels[0, [8, 24, 40], 0] * 255
    assert np.abs(middles - [255, 127.5, 0]).max() <= 1.5


@pytest.mark.parametrize(
    ("name", "depth", "kept"),
    [
        ("jpeg", 16, 8),
        ("webp", 16, 8),
        ("webp", 32, 8),
        ("png", 32, 16),
        ("avif", 8, 8),
        ("avif", 16, 16),
        ("tiff", 32, 32),
    ],
)
def test_depth_is_kept_as_far_as_the_format_goes(rng, name, depth, kept):
    assert read_picture(encode_picture(make(rng, depth=depth), name)).depth == kept


def test_16_bits_become_8_by_rounding_and_not_by_cutting():
    samples = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    picture = Picture(samples.astype(np.float32) / 65535, depth=8)
    written = np.rint(read_picture(encode_picture(picture, "png")).pixels * 255)
    assert (written == (samples.astype(np.int64) * 255 + 32767) // 65535).all()


def test_10_bits_of_avif_are_rounded_too():
    # A level of 10 bits and nearly a half: cutting would lose it, rounding must not.
    value = np.float32((513 - 0.45) / 1023)
    picture = Picture(np.full((16, 16, 1), value, np.float32), depth=16)
    again = read_picture(encode_picture(picture, "avif", quality=100)).pixels
    assert np.abs(again * 1023 - 513).max() < 0.1


def test_values_outside_of_0_and_1_are_clipped():
    pixels = np.float32([[[-0.5], [0.5], [1.5]]])
    for name in ("png", "tiff"):
        for depth in (8, 16, 32):
            again = read_picture(encode_picture(Picture(pixels, depth=depth), name)).pixels
            assert again.ravel()[[0, 2]].tolist() == [0, 1]


def test_more_quality_makes_a_larger_and_a_truer_file(rng):
    picture = make(rng, size=(64, 64))
    for name in ("jpeg", "webp", "avif"):
        low, high = (encode_picture(picture, name, quality=q) for q in (30, 95))
        assert len(low) < len(high)
        errors = [np.abs(read_picture(d).pixels - picture.pixels).mean() for d in (low, high)]
        assert errors[1] < errors[0]


@pytest.mark.parametrize(("quality", "sampling"), [(None, 1), (90, 1), (89, 2)])
def test_jpeg_keeps_all_colour_from_quality_90_on(rng, quality, sampling):
    data = encode_picture(make(rng, size=(32, 32)), "jpeg", quality=quality)
    with Image.open(io.BytesIO(data)) as image:
        assert image.layer[0][1:3] == (sampling, sampling)


def test_bytes_and_file_are_the_same(rng, tmp_path):
    picture = make(rng, exif=exif())
    for name in ("png", "jpeg", "webp", "tiff", "avif"):
        path = write_picture(picture, tmp_path / "out.bin", format=name, overwrite=True)
        assert path.read_bytes() == encode_picture(picture, name)


@pytest.mark.parametrize("name", ["Füße im Schnee.png", "写真 1.jpg", "a[b=1] c.tif", "-x.webp"])
def test_any_name_that_a_file_system_allows_is_written(rng, tmp_path, name):
    path = write_picture(make(rng), tmp_path / name)
    assert read_picture(path).size == make(rng).size
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_single_pixel_can_be_written_in_every_format():
    picture = Picture(np.full((1, 1, 3), 0.5, np.float32), np.ones((1, 1), np.float32))
    for name in ("png", "jpeg", "webp", "tiff", "avif"):
        assert str(read_picture(encode_picture(picture, name)).size) == "1x1"
