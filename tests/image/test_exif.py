import io
import struct

import numpy as np
import pytest
from PIL import Image

import pixelift
from pixelift.image.exif import fitting_exif, upright_exif
from pixelift.image.geometry import Size
from pixelift.image.metadata import EXIF_PREFIX, ORIENTATION, read_tags
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.tiff_exif import MOST_BYTES
from pixelift.image.tiff_tags import Directory, Layout, Value, lay_out, read_entries, read_header
from pixelift.image.write import encode_picture
from tests.image.test_metadata import exif_with

EXIF, INTEROPERABILITY = 34665, 40965
WRITTEN = ("jpeg", "png", "webp", "avif", "tiff")
TYPES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}


def thumbnail():
    stream = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(stream, "JPEG")
    return stream.getvalue()


def camera_block(order="<", *, kind=3, doubled=False):
    """EXIF of a photo on its side with a thumbnail, and with its size in all places."""
    layout = Layout(order, is_big=False)

    def value(number, code=4):
        return Value(code, struct.pack(order + TYPES[code], number))

    interoperability = Directory({1: Value(2, b"R98\0"), 4097: value(40), 4098: value(30)})
    inner = Directory(
        {
            36867: Value(2, b"2024:05:06 07:08:08\0"),
            40962: value(40),
            40963: value(30, 3),
            41492: Value(3, struct.pack(order + "2H", 5, 6)),
        },
        {INTEROPERABILITY: interoperability},
    )
    first = Directory(
        {
            256: value(40),
            257: value(30, 3),
            271: Value(2, b"Maker with a name\0"),
            ORIENTATION: value(6, kind),
            **({275: value(6, kind)} if doubled else {}),
        },
        {EXIF: inner},
    )
    small = Directory({ORIENTATION: value(6), 513: value(0), 514: value(len(thumbnail()))})
    at = 8 + len(lay_out(first, layout, at=8))
    end = at + len(lay_out(small, layout, at=at))
    small.values[513] = value(end)
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    block += lay_out(first, layout, at=8, following=at) + lay_out(small, layout, at=at)
    if doubled:
        # Two entries under one number can not be laid out: the second is renamed.
        old, new = (struct.pack(order + "HH", n, kind) for n in (275, ORIENTATION))
        block = block.replace(old, new, 1)
    return EXIF_PREFIX + block + thumbnail()


def photo(exif):
    stream = io.BytesIO()
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    noise.save(stream, "JPEG", exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_exif_says_1_and_keeps_the_rest(orientation):
    block = exif_with(orientation, t271="Camera", t305="Software")
    upright = upright_exif(block)
    read = Image.Exif()
    read.load(upright)
    assert dict(read) == {ORIENTATION: 1, 271: "Camera", 305: "Software"}
    assert len(upright) == len(block)
    assert sum(a != b for a, b in zip(block, upright, strict=True)) <= 1


def test_upright_exif_adds_the_prefix_of_jpeg_once():
    block = exif_with(3)
    bare = block.removeprefix(EXIF_PREFIX)
    assert upright_exif(bare) == upright_exif(block)
    assert upright_exif(bare).count(EXIF_PREFIX) == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_upright_exif_knows_both_byte_orders_and_long_values(order):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHII", ORIENTATION, 4, 1, 8)
    block = mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4)
    tags = read_tags(io.BytesIO(upright_exif(block)), start=6)
    assert tags[ORIENTATION].value == 1


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"long enough, but nonsense",
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
    ],
)
def test_a_damaged_block_is_left_as_it_is(block):
    assert upright_exif(block) == EXIF_PREFIX + block


def test_every_cut_of_a_block_is_survived():
    block = exif_with(6, t282=72.0, t283=72.0, t271="Camera")
    for length in range(len(block)):
        upright_exif(block[:length])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("doubled", [False, True])
def test_a_turned_picture_never_says_that_it_has_to_be_turned(order, kind, doubled):
    block = camera_block(order, kind=kind, doubled=doubled)
    picture = read_picture(photo(block))
    assert str(picture.size) == "30x40"
    for exif in (picture.exif, *(read_exif(encode_picture(picture, fmt)) for fmt in WRITTEN)):
        read = Image.Exif()
        read.load(exif)
        assert read[ORIENTATION] == 1
        block = io.BytesIO(exif[len(EXIF_PREFIX) :])
        layout, offset = read_header(block)
        entries, following = read_entries(block, layout, offset=offset)
        assert [entry.number for entry in entries].count(ORIENTATION) == 1
        assert following == 0
        assert read.get_ifd(1) == {}


