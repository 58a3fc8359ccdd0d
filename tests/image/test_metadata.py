import io
import struct

import pytest
from PIL import Image

from pixelift.image import metadata


def saved(kind, **options):
    stream = io.BytesIO()
    Image.new("RGB", (5, 3), "red").save(stream, kind, **options)
    return stream


def exif_with(orientation=6, **fields):
    exif = Image.Exif()
    exif[metadata.ORIENTATION] = orientation
    for number, value in fields.items():
        exif[int(number[1:])] = value
    return exif.tobytes()


def test_tags_of_a_big_tiff_are_read():
    entry = struct.pack("<HHQ", metadata.RESOLUTION_UNIT, 3, 1) + struct.pack("<H6x", 3)
    across = struct.pack("<HHQII", metadata.X_RESOLUTION, 5, 1, 118, 1)
    down = struct.pack("<HHQII", metadata.Y_RESOLUTION, 5, 1, 59, 1)
    head = b"II+\0" + struct.pack("<HHQ", 8, 0, 16)
    stream = io.BytesIO(head + struct.pack("<Q", 3) + across + down + entry + bytes(8))
    tags = metadata.read_tags(stream)
    assert tags[metadata.X_RESOLUTION].value == 118
    assert metadata.stated_dpi(stream, "tiff", None) == (299.72, 149.86)


def test_of_several_numbers_the_first_is_read_where_it_lies():
    bits = metadata.read_tags(saved("TIFF"))[258]
    assert bits.value == 8


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_stated_resolution_is_found(kind):
    stream = saved(kind, dpi=(300, 150))
    across, down = metadata.stated_dpi(stream, kind.lower(), None)
    assert across == pytest.approx(300, abs=0.02)
    assert down == pytest.approx(150, abs=0.02)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_file_without_a_resolution_has_none(kind):
    assert metadata.stated_dpi(saved(kind), kind.lower(), None) is None


def test_exif_is_asked_where_the_format_says_nothing():
    block = exif_with(1, t282=240.0, t283=120.0)
    assert metadata.stated_dpi(saved("WEBP"), "webp", block) == (240.0, 120.0)
    assert metadata.stated_dpi(saved("JPEG"), "jpeg", block) == (240.0, 120.0)
    assert metadata.stated_dpi(saved("JPEG", dpi=(300, 300)), "jpeg", block) == (300.0, 300.0)


def test_centimetres_become_inches():
    block = exif_with(1, t282=100.0, t283=100.0, t296=3)
    assert metadata.stated_dpi(io.BytesIO(), "webp", block) == (254.0, 254.0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_forgotten_resolution_is_gone_for_everybody(kind):
    stream = saved(kind, dpi=(300, 300))
    before = len(stream.getvalue())
    metadata.correct_dpi(stream, kind.lower(), None)
    assert len(stream.getvalue()) == before
    assert metadata.stated_dpi(stream, kind.lower(), None) is None
    with Image.open(stream) as image:
        image.load()
        assert image.info.get("dpi") in (None, (1, 1))


@pytest.mark.parametrize("dpi", [(72.0, 72.0), (150.0, 240.0), (300.0, 1200.0)])
def test_png_states_the_nearest_resolution_it_can(dpi):
    stream = saved("PNG", dpi=(10, 10))
    metadata.correct_dpi(stream, "png", dpi)
    assert metadata.stated_dpi(stream, "png", None) == dpi
    with Image.open(stream) as image:
        image.load()
        assert image.info["dpi"] == pytest.approx(dpi, abs=0.02)


def test_png_chunks_end_with_the_last_whole_one():
    whole = saved("PNG").getvalue()
    assert [chunk.kind for chunk in metadata.png_chunks(io.BytesIO(whole))][-1] == b"IEND"
    longer = io.BytesIO(whole + bytes(500) + whole[8:])
    assert [chunk.kind for chunk in metadata.png_chunks(longer)].count(b"IEND") == 1
    cut = [chunk.kind for chunk in metadata.png_chunks(io.BytesIO(whole[:-1]))]
    assert cut[-1] == b"IDAT"
    assert list(metadata.png_chunks(io.BytesIO(whole[:10]))) == []


def test_profiles_say_for_how_many_channels_they_are():
    assert metadata.icc_channels(bytes(16) + b"RGB " + bytes(100)) == 3
    assert metadata.icc_channels(bytes(16) + b"GRAY" + bytes(100)) == 1
    assert metadata.icc_channels(bytes(16) + b"CMYK" + bytes(100)) is None
    assert metadata.icc_channels(b"") is None
