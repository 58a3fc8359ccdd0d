import io
import resource
import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms, ImageOps

from pixelift.errors import ImageReadError, TooManyPixelsError
from pixelift.image.depth import to_u8
from pixelift.image.read import read_picture, read_u8

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def from_vips(array, suffix, *, interpretation="srgb", **options):
    height, width, bands = array.shape
    image = pyvips.Image.new_from_memory(
        np.ascontiguousarray(array), width, height, bands, pyvips_type(array)
    )
    return image.copy(interpretation=interpretation).write_to_buffer(suffix, **options)


def pyvips_type(array):
    types = {"uint8": "uchar", "uint16": "ushort", "float32": "float", "int32": "int"}
    return types[str(array.dtype)]


def levels(pixels, top=255):
    return np.rint(pixels * top).astype(np.int64)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height):
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + body


@pytest.fixture(scope="module")
def photo():
    """Make something with smooth parts and noise, as photos have, of 160x120 pixels."""
    rng = np.random.default_rng(7)
    down, across = np.mgrid[0:120, 0:160] / 160
    smooth = np.stack([across, down, (across + down) / 2], -1) * 200
    return Image.fromarray((smooth + rng.integers(0, 40, smooth.shape)).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_pixels_are_those_that_pillow_reads(photo, kind, tmp_path):
    data = encoded(photo, kind)
    path = tmp_path / "photo.bin"
    path.write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("RGB")).astype(np.int64)
    for source in (data, path, str(path)):
        picture = read_picture(source)
        assert picture.format == kind.lower()
        assert picture.depth == 8
        assert picture.alpha is None
        difference = np.abs(levels(picture.pixels) - expected)
        if kind in ("PNG", "TIFF", "GIF"):
            assert difference.max() == 0
        else:
            # Decoders bring coarse colour to full size in ways of their own.
            assert difference.mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_once_and_the_tag_corrected(kind, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    exif[0x10F] = "Camera"
    image = Image.fromarray(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3) * 2)
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    data = encoded(image, kind, exif=exif, dpi=(300, 150), **options.get(kind, {}))
    picture = read_picture(data)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)).astype(np.int64)
    assert levels(picture.pixels).shape == expected.shape
    assert np.abs(levels(picture.pixels) - expected).max() <= (3 if kind == "JPEG" else 0)
    kept = Image.Exif()
    kept.load(picture.exif)
    assert dict(kept) == {0x112: 1, 0x10F: "Camera"}
    if kind != "WEBP":
        assert picture.dpi == pytest.approx((150, 300) if orientation > 4 else (300, 150), abs=0.02)


@pytest.mark.parametrize("orientation", [3, 6])
def test_avif_is_not_turned_a_second_time(photo, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    data = encoded(photo, "AVIF", exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)).astype(np.int64)
    pixels = levels(read_picture(data).pixels)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).mean() < 2


def test_exif_has_no_say_over_how_avif_is_turned(photo):
    # Pillow moves the tag out of EXIF, so it goes in under another number, changed afterwards.
    exif = Image.Exif()
    exif[0x115] = 6
    data = encoded(photo, "AVIF", exif=exif)
    entry = struct.pack(">HH", 0x115, 3)
    assert data.count(entry) == 1
    picture = read_picture(data.replace(entry, struct.pack(">HH", 0x112, 3)))
    assert str(picture.size) == "160x120"
    kept = Image.Exif()
    kept.load(picture.exif)
    assert kept[0x112] == 1


def test_an_orientation_that_does_not_exist_is_taken_as_upright(photo):
    exif = Image.Exif()
    exif[0x112] = 9
    picture = read_picture(encoded(photo, "PNG", exif=exif))
    assert (levels(picture.pixels) == np.asarray(photo)).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_the_profile_of_an_rgb_picture_is_kept(photo, kind):
    assert read_picture(encoded(photo, kind, icc_profile=SRGB)).icc == SRGB
    assert read_picture(encoded(photo, kind)).icc is None