def read_exif(data):
    with Image.open(io.BytesIO(data)) as image:
        assert image.size[0] < image.size[1]
        return image.getexif().tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("fmt", WRITTEN)
def test_the_result_of_a_turned_photo_describes_itself(order, fmt):
    picture = pixelift.Upscaler(scale=2).picture(read_picture(photo(camera_block(order))))
    data = encode_picture(picture, fmt)
    assert thumbnail() not in data
    with Image.open(io.BytesIO(data)) as image:
        exif = image.getexif()
        assert (exif[256], exif[257]) == image.size == (60, 80)
        assert exif[ORIENTATION] == 1
        assert exif[271] == "Maker with a name"
        inner = exif.get_ifd(EXIF)
        assert (inner[40962], inner[40963]) == (60, 80)
        assert inner[36867] == "2024:05:06 07:08:08"
        # Where the subject was is counted in pixels of the old picture.
        assert 41492 not in inner
        assert exif.get_ifd(1) == {}
    again = read_picture(data)
    assert str(again.size) == "60x80"


def test_upright_exif_leaves_every_value_where_it_lay():
    block = camera_block()
    upright = upright_exif(block)
    assert len(upright) == len(block)
    assert upright.index(b"Maker with a name") == block.index(b"Maker with a name")
    assert upright_exif(upright) == upright


def test_where_the_subject_is_stays_in_a_picture_of_the_same_size():
    read = Image.Exif()
    read.load(fitting_exif(camera_block(), Size(30, 40)))
    inner = read.get_ifd(EXIF)
    assert inner[41492] == (5, 6)
    assert (read[256], read[257], inner[40962], inner[40963]) == (40, 30, 40, 30)
    related = read.get_ifd(INTEROPERABILITY)
    assert (related[4097], related[4098]) == (40, 30)


def test_sizes_are_only_stated_where_they_were():
    block = exif_with(1, t271="Camera")
    assert fitting_exif(block, Size(7, 9)) == block


@pytest.mark.parametrize("fmt", WRITTEN)
def test_of_too_much_exif_the_longest_values_alone_are_left_out(fmt):
    exif = Image.Exif()
    exif[271], exif[33432] = "Maker", "2024, me"
    inner = exif.get_ifd(EXIF)
    inner[37500] = bytes(50_000)
    inner[37510] = b"ASCII\0\0\0" + b"a prompt " * 2000
    inner[34855] = 400
    picture = Picture(np.zeros((4, 6, 3), np.float32), exif=exif.tobytes())
    assert len(picture.exif) > 65_536
    assert len(fitting_exif(picture.exif, picture.size)) <= MOST_BYTES
    with Image.open(io.BytesIO(encode_picture(picture, fmt))) as image:
        read = image.getexif()
        assert (read[271], read[33432]) == ("Maker", "2024, me")
        inner = read.get_ifd(EXIF)
        assert 37500 not in inner
        assert inner[37510].endswith(b"a prompt ")
        assert inner[34855] == 400


def test_a_thumbnail_that_makes_exif_too_long_is_all_that_goes():
    exif = exif_with(6, t271="Camera")
    head, tail = exif[:10], exif[14:]
    grown = head + struct.pack("<I" if exif[6:8] == b"II" else ">I", 8) + tail + bytes(70_000)
    read = Image.Exif()
    read.load(fitting_exif(grown, Size(3, 4)))
    assert dict(read) == {ORIENTATION: 1, 271: "Camera"}


def test_directories_that_lead_to_themselves_are_changed_once():
    loop = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    loop += struct.pack("<HHII", ORIENTATION, 3, 1, 6) + struct.pack("<HHII", EXIF, 4, 1, 8)
    upright = upright_exif(loop + struct.pack("<I", 8))
    assert read_tags(io.BytesIO(upright[6:]))[ORIENTATION].value == 1
    assert upright.endswith(bytes(4))


def test_every_cut_and_every_changed_byte_is_survived():
    block = camera_block()
    for at in range(len(block)):
        for damaged in (block[:at], block[:at] + bytes([255 - block[at]]) + block[at + 1 :]):
            fitting_exif(damaged, Size(3, 4))


def test_rows_carry_the_same_exif_as_a_picture():
    data = photo(camera_block())
    with open_rows(data) as rows:
        assert rows.header.exif == read_picture(data).exif
