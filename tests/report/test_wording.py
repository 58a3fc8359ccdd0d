import pytest

from pixelift.report.wording import format_number, printable


@pytest.mark.parametrize("character", ["\x00", "\n", "\u202e", "\udc80", "\u200b"])
def test_what_cannot_be_seen_is_replaced(character):
    assert printable(f"a{character}b") == "a\ufffdb"


def test_names_in_other_scripts_stay_as_they_are():
    assert printable("Größe 写真 é.jpg") == "Größe 写真 é.jpg"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-16.0, "−16"), (-1234, "−1,234"), (1234567, "1,234,567"), (0.00005, "5e-05")],
)
def test_numbers_have_three_digits_at_most(value, text):
    assert format_number(value) == text