def test_the_profile_of_a_grey_picture_is_kept_only_if_it_is_one_for_grey(photo):
    grey_profile = SRGB[:16] + b"GRAY" + SRGB[20:]
    grey = photo.convert("L")
    assert read_picture(encoded(grey, "TIFF", icc_profile=grey_profile)).icc == grey_profile
    assert read_picture(encoded(grey, "TIFF", icc_profile=SRGB)).icc is None


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize("embedded", [True, False])
def test_cmyk_becomes_srgb_through_its_profile(photo, kind, embedded):
    profile = bytes(pyvips.Operation.call("profile_load", "cmyk"))
    cmyk = photo.convert("CMYK")
    data = encoded(cmyk, kind, **({"icc_profile": profile} if embedded else {}))
    picture = read_picture(data)
    assert picture.pixels.shape == (120, 160, 3)
    assert picture.icc is None
    with Image.open(io.BytesIO(data)) as opened:
        expected = ImageCms.profileToProfile(
            opened,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    assert np.abs(levels(picture.pixels) - np.asarray(expected).astype(int)).max() <= 3


def lab50(rgb):
    """Lab with the white that TIFF means; libvips has another."""
    return rgb.icc_import(input_profile="srgb", pcs="lab", intent="relative")


def test_lab_becomes_srgb(photo):
    rgb = pyvips.Image.new_from_array(np.asarray(photo)).copy(interpretation="srgb")
    for space in ("lab", "labs"):
        picture = read_picture(lab50(rgb).colourspace(space).write_to_buffer(".tif"))
        assert picture.depth == 16
        assert np.abs(levels(picture.pixels) - np.asarray(photo).astype(int)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF"])
def test_a_palette_becomes_rgb(photo, kind):
    data = encoded(photo.quantize(16), kind)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(opened.convert("RGB"))
    assert (levels(read_picture(data).pixels) == expected).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparency_of_a_palette_becomes_alpha(photo, kind):
    palette = photo.quantize(16)
    picture = read_picture(encoded(palette, kind, transparency=3))
    assert picture.pixels.shape == (120, 160, 3)
    assert (picture.alpha == (np.asarray(palette) != 3)).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF"])
def test_one_bit_becomes_grey(photo, kind):
    bits = photo.convert("1")
    picture = read_picture(encoded(bits, kind))
    assert picture.pixels.shape == (120, 160, 1)
    assert (picture.pixels[..., 0] == np.asarray(bits)).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "AVIF"])
def test_grey_stays_grey(photo, kind):
    data = encoded(photo.convert("L"), kind)
    picture = read_picture(data)
    assert picture.pixels.shape == (120, 160, 1)
    assert picture.alpha is None
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(opened.convert("L")).astype(int)
    assert np.abs(levels(picture.pixels[..., 0]) - expected).max() <= 1


def test_rgb_that_looks_grey_stays_rgb(photo):
    assert read_picture(encoded(photo.convert("L").convert("RGB"), "PNG")).pixels.shape[2] == 3


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_alpha_is_kept_apart_from_the_pixels(photo, mode, kind):
    image = photo.convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    picture = read_picture(encoded(image, kind))
    samples = np.asarray(image)
    assert (levels(picture.pixels) == samples[..., :-1]).all()
    assert (levels(picture.alpha) == samples[..., -1]).all()
    assert picture.alpha.shape == (120, 160)


def test_premultiplied_tiff_becomes_straight(rng):
    samples = rng.integers(0, 65536, (9, 11, 4)).astype(np.uint16)
    samples[..., 3] |= 0x4000
    # libvips multiplies when it writes and marks the file; it must be undone exactly once.
    data = from_vips(samples, ".tif", interpretation="rgb16", premultiply=True)
    picture = read_picture(data)
    assert (levels(picture.alpha, 65535) == samples[..., 3]).all()
    assert np.abs(levels(picture.pixels, 65535) - samples[..., :3]).max() <= 4


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("top", [200, 65535])
def test_16_bits_stay_16_however_dark_the_picture_is(suffix, top, rng):
    samples = rng.integers(0, top + 1, (9, 11, 3)).astype(np.uint16)
    samples[0, 0] = top
    picture = read_picture(from_vips(samples, suffix, interpretation="rgb16"))
    assert picture.depth == 16
    assert (levels(picture.pixels, 65535) == samples).all()


def test_grey_png_of_16_bits_stays_grey_of_16_bits(rng):
    samples = rng.integers(0, 300, (9, 11)).astype(np.uint16)
    picture = read_picture(encoded(Image.fromarray(samples), "PNG"))
    assert picture.depth == 16
    assert (levels(picture.pixels[..., 0], 65535) == samples).all()


@pytest.mark.parametrize("bits", [10, 12])
def test_white_in_avif_of_more_than_8_bits_is_white(bits):
    samples = np.full((16, 16, 3), 65535, np.uint16)
    data = from_vips(samples, ".avif", interpretation="rgb16", bitdepth=bits, lossless=True)
    picture = read_picture(data)
    assert picture.depth == 16
    assert (picture.pixels == 1).all()


def test_float_tiff_has_32_bits_and_its_own_values(rng):
    samples = rng.random((9, 11, 3), np.float32)
    picture = read_picture(from_vips(samples, ".tif"))
    assert picture.depth == 32
    assert (picture.pixels == samples).all()


