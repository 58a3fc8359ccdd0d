import io
import struct

import pytest
from PIL import Image, IptcImagePlugin

from pixelift.image import iptc

CREDIT = b"\x1c\x02\x6e\0\x05Press"
CAPTION = b"\x1c\x02\x78\0\x02Hi"


def resource(number, data, name=b"\0\0"):
    return b"8BIM" + struct.pack(">H", number) + name + struct.pack(">I", len(data)) + data


@pytest.mark.parametrize("data", [CREDIT, CAPTION, CREDIT + CAPTION])
def test_what_is_wrapped_is_unwrapped_again(data):
    assert iptc.unwrapped(iptc.wrapped(data)) == data
    assert iptc.unwrapped(data) == data


def test_it_is_found_among_other_resources():
    others = resource(1005, b"odd") + b"\0" + resource(1036, bytes(40), b"\x03abc")
    assert iptc.unwrapped(b"Photoshop 3.0\0" + others + resource(1028, CREDIT)) == CREDIT
    assert iptc.unwrapped(others + resource(1028, CREDIT) + resource(1028, CAPTION)) == CREDIT


def test_zeros_behind_the_last_value_are_none_of_it():
    assert iptc.unwrapped(CREDIT + bytes(3)) == CREDIT
    ends_with_zero = b"\x1c\x02\x00\0\x02\x04\0"
    assert iptc.unwrapped(ends_with_zero + bytes(1)) == ends_with_zero


def test_long_values_are_whole():
    long_one = b"\x1c\x02\x78\x80\x04" + struct.pack(">I", 40_000) + b"a" * 40_000
    assert iptc.unwrapped(long_one + CREDIT) == long_one + CREDIT
    assert iptc.unwrapped(long_one * 2) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Photoshop 3.0\0",
        b"Photoshop 3.0\x008BIM",
        b"8BIM\x04\x04\xff",
        resource(1028, b""),
        resource(1028, b"no iptc"),
        resource(1005, b"a resource"),
        b"8BIM\x04\x04\0\0\xff\xff\xff\xff",
        b"\x1c\x02\x78\xff\xff\xff",
        b"\x1c\x02\x78",
    ],
)
def test_what_is_no_iptc_is_none(data):
    assert iptc.unwrapped(data) is None


def test_pillow_reads_what_is_wrapped():
    stream = io.BytesIO()
    data = iptc.wrapped(CREDIT + CAPTION)
    marker = b"\xff\xed" + struct.pack(">H", len(data) + 2) + data
    Image.new("RGB", (8, 8)).save(stream, "JPEG", extra=marker)
    with Image.open(stream) as image:
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 110): b"Press", (2, 120): b"Hi"}
