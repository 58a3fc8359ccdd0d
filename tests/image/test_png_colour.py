import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import pixelift
from pixelift.errors import ImageReadError
from pixelift.image.picture import Picture
from pixelift.image.png_colour import stated_profile, unread_colours
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.write import encode_picture
from tests.image.test_icc import to_srgb
from tools.corpus import wide_profile

GAMMA_1 = (b"gAMA", struct.pack(">I", 100_000))
GAMMA_22 = (b"gAMA", struct.pack(">I", 45_455))
SRGB_XY = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
P3_XY = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
SRGB_CHUNK = (b"sRGB", b"\0")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks, colour=(128, 64, 200), mode="RGB", **options):
    stream = io.BytesIO()
    Image.new(mode, (4, 3), colour).save(stream, "PNG", **options)
    data = stream.getvalue()
    return data[:33] + b"".join(chunk(*each) for each in chunks) + data[33:]


def cicp(*numbers):
    return (b"cICP", bytes(numbers))


def seen(data):
    """The first pixel as a program that follows profiles shows it."""
    picture = read_picture(data)
    levels = tuple(int(n) for n in np.rint(picture.pixels[0, 0] * 255))
    if picture.icc is None:
        return levels
    return to_srgb(levels if len(levels) == 3 else levels[0], picture.icc)


def test_a_linear_picture_looks_as_bright_as_it_is():
    # 0.5 of light is level 188 of sRGB.
    assert np.abs(np.subtract(seen(png(GAMMA_1, colour=(128,) * 3)), 188)).max() <= 1
    assert np.abs(np.subtract(seen(png(GAMMA_1, colour=128, mode="L")), 188)).max() <= 1


@pytest.mark.parametrize("fmt", ["png", "jpeg", "webp", "tiff", "avif"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_result_looks_the_same_in_every_format(fmt, mode):
    colour = (128, 64, 200) if mode == "RGB" else 128
    data = png(GAMMA_1, P3_XY, colour=colour, mode=mode)
    expected = seen(data)
    larger = pixelift.Upscaler(scale=2).picture(read_picture(data))
    again = encode_picture(larger, fmt)
    assert np.abs(np.subtract(seen(again)[:3], expected[:3])).max() <= 3


@pytest.mark.parametrize(
    "chunks",
    [
        (),
        (SRGB_CHUNK,),
        (GAMMA_22,),
        (GAMMA_22, SRGB_XY),
        (SRGB_XY,),
        (SRGB_CHUNK, GAMMA_1, P3_XY),
        (cicp(1, 13, 0, 1), GAMMA_1, P3_XY),
        ((b"gAMA", struct.pack(">I", 0)),),
        ((b"gAMA", b"\0"),),
        ((b"cHRM", bytes(32)),),
        (cicp(2, 2, 0, 1),),
        (cicp(1, 13),),
    ],
)
def test_what_is_srgb_or_makes_no_sense_has_no_profile(chunks):
    assert read_picture(png(*chunks)).icc is None


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((GAMMA_1,), (188, 137, 229)),
        ((P3_XY,), (138, 59, 207)),
        ((cicp(12, 13, 0, 1), SRGB_CHUNK, GAMMA_1), (138, 59, 207)),
        ((cicp(1, 8, 0, 1),), (188, 137, 229)),
        # A gamma of 1.8, as old Macs had: (128 / 255) ** 1.8 of light.
        (((b"gAMA", struct.pack(">I", 55_556)),), (145, 83, 209)),
        ((cicp(1, 4, 0, 1),), (128, 64, 200)),
    ],
)
def test_colours_are_those_that_the_strongest_chunk_states(chunks, expected):
    assert np.abs(np.subtract(seen(png(*chunks)), expected)).max() <= 2


def test_bt_2020_and_its_curve_are_known():
    icc = read_picture(png(cicp(9, 14, 0, 1))).icc
    assert np.abs(np.subtract(to_srgb((255, 255, 255), icc), 255)).max() <= 1
    # BT.709's curve: 0.5 is 0.2597 of light, which is level 139 of sRGB.
    assert np.abs(np.subtract(to_srgb((128,) * 3, icc), 139)).max() <= 2


def test_a_profile_counts_more_than_gamma_and_less_than_cicp():
    wide = wide_profile()
    assert read_picture(png(GAMMA_1, icc_profile=wide)).icc == wide
    assert read_picture(png(cicp(1, 13, 0, 1), icc_profile=wide)).icc is None
    assert read_picture(png(cicp(12, 13, 0, 1), icc_profile=wide)).icc not in (None, wide)


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ((9, 16, 0, 1), r"high dynamic range \(PQ\)"),
        ((9, 18, 0, 1), r"high dynamic range \(HLG\)"),
        ((1, 13, 1, 1), "no RGB of the full range"),
        ((1, 13, 0, 0), "no RGB of the full range"),
        ((10, 13, 0, 1), "the unusual kind 10/13 of"),
        ((1, 200, 0, 1), "the unusual kind 1/200 of"),
    ],
)
def test_colours_that_no_profile_holds_are_refused(numbers, what):
    with pytest.raises(ImageReadError, match=f"{what}.*Convert it to sRGB first"):
        read_picture(png(cicp(*numbers)))


def test_rows_have_the_same_profile(tmp_path):
    path = tmp_path / "linear.png"
    path.write_bytes(png(GAMMA_1, P3_XY))
    with open_rows(path) as rows:
        assert rows.header.icc == read_picture(path).icc is not None
    assert stated_profile(io.BytesIO(path.read_bytes()), is_grey=True) is not None
    assert unread_colours(io.BytesIO(path.read_bytes())) is None


def test_a_picture_keeps_its_profile_when_it_is_written_and_read_again():
    icc = read_picture(png(GAMMA_1)).icc
    picture = Picture(np.full((3, 4, 3), 0.5, np.float32), icc=icc)
    assert read_picture(encode_picture(picture, "png")).icc == icc