def test_overshoot_in_a_float_tiff_is_clipped_and_another_range_refused():
    samples = np.array([[[-0.05], [0.5], [1.05]]], np.float32)
    picture = read_picture(from_vips(samples, ".tif", interpretation="b-w"))
    assert picture.pixels.ravel().tolist() == [0, 0.5, 1]
    for wrong in (255.0, np.nan, np.inf):
        samples[0, 1] = wrong
        with pytest.raises(ImageReadError, match="allowed is 0 to 1"):
            read_picture(from_vips(samples, ".tif", interpretation="b-w"))


def test_integers_of_32_bits_and_five_channels_are_refused():
    with pytest.raises(ImageReadError, match="RGB with signed samples of 32 bits"):
        read_picture(from_vips(np.zeros((4, 4, 3), np.int32), ".tif"))
    with pytest.raises(ImageReadError, match="5 channels"):
        read_picture(from_vips(np.zeros((4, 4, 5), np.uint8), ".tif"))


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
        ("AVIF", {}),
    ],
)
def test_a_file_that_is_cut_short_is_refused(photo, kind, options, share, tmp_path):
    data = encoded(photo, kind, **options)
    path = tmp_path / "cut.bin"
    path.write_bytes(data[: int(len(data) * share)])
    for source in (path, path.read_bytes()):
        with pytest.raises(ImageReadError) as caught:
            read_picture(source)
        assert "damaged" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_even_the_last_byte_must_be_there(photo, kind):
    data = encoded(photo, kind)
    with pytest.raises(ImageReadError, match="damaged"):
        read_picture(data[:-1])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_jpeg_whose_end_was_put_back_on_is_refused(photo, progressive):
    # Large enough that the decoder does not see the whole file before it starts.
    data = encoded(photo.resize((900, 700)), "JPEG", quality=95, progressive=progressive)
    with pytest.raises(ImageReadError, match="premature end"):
        read_picture(data[: len(data) // 2] + b"\xff\xd9")


def test_a_jpeg_with_oddities_that_lose_nothing_is_read(photo):
    data = bytearray(encoded(photo, "JPEG"))
    expected = read_picture(bytes(data)).pixels
    scan = data.rindex(b"\xff\xda")
    length = struct.unpack_from(">H", data, scan + 2)[0]
    data[scan + length] = 0  # the last coefficient of the scan, which baseline decoders ignore
    assert (read_picture(bytes(data)).pixels == expected).all()
    assert (read_picture(bytes(data) + b"appended by a phone").pixels == expected).all()


@pytest.mark.parametrize("frames", [2, 3])
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_animations_and_pages_are_refused(photo, kind, frames):
    others = [photo.rotate(90 * n) for n in range(1, frames)]
    data = encoded(photo, kind, save_all=True, append_images=others)
    with pytest.raises(ImageReadError, match=r"it holds .*allowed is one still picture"):
        read_picture(data)


@pytest.mark.parametrize("source", ["bytes", "path"])
def test_a_bomb_is_refused_without_memory(source, tmp_path):
    data = png_claiming(50_000, 50_000)
    path = tmp_path / "bomb.png"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageReadError) as caught:
        read_picture(data if source == "bytes" else path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert "50000x50000 = 2500 megapixels; allowed are 300." in str(caught.value)
    assert "pixelift upscale --max-megapixels 2500" in str(caught.value)
    assert "max_pixels=2500000000" in str(caught.value)


def test_max_pixels_is_the_largest_that_is_allowed(photo):
    data = encoded(photo, "PNG")
    assert read_picture(data, max_pixels=160 * 120).size.pixels == 160 * 120
    with pytest.raises(TooManyPixelsError, match="160x120"):
        read_picture(data, max_pixels=160 * 120 - 1)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(m, "png") for m in ("RGB", "RGBA", "LA", "P", "1", "I;16")]
    + [("RGB", "jpeg"), ("L", "jpeg"), ("CMYK", "jpeg"), ("CMYK", "tiff")],
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_colours_of_8_bits_are_those_of_the_picture(photo, mode, kind, orientation):
    deep = np.asarray(photo)[..., 0].astype(np.uint16) * 256 + 100
    image = Image.fromarray(deep) if mode == "I;16" else photo.convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    image.save(stream, kind, exif=exif)

    colours = read_u8(stream.getvalue())

    expected = to_u8(read_picture(stream.getvalue()).pixels)
    assert colours.dtype == np.uint8
    assert colours.flags.c_contiguous
    assert np.array_equal(*np.broadcast_arrays(colours, expected))


def test_colours_of_a_bomb_are_refused_without_naming_another_command(photo):
    stream = io.BytesIO()
    photo.save(stream, "png")
    with pytest.raises(ImageReadError, match=r"allowed are 1e-06. Make it smaller.$"):
        read_u8(stream.getvalue(), max_pixels=1)
