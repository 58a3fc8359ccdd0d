import io

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.avif_colour import stated_colours
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from pixelift.image.write import encode_picture
from tests.image.test_icc import to_srgb

STATED = b"nclx\0\x01\0\r\0\x06"


def avif(*numbers, mode="RGB", **options):
    """An AVIF file whose colours are said to be others, (128, 64, 200) by their numbers."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (128, 64, 200)).convert(mode).save(
        stream, "AVIF", quality=100, subsampling="4:4:4", **options
    )
    data = stream.getvalue()
    if numbers:
        assert data.count(STATED) >= 1
        changed = (
            b"nclx" + numbers[0].to_bytes(2, "big") + numbers[1].to_bytes(2, "big") + b"\0\x06"
        )
        data = data.replace(STATED, changed)
    return data


def seen(picture):
    levels = tuple(int(n) for n in np.rint(picture.pixels[4, 4] * 255))
    return to_srgb(levels, picture.icc) if picture.icc else levels


def test_what_pillow_writes_is_srgb():
    assert stated_colours(io.BytesIO(avif())) == (1, 13)
    assert read_picture(avif()).icc is None
    assert read_picture(avif(2, 2)).icc is None


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_display_p3_is_kept_in_every_format(mode):
    picture = read_picture(avif(12, 13, mode=mode))
    assert np.abs(np.subtract(seen(picture), (138, 59, 207))).max() <= 3
    for fmt in ("png", "jpeg", "webp", "tiff", "avif"):
        again = read_picture(encode_picture(picture.replace(alpha=None), fmt))
        assert again.icc == picture.icc
    with open_rows(avif(12, 13, mode=mode)) as rows:
        assert rows.header.icc == picture.icc


@pytest.mark.parametrize(
    ("numbers", "what"), [((9, 16), "PQ"), ((9, 18), "HLG"), ((1, 99), "1/99")]
)
def test_colours_that_no_profile_holds_are_refused(numbers, what):
    with pytest.raises(ImageReadError, match=f"{what}.*Convert it to sRGB first"):
        read_picture(avif(*numbers))


def test_every_cut_and_every_changed_byte_is_survived():
    data = avif()
    for at in range(len(data)):
        stated_colours(io.BytesIO(data[:at]))
        stated_colours(io.BytesIO(data[:at] + bytes([255 - data[at]]) + data[at + 1 :]))


def test_the_numbers_are_those_of_the_picture_and_not_of_another_in_the_file():
    def box(kind, *parts):
        body = b"".join(parts)
        return (len(body) + 8).to_bytes(4, "big") + kind + body

    other, own = (box(b"colr", b"nclx" + bytes([0, n, 0, 13, 0, 6, 128])) for n in (9, 12))
    first = box(b"ipma", bytes(4), b"\0\0\0\2", b"\0\1\1\1", b"\0\2\1\x82")
    for version, item in ((b"\0", b"\0\2"), (b"\1", b"\0\0\0\2")):
        meta = box(
            b"meta",
            bytes(4),
            box(b"pitm", version + bytes(3) + item),
            box(b"iprp", box(b"ipco", other, own), first),
        )
        assert stated_colours(io.BytesIO(box(b"ftyp", bytes(8)) + meta)) == (12, 13)
