import io
import zlib

import numpy as np
import pytest
from PIL import Image

from pixelift.image import iptc
from pixelift.image.png_blocks import raw_iptc, read_blocks
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import collect
from tests.image.test_iptc import CREDIT
from tests.image.test_metadata import exif_with
from tests.image.test_png_colour import chunk

PACKET = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
EXIF = exif_with(6, t271="Camera")


def png(*, before=b"", behind=b""):
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    data = stream.getvalue()
    return data[:33] + before + data[33:-12] + behind + data[-12:]


def in_digits(name, data, *, kind=b"zTXt"):
    text = b"\n%s\n%8d\n" % (name, len(data)) + data.hex().encode() + b"\n"
    packed = b"\0\0" + zlib.compress(text) if kind == b"zTXt" else b"\0" + text
    return chunk(kind, b"Raw profile type " + name + packed)


EXIF_CHUNK = chunk(b"eXIf", EXIF[6:])


@pytest.mark.parametrize(
    "options",
    [
        {"before": EXIF_CHUNK},
        {"behind": EXIF_CHUNK},
        {"before": in_digits(b"exif", EXIF)},
        {"before": in_digits(b"APP1", EXIF, kind=b"tEXt")},
        {"behind": in_digits(b"exif", EXIF)},
        {"before": in_digits(b"exif", exif_with(3)), "behind": EXIF_CHUNK},
    ],
)
def test_a_picture_is_turned_wherever_it_says_how_it_lies(options, tmp_path):
    picture = read_picture(png(**options))
    assert str(picture.size) == "3x4"
    assert (picture.pixels == read_picture(png(before=EXIF_CHUNK)).pixels).all()
    read = Image.Exif()
    read.load(picture.exif)
    assert dict(read) == {274: 1, 271: "Camera"}
    assert picture.texts == ()
    path = tmp_path / "a.png"
    path.write_bytes(png(**options))
    with open_rows(path) as rows:
        assert rows.header.exif == picture.exif
        assert (collect(rows).pixels == picture.pixels).all()


@pytest.mark.parametrize(
    "text",
    [
        chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + PACKET),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET)),
        chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(PACKET)),
        in_digits(b"xmp", PACKET),
        in_digits(b"APP1", b"http://ns.adobe.com/xap/1.0/\0" + PACKET),
    ],
)
def test_xmp_is_found_in_every_wrapping(text):
    for data in (png(before=text), png(behind=text)):
        picture = read_picture(data)
        if b"APP1" not in text:
            assert picture.xmp == PACKET
        assert picture.texts == ()
        assert picture.exif is None


@pytest.mark.parametrize("name", [b"iptc", b"8bim"])
def test_iptc_is_found_as_imagemagick_writes_it(name):
    wrapped = iptc.wrapped(CREDIT)
    for block in (wrapped, wrapped.removeprefix(iptc.MARK)):
        assert read_picture(png(before=in_digits(name, block))).iptc == CREDIT


def test_iptc_that_is_written_is_read_again():
    text = raw_iptc(CREDIT * 9)
    data = png(before=chunk(text[:4], text[4:]))
    assert read_picture(data).iptc == CREDIT * 9


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\nexif\n",
        b"\nexif\n 4\nnot digits\n",
        b"\nexif\n 4\nabc\n",
        b"\nexif\n 4\n" + "ä".encode(),
    ],
)
def test_digits_that_are_damaged_are_left_aside(text):
    raw = chunk(b"tEXt", b"Raw profile type exif\0" + text)
    assert read_blocks(io.BytesIO(png(before=raw))) == {}
    broken = chunk(b"zTXt", b"Raw profile type exif\0\0" + text)
    assert read_picture(png(before=broken)).exif is None


def test_what_unpacks_to_more_than_any_block_is_left_aside(monkeypatch):
    monkeypatch.setattr("pixelift.image.png_blocks.MOST_BYTES", 1000)
    bomb = chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(bytes(100_000)))
    assert read_blocks(io.BytesIO(png(behind=bomb))) == {}
