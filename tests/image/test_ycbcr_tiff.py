import io

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image.read import read_picture, read_u8
from pixelift.image.read_rows import open_rows
from pixelift.image.rows import collect
from tests.image.test_read import levels
from tests.tiny_tiff import filled, tiny_tiff

COLOURS = np.array(
    [[(255, 0, 0), (0, 255, 0), (0, 0, 255)], [(255, 255, 255), (0, 0, 0), (200, 100, 50)]],
    np.uint8,
)
EVEN = {530: (3, [1, 1])}


def ycbcr(rgb):
    return np.asarray(Image.fromarray(rgb).convert("YCbCr"))


@pytest.mark.parametrize("compression", [1, 8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_colours_come_out_as_they_were(compression, order, tmp_path):
    data = tiny_tiff(ycbcr(COLOURS), 6, order=order, tags={**EVEN, 259: (3, [compression])})
    picture = read_picture(data)
    assert picture.depth == 8
    assert picture.alpha is None
    assert np.abs(levels(picture.pixels) - COLOURS.astype(int)).max() <= 2
    assert (read_u8(data) == levels(picture.pixels)).all()
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    with open_rows(path) as rows:
        assert (collect(rows).pixels == picture.pixels).all()


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_red_is_red_whatever_the_type_of_the_tag(kind):
    data = tiny_tiff(filled((76, 84, 255)), 6, kind=kind, tags=EVEN)
    assert levels(read_picture(data).pixels)[0, 0].tolist() == [254, 0, 0]


def test_pillow_has_the_same_opinion():
    stream = io.BytesIO()
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).convert("YCbCr")
    noise.save(stream, "TIFF", compression="tiff_lzw")
    data = stream.getvalue()
    expected = np.asarray(noise.convert("RGB")).astype(int)
    assert np.abs(levels(read_picture(data).pixels) - expected).max() <= 1


def test_the_range_and_the_weights_that_the_file_states_are_used():
    # Studio range, and the weights of BT.709: (63, 102, 240) is its red.
    tags = {
        **EVEN,
        529: (5, [2126, 10000, 7152, 10000, 722, 10000]),
        532: (5, [16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1]),
    }
    red = levels(read_picture(tiny_tiff(filled((63, 102, 240)), 6, tags=tags)).pixels)[0, 0]
    assert np.abs(red - [255, 0, 0]).max() <= 3
    white = levels(read_picture(tiny_tiff(filled((235, 128, 128)), 6, tags=tags)).pixels)[0, 0]
    assert white.tolist() == [255, 255, 255]


def test_numbers_that_make_no_sense_are_left_aside():
    tags = {**EVEN, 529: (5, [0, 0, 0, 0, 0, 0]), 532: (5, [0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1])}
    data = tiny_tiff(filled((76, 84, 255)), 6, tags=tags)
    assert levels(read_picture(data).pixels)[0, 0].tolist() == [254, 0, 0]


@pytest.mark.parametrize("size", [(2, 4), (3, 5), (7, 6), (17, 33)])
@pytest.mark.parametrize("steps", [(2, 2), (2, 1), (1, 2), (4, 1), (4, 2)])
def test_colour_of_several_pixels_is_spread_over_them(size, steps):
    across, down = steps
    rng = np.random.default_rng(0)
    blocks = -(-size[0] // down), -(-size[1] // across)
    luma = rng.integers(0, 256, (blocks[0] * down, blocks[1] * across), dtype=np.uint8)
    chroma = rng.integers(100, 160, (*blocks, 2), dtype=np.uint8)
    packed = b"".join(
        luma[y * down :][:down, x * across :][:, :across].tobytes() + chroma[y, x].tobytes()
        for y in range(blocks[0])
        for x in range(blocks[1])
    )
    full = np.dstack([luma, chroma.repeat(down, axis=0).repeat(across, axis=1)])
    expected = np.asarray(Image.fromarray(full, "YCbCr").convert("RGB"))[: size[0], : size[1]]
    data = tiny_tiff(filled((0, 0, 0), size=size), 6, tags={530: (3, steps)}, strips=[packed])
    picture = read_picture(data)
    assert picture.alpha is None
    assert np.abs(levels(picture.pixels) - expected.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("tags", "planar", "what"),
    [
        ({530: (3, [4, 4])}, 1, "one colour for 4x4 pixels"),
        ({}, 1, "one colour for each pixel, but does not say so"),
        ({}, 2, "YCbCr with each channel by itself"),
        (EVEN, 2, "YCbCr with each channel by itself"),
        ({**EVEN, 259: (3, [6])}, 1, "YCbCr in compression 6"),
        ({**EVEN, 259: (3, [33003])}, 1, "YCbCr in compression 33003"),
        ({**EVEN, 259: (3, [7])}, 2, "YCbCr with each channel by itself"),
    ],
)
def test_what_would_be_scrambled_is_refused(tags, planar, what):
    data = tiny_tiff(filled((76, 84, 255), size=(4, 4)), 6, planar=planar, tags=tags)
    with pytest.raises(ImageReadError, match=what):
        read_picture(data)
