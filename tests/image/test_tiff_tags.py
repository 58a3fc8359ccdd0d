import io
import struct

import pytest

from pixelift.image import tiff_tags
from pixelift.image.tiff_tags import Directory, Layout, Value

LAYOUTS = [Layout(order, is_big=big) for order in "<>" for big in (False, True)]


def head_of(layout):
    mark = b"II" if layout.order == "<" else b"MM"
    if layout.is_big:
        return mark + struct.pack(layout.order + "HHHQ", 43, 8, 0, 16)
    return mark + struct.pack(layout.order + "HI", 42, 8)


def filled(layout):
    inner = Directory(
        {1: Value(2, b"N\0"), 2: Value(5, struct.pack(layout.order + "6I", *range(6)))}
    )
    values = {
        305: Value(2, b"a program with a long name\0"),
        271: Value(3, struct.pack(layout.order + "3H", 1, 2, 3)),
    }
    return Directory(values, {34853: inner})


def read_back(stream, layout, offset):
    entries, following = tiff_tags.read_entries(stream, layout, offset=offset)
    found = {
        entry.number: tiff_tags.read_value(stream, layout, entry, most=1000) for entry in entries
    }
    return entries, following, found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_laid_out_is_read_again(layout):
    head = head_of(layout)
    laid = tiff_tags.lay_out(filled(layout), layout, at=len(head), following=77)
    assert len(laid) % 8 == 0
    stream = io.BytesIO(head + laid)
    assert tiff_tags.read_header(stream) == (layout, len(head))
    entries, following, found = read_back(stream, layout, len(head))
    assert [entry.number for entry in entries] == [271, 305, 34853]
    assert following == 77
    assert found[305] == filled(layout).values[305]
    assert found[271] == filled(layout).values[271]
    (place,) = layout.offset.unpack(entries[2].field)
    _, following, inner = read_back(stream, layout, place)
    assert (inner, following) == (filled(layout).inner[34853].values, 0)


def test_kept_entries_stay_and_new_ones_take_their_place():
    layout = LAYOUTS[0]
    stream = io.BytesIO(head_of(layout) + tiff_tags.lay_out(filled(layout), layout, at=8))
    entries, _ = tiff_tags.read_entries(stream, layout, offset=8)
    at = len(stream.getvalue())
    laid = tiff_tags.lay_out(Directory({271: Value(2, b"new\0")}), layout, at=at, kept=entries)
    stream = io.BytesIO(stream.getvalue() + laid)
    _, _, found = read_back(stream, layout, at)
    assert found[271] == Value(2, b"new\0")
    assert found[305].data == b"a program with a long name\0"


def test_values_change_their_byte_order_by_their_kind():
    little, big = LAYOUTS[0], LAYOUTS[2]
    pairs = [(3, "3H", (1, 2, 3)), (5, "2I", (1, 125)), (12, "d", (0.5,)), (9, "i", (-7,))]
    for kind, code, numbers in pairs:
        value = Value(kind, struct.pack("<" + code, *numbers)).reordered(little, big)
        assert struct.unpack(">" + code, value.data) == numbers
    assert Value(7, b"abc").reordered(little, big).data == b"abc"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_too_long_or_not_there_is_left_out(layout):
    stream = io.BytesIO(head_of(layout))
    far = layout.offset.pack(10**9)
    for kind, count in ((2, 1001), (2, 2**31), (5, 200), (2, 100), (99, 1), (2, 0)):
        entry = tiff_tags.Entry(305, kind, count, far, 0)
        assert tiff_tags.read_value(stream, layout, entry, most=1000) is None
    assert tiff_tags.read_entries(stream, layout, offset=10**9) == ([], 0)


@pytest.mark.parametrize("head", [b"", b"II", b"no TIFF at all", b"II+\0\x08\0\0\0\0"])
def test_what_is_no_tiff_has_no_header(head):
    assert tiff_tags.read_header(io.BytesIO(head)) is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_of_every_kind_are_read(layout):
    order = layout.order
    values = {
        1: (Value(1, b"\x07"), (7,)),
        3: (Value(3, struct.pack(order + "2H", 4, 2)), (4, 2)),
        5: (Value(5, struct.pack(order + "4I", 1, 2, 5, 0)), (0.5, 0)),
        8: (Value(8, struct.pack(order + "h", -3)), (-3,)),
        12: (Value(12, struct.pack(order + "3d", 0.25, 1, 2)), (0.25, 1, 2)),
        2: (Value(2, b"no number\0"), ()),
    }
    head = head_of(layout)
    held = Directory({number: value for number, (value, _) in values.items()})
    stream = io.BytesIO(head + tiff_tags.lay_out(held, layout, at=len(head)))
    for number, (_, expected) in values.items():
        assert tiff_tags.read_numbers(stream, number) == expected
    assert tiff_tags.read_numbers(stream, 99) == ()
    assert tiff_tags.read_numbers(stream, 12, most=2) == ()


def test_of_a_tag_that_is_there_twice_the_first_counts():
    entries = struct.pack("<HHHIHxxHHIHxx", 2, 262, 3, 1, 6, 262, 3, 1, 2)
    stream = io.BytesIO(b"II*\0\x08\0\0\0" + entries + bytes(4))
    assert tiff_tags.read_numbers(stream, 262) == (6,)


def test_numbers_behind_the_end_of_the_file_are_none():
    entry = struct.pack("<HHHII", 1, 530, 3, 4, 1 << 30)
    assert tiff_tags.read_numbers(io.BytesIO(b"II*\0\x08\0\0\0" + entry + bytes(4)), 530) == ()
    assert tiff_tags.read_numbers(io.BytesIO(b"no TIFF"), 530) == ()
