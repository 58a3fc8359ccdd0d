import dataclasses
import io

import numpy as np
import pytest
from PIL import Image, IptcImagePlugin

import pixelift
from pixelift.image import iptc
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import Header, collect, picture_rows
from pixelift.image.write import encode_picture, write_picture
from tests.image.test_iptc import CAPTION, CREDIT
from tests.image.test_png_text import PROMPT, described_png
from tests.image.test_xmp import EXIF, TIFF, packet, properties

HOLDS_IPTC = ("png", "jpeg", "tiff")
ALL = ("png", "jpeg", "webp", "tiff", "avif")
SIZES = (
    'tiff:Orientation="6" tiff:ImageWidth="40" exif:PixelXDimension="40" exif:PixelYDimension="30"'
)


def lying_photo():
    """A photo on its side, with all that a camera and an agency say of it."""
    exif = Image.Exif()
    exif[274], exif[271] = 6, "Maker"
    stream = io.BytesIO()
    data = iptc.wrapped(CREDIT + CAPTION)
    marker = b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(
        stream, "JPEG", exif=exif, xmp=packet(SIZES, "<r:Regions>face</r:Regions>"), extra=marker
    )
    return stream.getvalue()


def xmp_of(image):
    if image.format == "TIFF":
        return bytes(image.tag_v2[700])
    return image.info["xmp"]


@pytest.mark.parametrize("fmt", ALL)
def test_what_a_photo_says_of_itself_comes_along_and_is_true(fmt):
    picture = read_picture(lying_photo())
    assert picture.iptc == CREDIT + CAPTION
    data = encode_picture(pixelift.Upscaler(scale=2).picture(picture), fmt)
    with Image.open(io.BytesIO(data)) as image:
        found = properties(xmp_of(image))
        assert found[f"{{{TIFF}}}Orientation"] == "1"
        assert found[f"{{{TIFF}}}ImageWidth"] == "60"
        assert found[f"{{{EXIF}}}PixelXDimension"] == "60"
        assert found[f"{{{EXIF}}}PixelYDimension"] == "80"
        assert "face" not in found.values()
        assert "Zu Hause & draußen" in found.values()
        assert image.getexif()[271] == "Maker"
        # Of PNG Pillow does not look for it.
        if fmt in ("jpeg", "tiff"):
            stated = IptcImagePlugin.getiptcinfo(image)
            assert stated == {(2, 110): b"Press", (2, 120): b"Hi"}
    again = read_picture(data)
    assert (again.iptc == picture.iptc) == (fmt in HOLDS_IPTC)


@pytest.mark.parametrize("fmt", ALL)
def test_a_second_time_nothing_changes(fmt):
    first = read_picture(encode_picture(read_picture(lying_photo()), fmt))
    second = read_picture(encode_picture(first, fmt))
    assert (second.xmp, second.iptc) == (first.xmp, first.iptc)
    assert first.xmp is not None


def test_prompts_come_along_from_png_to_png(tmp_path):
    source = tmp_path / "a.png"
    source.write_bytes(described_png())
    with open_rows(source) as rows:
        larger = pixelift.Upscaler(scale=2).rows(rows)
        path = write_picture(collect(larger), tmp_path / "b.png")
    with Image.open(path) as image:
        assert image.size == (10, 8)
        assert image.info["parameters"] == PROMPT
        assert image.info["xmp"] == b"<x/>"
    assert read_picture(path).texts == read_picture(source).texts
    assert len(read_picture(path).texts) == 5


@pytest.mark.parametrize("fmt", ["jpeg", "webp", "tiff", "avif"])
def test_texts_of_png_stay_behind_where_there_is_no_place_for_them(fmt):
    data = encode_picture(read_picture(described_png()), fmt)
    assert b"Sampler" not in data
    assert read_picture(data).texts == ()


@pytest.mark.parametrize("fmt", ALL)
def test_xmp_that_a_format_can_not_hold_is_left_out_and_the_rest_stays(fmt):
    long = packet(elements=f"<dc:source>{'long ' * 20_000}</dc:source>")
    picture = Picture(np.zeros((4, 6, 3), np.float32), xmp=long, iptc=CREDIT)
    again = read_picture(encode_picture(picture, fmt))
    assert again.xmp == (None if fmt == "jpeg" else long)
    assert again.iptc == (CREDIT if fmt in HOLDS_IPTC else None)


@pytest.mark.parametrize("length", [65_000, 65_490, 65_502, 65_503, 65_520, 65_600])
def test_at_the_limit_of_jpeg_xmp_is_whole_or_not_there(length):
    frame = "<a><b></b></a>"
    xmp = frame.replace("<b>", "<b>" + "x" * (length - len(frame))).encode()
    picture = Picture(np.zeros((4, 6, 3), np.float32), xmp=xmp)
    assert read_picture(encode_picture(picture, "jpeg")).xmp in (None, xmp)
    assert read_picture(encode_picture(picture, "png")).xmp == xmp


def test_xmp_that_is_no_xml_is_not_written():
    picture = Picture(np.zeros((4, 6, 3), np.float32), xmp=b"<!DOCTYPE a><a/>")
    for fmt in ALL:
        assert b"DOCTYPE" not in encode_picture(picture, fmt)


def test_rows_and_pictures_carry_the_same():
    data = lying_photo()
    picture = read_picture(data)
    with open_rows(data) as rows:
        header = rows.header
    assert header == Header.of(picture)
    assert Header.of(collect(picture_rows(picture))) == header
    told = {field.name for field in dataclasses.fields(Picture)}
    assert told - {"pixels", "alpha"} <= {field.name for field in dataclasses.fields(Header)}


@pytest.mark.parametrize("fmt", ["png", "tiff"])
def test_a_full_disk_while_texts_are_added_leaves_nothing_behind(fmt, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    for name in ("add_texts", "add_exif"):
        monkeypatch.setattr(f"pixelift.image.write.{name}", full)
    with pytest.raises(pixelift.errors.ImageWriteError, match="the disk is full"):
        write_picture(read_picture(described_png()), tmp_path / f"a.{fmt}")
    assert list(tmp_path.iterdir()) == []
