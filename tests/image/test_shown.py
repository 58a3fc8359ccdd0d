import os

import pytest

from pixelift.image.shown import as_text, quoted, shown, told


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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(13, "Permission denied", "a\nb"), r'"a\nb": permission denied'),
        (OSError(13, "Permission denied", b"c\xe9"), r'"c\udce9": permission denied'),
        (OSError(28, "No space left on device"), "no space left on device"),
        (OSError("what a library says"), "what a library says"),
    ],
)
def test_what_the_system_says_is_told_in_words(error, words):
    assert told(error) == words


def test_text_for_a_file_keeps_every_name_apart():
    assert as_text("été.png") == "été.png"
    assert as_text(os.fsdecode(b"caf\xe9.png")) == r"caf\xe9.png"
