import numpy as np

from pixelift.infer.legend import with_legend

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def test_the_picture_stays_as_it_is_above_the_legend(rng, frozen):
    picture = frozen(rng.random((30, 400, 3), dtype=np.float32))
    sheet = with_legend(picture, [(RED, "red"), (BLUE, "blue")])
    assert np.array_equal(sheet[:30, :400], picture)
    assert sheet.shape[1] == 400
    assert sheet.shape[0] > 40


def test_every_colour_has_a_swatch_and_words_beside_it():
    sheet = with_legend(np.zeros((4, 300, 3), np.float32), [(RED, "red"), (BLUE, "blue")])
    below = sheet[4:]
    for colour in (RED, BLUE):
        rows, columns = np.nonzero((below == np.array(colour, np.float32)).all(axis=2))
        assert len(rows) == 15 * 15
        words = below[rows.min() : rows.max() + 1, columns.max() + 1 : columns.max() + 60]
        assert (words < 0.5).any()


def test_a_narrow_picture_gets_more_lines_and_as_much_width_as_an_entry_needs():
    entries = [(RED, "a long entry"), (BLUE, "another one")]
    narrow = with_legend(np.zeros((4, 10, 3), np.float32), entries)
    wide = with_legend(np.zeros((4, 900, 3), np.float32), entries)
    assert narrow.shape[0] > wide.shape[0]
    assert narrow.shape[1] > 10
