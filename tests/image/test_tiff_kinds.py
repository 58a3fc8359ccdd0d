import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image import tiff_kinds
from pixelift.image.read import read_picture
from pixelift.image.read_rows import open_rows
from tests.tiny_tiff import filled, tiny_tiff

SUNSET = [i * 257 for i in range(256)] + [0] * 256 + [65535] * 256
"""A palette: as red as its index is high, no green, all the blue."""


def refusal(data):
    with pytest.raises(ImageReadError) as caught:
        read_picture(data)
    with pytest.raises(ImageReadError), open_rows(data):
        pass
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith("Convert it to RGB first.")
    return message


def first_pixel(data):
    picture = read_picture(data)
    alpha = [] if picture.alpha is None else [picture.alpha[0, 0]]
    return [round(float(value), 3) for value in [*picture.pixels[0, 0], *alpha]]


@pytest.mark.parametrize(
    ("photometric", "what"),
    [
        (4, "a transparency mask"),
        (10, "ITU Lab"),
        (32803, "the raw values of a camera's sensor"),
        (34892, "the raw values of a camera's sensor"),
        (32844, "LogL"),
        (32845, "LogLuv"),
        (999, "the unknown kind 999"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_colours_of_a_kind_that_nobody_converts_are_named(photometric, what, channels):
    data = tiny_tiff(filled((200, 100, 50)[:channels]), photometric)
    assert what in refusal(data)


@pytest.mark.parametrize(
    ("photometric", "channels"),
    [
        *((0, 3), (0, 4), (1, 3), (1, 4), (2, 1), (2, 2), (2, 5), (3, 3), (3, 4), (5, 3), (5, 6)),
        *((6, 1), (6, 2), (8, 1), (8, 2), (8, 5), (9, 1), (9, 5)),
    ],
)
def test_channels_that_the_colours_do_not_account_for_are_not_taken_for_others(
    photometric, channels
):
    tags = {320: (3, SUNSET)} if photometric == 3 else {}
    message = refusal(tiny_tiff(filled(range(10, 10 + channels)), photometric, tags=tags))
    assert f"it has {channels} channel" in message


@pytest.mark.parametrize(
    ("photometric", "samples", "format", "what"),
    [
        (1, filled((1,), np.int8), 2, "grey with signed samples of 8 bits"),
        (1, filled((1,), np.int16), 2, "grey with signed samples of 16 bits"),
        (1, filled((1,), np.uint32), 1, "grey with samples of 32 bits"),
        (2, filled((1, 2, 3), np.int16), 2, "RGB with signed samples of 16 bits"),
        (2, filled((1, 2, 3), np.complex64), 6, "RGB with complex samples of 64 bits"),
        (2, filled((1, 2, 3), np.float64), 3, "RGB with float samples of 64 bits"),
        # libvips does not invert floats, and takes ink in float and with a sign for other numbers.
        (0, filled((0.25,), np.float32), 3, "grey with float samples of 32 bits"),
        (5, filled((0.8, 0.4, 0.2, 0), np.float32), 3, "CMYK with float samples of 32 bits"),
        (5, filled((80, 40, 20, 0), np.int8), 2, "CMYK with signed samples of 8 bits"),
        (6, filled((76, 84, 255), np.uint16), 1, "YCbCr with samples of 16 bits"),
        (8, filled((32768, 0, 0, 65535), np.uint16), 1, "Lab with samples of 16 bits and alpha"),
        (9, filled((32768, 0, 0), np.uint16), 1, "Lab with samples of 16 bits"),
    ],
)
def test_samples_that_would_be_misread_are_refused(photometric, samples, format, what):
    tags = {339: (3, [format] * samples.shape[2])}
    assert f"it is {what}" in refusal(tiny_tiff(samples, photometric, tags=tags))


@pytest.mark.parametrize("photometric", [0, 3, 8])
def test_alpha_is_refused_where_libvips_divides_the_wrong_numbers_by_it(photometric):
    values = (100, 20, 30, 128) if photometric == 8 else (100, 128)
    tags = {338: (3, [1]), 320: (3, SUNSET)}
    assert "its alpha is multiplied into" in refusal(
        tiny_tiff(filled(values), photometric, tags=tags)
    )


def test_values_that_are_indices_and_say_that_they_are_grey_are_refused():
    assert "it has a palette" in refusal(tiny_tiff(filled((7,)), 1, tags={346: (3, [1])}))


@pytest.mark.parametrize(
    ("photometric", "dtype", "values"),
    [
        (0, np.uint8, (1, 2)),
        (1, np.uint16, (1, 2)),
        (2, np.float16, (0.1, 0.2, 0.3)),
        (2, np.float16, (0.1, 0.2, 0.3, 1)),
        (3, np.uint8, (1, 2)),
        (8, np.uint16, (1, 2, 3)),
    ],
)
def test_planes_are_refused_where_libvips_looks_for_them_side_by_side(photometric, dtype, values):
    tags = {320: (3, SUNSET), 339: (3, [3 if dtype == np.float16 else 1] * len(values))}
    data = tiny_tiff(filled(values, dtype), photometric, planar=2, tags=tags)
    assert "with each channel by itself" in refusal(data)


@pytest.mark.parametrize(
    ("photometric", "channels", "dtype"),
    [
        *(
            (kind, n, dtype)
            for kind, n in ((1, 1), (2, 3), (2, 4))
            for dtype in (np.uint8, np.uint16)
        ),
        *((kind, n, np.float32) for kind, n in ((1, 1), (2, 3), (2, 4), (8, 3))),
        *((5, 4, np.uint8), (5, 4, np.uint16), (8, 3, np.uint8)),
    ],
)
def test_planes_that_are_read_give_the_same_as_channels_side_by_side(
    photometric, channels, dtype, rng
):
    samples = rng.integers(0, 2 if dtype == np.float32 else 250, (5, 7, channels)).astype(dtype)
    tags = {339: (3, [3 if dtype == np.float32 else 1] * channels)}
    apart = read_picture(tiny_tiff(samples, photometric, planar=2, tags=tags))
    beside = read_picture(tiny_tiff(samples, photometric, tags=tags))
    assert (apart.pixels == beside.pixels).all()
    assert apart.alpha is None or (apart.alpha == beside.alpha).all()


@pytest.mark.parametrize("kind", [1, 3, 4, 8, 9])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_kind_of_colours_is_found_in_whatever_type_it_is_written(kind, order):
    assert "ITU Lab" in refusal(tiny_tiff(filled((1, 2, 3)), 10, kind=kind, order=order))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (tiny_tiff(filled((200,)), 0), [0.216]),
        (tiny_tiff(filled((1000,), np.uint16), 0), [0.985]),
        (tiny_tiff(filled((200, 51)), 0, tags={338: (3, [2])}), [0.216, 0.2]),
        (tiny_tiff(filled((200,)), 1), [0.784]),
        (tiny_tiff(filled((51, 102)), 1, tags={338: (3, [1])}), [0.498, 0.4]),
        (tiny_tiff(filled((0.25,), np.float16), 1, tags={339: (3, [3])}), [0.25]),
        (tiny_tiff(filled((200, 100, 50)), 2, planar=2), [0.784, 0.392, 0.196]),
        (tiny_tiff(filled((200, 100, 50)), 2, tags={259: (3, [8])}), [0.784, 0.392, 0.196]),
        (tiny_tiff(filled((200, 100, 50)), 2, tags={266: (3, [2])}), [0.075, 0.149, 0.298]),
        (tiny_tiff(filled((25700, 13107, 0), np.uint16), 2, order=">"), [0.392, 0.2, 0.0]),
        (tiny_tiff(filled((200,)), 3, tags={320: (3, SUNSET)}), [0.784, 0.0, 1.0]),
        (
            tiny_tiff(filled((200, 51)), 3, tags={320: (3, SUNSET), 338: (3, [2])}),
            [0.784, 0.0, 1.0, 0.2],
        ),
    ],
)
def test_kinds_that_are_read_come_out_with_the_right_values(data, expected):
    assert first_pixel(data) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(("bits", "first"), [(1, [0, 0]), (2, [0, 85]), (4, [17, 187])])
@pytest.mark.parametrize("photometric", [0, 1])
def test_few_bits_fill_the_whole_range(bits, first, photometric):
    samples = filled((0,), size=(2, 4))
    data = tiny_tiff(samples, photometric, tags={258: (3, [bits])}, strips=[b"\x1b" * 4])
    found = np.rint(read_picture(data).pixels[0, :2, 0] * 255).tolist()
    assert found == [n if photometric else 255 - n for n in first]


def test_deep_lab_has_the_colours_of_shallow_lab():
    # L = 50, a = 20, b = 0 by the formulas of CIE and of sRGB.
    expected = [0.595, 0.418, 0.469]
    deep = tiny_tiff(filled((32768, 20 * 256, 0), np.uint16), 8)
    real = tiny_tiff(filled((50, 20, 0), np.float32), 8, tags={339: (3, [3] * 3)})
    for data in (deep, real):
        assert first_pixel(data) == pytest.approx(expected, abs=0.003)


def test_what_pillow_reads_as_jpeg_in_tiff_is_read_the_same():
    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (200, 100, 50)).save(stream, "TIFF", compression="jpeg", quality=95)
    assert first_pixel(stream.getvalue()) == pytest.approx([0.784, 0.392, 0.196], abs=0.01)


def test_a_file_without_colours_is_left_to_the_decoder():
    tiff_kinds.check_kind(io.BytesIO(b"II*\0"), "it")
    tiff_kinds.check_kind(io.BytesIO(tiny_tiff(filled((1,)), None)), "it")
    nothing = SimpleNamespace(seek=lambda _: 0, read=lambda _: b"")
    assert tiff_kinds.number_of(nothing, 262, 7) == 7


@pytest.mark.parametrize("value", [2.0, float("nan"), float("inf")])
def test_colours_by_a_number_that_is_not_whole_are_left_aside_as_by_libtiff(value):
    with pytest.raises(ImageReadError):
        read_picture(tiny_tiff(filled((1, 2, 3)), value, kind=11))
    # Without a word on it, one colour is for 2x2 pixels.
    block = bytes([76, 76, 76, 76, 84, 255])
    tags = {530: (11, [1.0, value])}
    data = tiny_tiff(filled((0, 0, 0), size=(2, 2)), 6, tags=tags, strips=[block])
    assert first_pixel(data) == pytest.approx([0.996, 0, 0], abs=0.002)
