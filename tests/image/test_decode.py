import io
from types import SimpleNamespace

import numpy as np
import pytest
import pyvips
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.image import decode
from pixelift.image.source import open_picture


@pytest.fixture
def file():
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), "teal").save(stream, "PNG")
    with open_picture(stream.getvalue()) as opened:
        yield opened


def test_a_header_is_refused_with_advice(file):
    image = decode.load(file, "error", notes=[])
    decode.check_header(image, file, 24, decode.larger_limit)
    with pytest.raises(ImageReadError, match=r"max_pixels=24\)"):
        decode.check_header(image, file, 23, decode.larger_limit)


def test_10_bits_reach_white():
    avif = SimpleNamespace(format=SimpleNamespace(operation="heif"))
    samples = np.array([0, 0xFFC0], np.uint16)
    assert decode.white_at_top(samples, 10, avif).tolist() == [0, 65535]
    assert decode.white_at_top(samples, 16, avif) is samples


def test_floats_out_of_range_are_refused_and_overshoot_is_clipped(file):
    assert decode.checked_floats(np.float32([-0.1, 1.1]), file).tolist() == [0, 1]
    for bad in (np.float32([0, 255]), np.float32([np.nan])):
        with pytest.raises(ImageReadError, match="Divide them by their white"):
            decode.checked_floats(bad, file)


def test_what_libvips_says_becomes_one_line(file):
    error = pyvips.Error("no")
    error.detail = "source: bad seek to 7\npngload: libspng read error\n"
    assert "(pngload: libspng read error)" in str(decode.undecodable(file, error))
