import pytest

from pixelift.patches.markup import clean, facts, format_number, table


@pytest.mark.parametrize("character", ["\x00", "\n", "\u202e", "\udc80", "\u200b"])
def test_what_cannot_be_seen_is_replaced(character):
    assert clean(f"a{character}b") == "a\ufffdb"


def test_names_in_other_scripts_stay_as_they_are():
    assert clean("Größe 写真 é.jpg") == "Größe 写真 é.jpg"


def test_quotes_and_brackets_are_escaped():
    assert not set(clean("<a href='x' title=\"y\">&")) & set("<>'\"")


def test_facts_are_escaped_on_both_sides():
    assert facts({"<k>": "<v>"}) == "<dl><div><dt>&lt;k&gt;</dt><dd>&lt;v&gt;</dd></div></dl>"


def test_a_table_has_a_row_for_each_row_and_escapes_its_head():
    text = table(["a", "<b>"], [["1", "2"], ["<i>3</i>", "4"]])
    assert text.count("<tr>") == 3
    assert "&lt;b&gt;" in text
    assert "<td><i>3</i></td>" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-16.0, "−16"), (-1234, "−1,234"), (1234567, "1,234,567"), (0.00005, "5e-05")],
)
def test_numbers_have_three_digits_at_most(value, text):
    assert format_number(value) == text
