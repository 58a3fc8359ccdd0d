import numpy as np
import pytest

from pixelift.image.label import _SHAPES, draw_words


def test_a_word_is_five_high_and_four_wide_for_each_letter():
    assert draw_words("abc", size=1).shape == (5, 12)
    assert draw_words("abc", size=4).shape == (20, 48)


def test_letters_differ_and_all_but_the_blank_have_ink():
    drawn = {letter: draw_words(letter, size=1).tobytes() for letter in _SHAPES}
    assert len(set(drawn.values())) == len(drawn)
    assert [letter for letter in _SHAPES if not draw_words(letter).any()] == [" "]


def test_letters_do_not_touch():
    assert not draw_words("mmm", size=1)[:, 3::4].any()


@pytest.mark.parametrize("words", ["", "ß", "日"])
def test_what_is_not_known_is_left_blank(words):
    assert not draw_words(words).any()


def test_capitals_are_drawn_as_small_letters():
    assert np.array_equal(draw_words("AbZ"), draw_words("aBz"))
