import os

import pytest

from pixelift.image.shown import quoted, shown


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.png", "a.png"),
        ("été 日本.png", "été 日本.png"),
        ("a\nb\r\t.png", r"a\nb\r\t.png"),
        ("\x1b[31mred.png", r"\x1b[31mred.png"),
        ("\x9b31m\x7f\x07", r"\x9b31m\x7f\x07"),
        ("gnp.\u202egpj", r"gnp.\u202egpj"),
        ("a\u2028b", r"a\u2028b"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\udce9.png"),
    ],
)
def test_a_name_is_told_in_one_line_that_does_nothing(name, told):
    assert shown(name) == told
    assert quoted(name) == f'"{told}"'
    assert shown(name).encode().decode() == told
