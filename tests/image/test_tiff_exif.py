import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, TiffImagePlugin

from pixelift.image import tiff_exif
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.write import encode_picture, write_picture
from tests.tiny_tiff import filled, tiny_tiff

MAKE, MODEL, ORIENTATION, DATE, ARTIST, COPYRIGHT = 271, 272, 274, 306, 315, 33432
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
TAKEN, EXPOSURE, ISO, NOTE, WIDTH, HEIGHT = 36867, 33434, 34855, 37500, 40962, 40963
LATITUDE_REF, LATITUDE, ALTITUDE = 1, 2, 6


def camera_exif(**more):
    """What a phone writes, with values of every length and kind."""
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = "Maker", "A model with a long name"
    exif[ORIENTATION] = 6
    exif[DATE], exif[ARTIST], exif[COPYRIGHT] = "2024:05:06 07:08:09", "Me", "2024, me"
    inner = exif.get_ifd(EXIF)
    inner[TAKEN] = "2024:05:06 07:08:08"
    inner[EXPOSURE] = TiffImagePlugin.IFDRational(1, 125)
    inner[ISO] = 400
    inner[NOTE] = b"maker\0\1\2\3"
    inner[WIDTH], inner[HEIGHT] = 12, 16
    inner.update({int(name[1:]): value for name, value in more.items()})
    place = exif.get_ifd(GPS)
    place[LATITUDE_REF] = "N"
    place[LATITUDE] = (52.0, 31.0, 12.25)
    place[ALTITUDE] = 34.5
    return exif


def photo(size=(16, 12)):
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def saved(kind, **options):
    stream = io.BytesIO()
    # As bytes: of an Exif object Pillow writes only the first directory into TIFF.
    photo().save(stream, kind, exif=camera_exif().tobytes(), **options)
    return stream.getvalue()


def assert_described(data, *, size):
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        assert (exif[MAKE], exif[MODEL]) == ("Maker", "A model with a long name")
        assert exif[ORIENTATION] == 1
        assert (exif[DATE], exif[ARTIST], exif[COPYRIGHT]) == (
            "2024:05:06 07:08:09",
            "Me",
            "2024, me",
        )
        inner = exif.get_ifd(EXIF)
        assert inner[TAKEN] == "2024:05:06 07:08:08"
        assert (inner[EXPOSURE], inner[ISO]) == (TiffImagePlugin.IFDRational(1, 125), 400)
        assert inner[NOTE] == b"maker\0\1\2\3"
        assert (inner[WIDTH], inner[HEIGHT]) == size
        place = exif.get_ifd(GPS)
        assert place[LATITUDE_REF] == "N"
        assert [float(n) for n in place[LATITUDE]] == [52.0, 31.0, 12.25]
        assert float(place[ALTITUDE]) == 34.5


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_exif_goes_from_any_format_into_tiff(kind):
    picture = read_picture(saved(kind))
    data = encode_picture(picture, "tiff")
    assert_described(data, size=(12, 16))
    again = read_picture(data)
    assert (again.pixels == picture.pixels).all()
    assert_described(encode_picture(again, "tiff"), size=(12, 16))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])
def test_exif_goes_from_tiff_into_any_format(kind):
    assert_described(encode_picture(read_picture(saved("TIFF")), kind), size=(12, 16))


def test_a_strict_reader_finds_all_of_it_and_the_same_pixels():
    picture = read_picture(saved("JPEG"))
    with tifffile.TiffFile(io.BytesIO(encode_picture(picture, "tiff"))) as file:
        tags = file.pages[0].tags
        numbers = [tag.code for tag in tags]
        assert numbers == sorted(set(numbers))
        assert all(tag.offset % 2 == 0 and tag.valueoffset % 2 == 0 for tag in tags)
        assert tags["Make"].value == "Maker"
        assert tags["ExifTag"].value["ExposureTime"] == (1, 125)
        assert tags["ExifTag"].value["DateTimeOriginal"] == "2024:05:06 07:08:08"
        assert tags["GPSTag"].value["GPSLatitude"][:2] == (52, 1)
        assert len(file.pages) == 1
        assert (file.asarray() == np.rint(picture.pixels * 255)).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_both_byte_orders_and_big_files_are_read_and_added_to(order, big):
    stream = io.BytesIO()
    pixels = np.asarray(photo())
    tifffile.imwrite(
        stream, pixels, byteorder=order, bigtiff=big, photometric="rgb", metadata=None, software=""
    )
    assert read_picture(stream.getvalue()).exif is None
    with Image.open(io.BytesIO(saved("JPEG"))) as image:
        block = image.info["exif"]
    tiff_exif.add_exif(stream, block)
    picture = read_picture(stream.getvalue())
    assert picture.exif.startswith(b"Exif\0\0" + (b"II*\0" if order == "<" else b"MM\0*"))
    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        tags = file.pages[0].tags
        assert tags["Model"].value == "A model with a long name"
        assert tags["ExifTag"].value["ExposureTime"] == (1, 125)
        assert tags["GPSTag"].value["GPSLatitudeRef"] == "N"
        assert (file.asarray() == pixels).all()
    with Image.open(io.BytesIO(encode_picture(picture, "jpeg"))) as image:
        assert image.getexif().get_ifd(EXIF)[ISO] == 400
        assert image.getexif().get_ifd(GPS)[ALTITUDE] == 34.5


