import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import ShapeError
from pixelift.image.picture import Picture
from pixelift.image.rows import (
    BAND_ROWS,
    Header,
    Rows,
    Window,
    as_type,
    collect,
    gather,
    picture_rows,
    share_bands,
)


@pytest.mark.parametrize("has_alpha", [False, True])
def test_a_picture_that_passes_by_and_is_collected_is_the_same(rng, has_alpha):
    pixels = rng.random((BAND_ROWS + 7, 3, 3), np.float32)
    alpha = rng.random(pixels.shape[:2], np.float32) if has_alpha else None
    picture = Picture(pixels, alpha, depth=16, icc=b"icc", exif=b"exif", dpi=(1.0, 2.0))
    again = collect(picture_rows(picture))
    assert np.array_equal(again.pixels, pixels)
    assert (again.alpha is None) if alpha is None else np.array_equal(again.alpha, alpha)
    for name in ("depth", "icc", "exif", "dpi", "format"):
        assert getattr(again, name) == getattr(picture, name)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.data())
def test_a_window_gives_the_rows_that_are_asked_for(heights, data):
    whole = np.arange(sum(heights) * 2).reshape(-1, 1, 2)
    window = Window(iter(np.split(whole, np.cumsum(heights)[:-1])))
    top = 0
    for _ in range(4):
        top = data.draw(st.integers(top, len(whole) - 1))
        bottom = data.draw(st.integers(top + 1, len(whole)))
        assert np.array_equal(window.rows(top, bottom), whole[top:bottom])


def test_rows_that_have_passed_by_or_do_not_exist_are_refused():
    window = Window(iter([np.zeros((4, 1, 1)), np.zeros((4, 1, 1))]))
    window.rows(5, 6)
    with pytest.raises(ValueError, match="have passed by"):
        window.rows(1, 6)
    with pytest.raises(ValueError, match="of a picture of 8 rows"):
        window.rows(6, 9)


def test_a_window_tells_the_type_and_loses_no_row_by_it():
    window = Window(iter(np.split(np.arange(6, dtype=np.uint16).reshape(6, 1, 1), 3)))
    assert window.dtype() == np.uint16
    assert window.rows(0, 6).ravel().tolist() == list(range(6))
    with pytest.raises(ValueError, match="of a picture of 0 rows"):
        Window(iter([])).dtype()


def test_what_is_gathered_is_a_copy_unless_it_was_made_for_it(rng):
    picture = Picture(rng.random((9, 4, 3), np.float32))
    again = collect(picture_rows(picture))
    assert not np.shares_memory(again.pixels, picture.pixels)
    band = picture.pixels.copy()
    assert gather(Rows(Header.of(picture), iter([band])), band.dtype) is band


def test_samples_change_their_type_by_the_rule_of_the_house():
    eight = np.arange(256, dtype=np.uint8)
    sixteen = as_type(eight, np.dtype(np.uint16))
    assert np.array_equal(sixteen, eight.astype(np.uint16) * 257)
    assert np.array_equal(as_type(sixteen, np.dtype(np.uint8)), eight)
    assert as_type(eight, np.dtype(np.uint8)) is eight
    with pytest.raises(ShapeError, match="allowed are uint8, uint16, float32"):
        as_type(eight, np.dtype(np.int32))


def test_bands_that_are_shared_come_to_all_and_wait_for_the_last(rng):
    bands = [rng.random((2, 3, 1), np.float32) for _ in range(4)]
    taken = []

    def source():
        for band in bands:
            taken.append(band)
            yield band

    first, second = share_bands(source(), 2)
    assert next(first) is bands[0]
    assert next(first) is bands[1]
    assert len(taken) == 2
    assert all(ours is band for ours, band in zip(second, bands, strict=True))
    assert [*first] == bands[2:]
    assert [*first, *second] == []