def test_the_file_on_disk_has_what_the_bytes_have(tmp_path):
    path = write_picture(read_picture(saved("JPEG")), tmp_path / "a.tif")
    assert_described(path.read_bytes(), size=(12, 16))
    with open_rows(path) as rows:
        assert rows.header.exif == read_picture(path).exif


def test_a_tiff_that_says_nothing_of_its_photo_has_no_exif():
    stream = io.BytesIO()
    photo().save(stream, "TIFF", dpi=(300, 300), tiffinfo={ORIENTATION: 1})
    assert read_picture(stream.getvalue()).exif is None


def test_a_note_that_is_too_long_is_left_out_and_the_rest_stays():
    exif = camera_exif(t37500=bytes(200_000))
    stream = io.BytesIO()
    photo().save(stream, "TIFF", exif=exif.tobytes())
    picture = read_picture(stream.getvalue())
    assert len(picture.exif) < 65_000
    with Image.open(io.BytesIO(encode_picture(picture, "jpeg"))) as image:
        assert NOTE not in image.getexif().get_ifd(EXIF)
        assert image.getexif().get_ifd(EXIF)[ISO] == 400
        assert image.getexif().get_ifd(GPS)[LATITUDE_REF] == "N"


def test_directories_that_lead_to_themselves_end():
    loop = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    loop += struct.pack("<HHI8s", MAKE, 2, 4, b"abc\0")[:12]
    loop += struct.pack("<HHII", EXIF, 4, 1, 8) + bytes(4)
    block = tiff_exif.read_tiff_exif(io.BytesIO(loop))
    assert block.count(b"abc\0") <= 3


def test_every_cut_and_every_changed_byte_of_exif_is_survived():
    whole = encode_picture(Picture(np.zeros((1, 1, 1), np.float32)), "tiff")
    with Image.open(io.BytesIO(saved("JPEG"))) as image:
        block = image.info["exif"]
    for at in range(len(block)):
        stream = io.BytesIO(whole)
        tiff_exif.add_exif(stream, block[:at])
        assert read_picture(stream.getvalue()).size.pixels == 1
        stream = io.BytesIO(whole)
        tiff_exif.add_exif(stream, block[:at] + bytes([255 - block[at]]) + block[at + 1 :])
        tiff_exif.read_tiff_exif(stream)


def test_a_full_disk_while_exif_is_added_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pixelift.image.write.add_exif", full)
    with pytest.raises(Exception, match="the disk is full"):
        write_picture(read_picture(saved("JPEG")), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_iptc_that_was_written_as_numbers_of_four_bytes_is_put_right():
    plain = b"\x1c\x02\x78\0\x03Hi!"
    for order, data in (("<", plain), (">", plain)):
        numbers = struct.unpack(order + "2I", data)
        written = tiny_tiff(filled((1,)), 1, order=order, tags={33723: (4, numbers)})
        assert tiff_exif.read_tiff_iptc(io.BytesIO(written)) == plain
        # Swapped by a program that took the letters for numbers of the other order.
        swapped = struct.unpack({"<": ">", ">": "<"}[order] + "2I", data)
        written = tiny_tiff(filled((1,)), 1, order=order, tags={33723: (4, swapped)})
        assert tiff_exif.read_tiff_iptc(io.BytesIO(written)) == plain
    assert tiff_exif.read_tiff_iptc(io.BytesIO(tiny_tiff(filled((1,)), 1))) is None
    assert tiff_exif.read_tiff_iptc(io.BytesIO(b"no TIFF")) is None
