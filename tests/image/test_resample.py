import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelift.image.dihedral import DIHEDRAL, transform
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.resample import BLOCK, LOBES, resize_rows
from pixelift.image.rows import Header, Rows, collect, gather, picture_rows

U8, U16, F32 = (np.dtype(t) for t in (np.uint8, np.uint16, np.float32))


def resize(samples, size, *, dtype=F32, has_alpha=False, heights=()):
    """Resize an array that comes in bands of these heights; the last one takes what is left."""
    height, width, bands = samples.shape
    header = Header(Size(height, width), bands - has_alpha, has_alpha=has_alpha)
    rows = Rows(header, iter(np.split(samples, np.cumsum(heights, dtype=int))))
    return gather(resize_rows(rows, Size(*size), dtype), dtype)


def line(values, length):
    """Resize one line by the textbook: every result a sum over the mirrored samples."""
    scale = length / len(values)
    stretch = min(scale, 1.0)
    border = 2 + int(np.ceil(LOBES / stretch))
    wide = np.pad(values, [(border, border)] + [(0, 0)] * (values.ndim - 1), mode="symmetric")
    place = np.arange(-border, len(values) + border)
    result = []
    for k in range(length):
        x = stretch * ((k + 0.5) / scale - 0.5 - place)
        weight = np.where(np.abs(x) < LOBES, np.sinc(x) * np.sinc(x / LOBES), 0)
        result.append(np.tensordot(weight / weight.sum(), wide, 1))
    return np.array(result)


def by_the_book(samples, size):
    columns = line(line(samples.astype(np.float64), size[0]).swapaxes(0, 1), size[1])
    return np.clip(columns.swapaxes(0, 1), 0, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((1, 1), (3, 2)),
        ((7, 5), (1, 1)),
        ((13, 9), (13, 9)),
        ((20, 31), (9, 40)),
        ((2, 3), (BLOCK + 9, 2 * BLOCK + 1)),
        ((BLOCK + 70, 9), (BLOCK + 1, 4)),
        ((150, 3), (101, 2)),
    ],
)
def test_every_size_is_made_by_the_book(rng, old, new):
    samples = rng.random((*old, 3), np.float32)
    assert resize(samples, new) == pytest.approx(by_the_book(samples, new), abs=2e-6)


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("size", [(11, 90), (100, 33), (BLOCK * 2, 7)])
def test_how_the_rows_come_changes_nothing(rng, size, has_alpha):
    samples = rng.random((37, 41, 3 + has_alpha), np.float32)
    whole = resize(samples, size, has_alpha=has_alpha)
    for heights in ([1] * 36, [16, 16], [5, 30]):
        streamed = resize(samples, size, has_alpha=has_alpha, heights=heights)
        # A matrix product of another shape may sum in another order.
        assert streamed == pytest.approx(whole, abs=1e-6)


def test_rows_are_resized_while_they_come(rng):
    taken = []

    def bands():
        for top in range(0, 4 * BLOCK, 8):
            taken.append(top)
            yield rng.random((8, 3, 1), np.float32)

    rows = Rows(Header(Size(4 * BLOCK, 3), 1), bands())
    resized = resize_rows(rows, Size(8 * BLOCK, 6), F32)
    assert taken == []
    next(resized.bands)
    assert taken[-1] < BLOCK
    assert sum(len(band) for band in resized.bands) == 7 * BLOCK


def test_the_header_keeps_all_but_the_size(rng):
    fields = {"depth": 16, "icc": b"i", "exif": b"e", "dpi": (300.0, 300.0), "format": "png"}
    rows = picture_rows(Picture(rng.random((4, 6, 1), np.float32), **fields))
    resized = collect(resize_rows(rows, Size(3, 5), F32))
    assert Header.of(resized) == Header(Size(3, 5), 1, **fields)


@settings(max_examples=20)
@given(*[st.integers(1, 90)] * 4, st.integers(0, 255))
def test_one_colour_stays_one_colour(height, width, new_height, new_width, level):
    samples = np.full((height, width, 3), level, np.uint8)
    resized = resize(samples, (new_height, new_width), dtype=U8)
    assert resized.shape == (new_height, new_width, 3)
    assert (resized == level).all()


@pytest.mark.parametrize("dtype", [U8, U16])
def test_the_same_size_changes_no_sample(rng, dtype):
    samples = rng.integers(0, np.iinfo(dtype).max + 1, (70, 67, 3)).astype(dtype)
    assert np.array_equal(resize(samples, (70, 67), dtype=dtype), samples)


@pytest.mark.parametrize("code", DIHEDRAL)
def test_flips_and_turns_commute_with_resizing(rng, code):
    samples = rng.random((23, 34, 3), np.float32)
    for size in ((11, 19), (81, 66)):
        turned = size[::-1] if code & 4 else size
        expected = transform(resize(samples, size), code)
        assert resize(transform(samples, code), turned) == pytest.approx(expected, abs=2e-6)


def test_nothing_moves():
    # The centre of light of a spot stays where it was, as a share of the picture.
    down, across = np.mgrid[0:40, 0:60] + 0.5
    spot = np.exp(-((down - 13) ** 2 + (across - 41) ** 2) / 18).astype(np.float32)[..., None]
    for height, width in ((27, 41), (55, 95)):
        small = resize(spot, (height, width))[..., 0].astype(float)
        down, across = np.mgrid[0:height, 0:width] + 0.5
        assert (small * down).sum() / small.sum() / height == pytest.approx(13 / 40, abs=1e-3)
        assert (small * across).sum() / small.sum() / width == pytest.approx(41 / 60, abs=1e-3)


def test_what_is_finer_than_the_smaller_pixels_becomes_grey():
    board = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)[..., None]
    assert resize(board, (20, 20))[3:-3, 3:-3] == pytest.approx(0.5, abs=0.01)


def test_what_rings_beyond_white_and_black_is_clipped():
    step = np.repeat(np.float32([[[0], [1]]]), 8, axis=1).repeat(8, axis=0)
    resized = resize(step, (24, 48))
    assert (resized.min(), resized.max()) == (0, 1)
    assert np.count_nonzero((resized > 0) & (resized < 1)) > 0


def test_the_colour_of_what_is_transparent_does_not_show():
    samples = np.zeros((16, 16, 4), np.float32)
    samples[:, :8] = 1, 0, 0, 1
    samples[:, 8:] = 0, 1, 0, 0
    for size in ((7, 7), (33, 33)):
        resized = resize(samples, size, has_alpha=True)
        seen = resized[resized[..., 3] > 0.01]
        assert seen[:, :3] == pytest.approx(np.tile([1, 0, 0], (len(seen), 1)), abs=1e-4)
        # The edge itself is as soft as that of an opaque picture.
        alpha = by_the_book(samples[..., 3:], size)
        assert resized[..., 3:] == pytest.approx(alpha, abs=2e-6)


def test_an_opaque_picture_is_resized_as_one_without_alpha(rng):
    samples = rng.random((19, 23, 1), np.float32)
    opaque = np.concatenate([samples, np.ones_like(samples)], axis=2)
    resized = resize(opaque, (31, 10), has_alpha=True)
    assert resized[..., :1] == pytest.approx(resize(samples, (31, 10)), abs=2e-6)
    assert resized[..., 1] == pytest.approx(1, abs=1e-6)


def test_a_picture_that_is_wholly_transparent_becomes_black_and_stays_so(rng):
    samples = rng.random((9, 9, 4), np.float32)
    samples[..., 3] = 0
    assert not resize(samples, (20, 5), has_alpha=True).any()


@pytest.mark.parametrize(("dtype", "top"), [(U8, 255), (U16, 65535)])
def test_integers_are_the_rounded_floats(rng, dtype, top):
    samples = rng.integers(0, top + 1, (21, 17, 3)).astype(dtype)
    resized = resize(samples, (30, 12), dtype=dtype)
    assert resized.dtype == dtype
    exact = resize(samples, (30, 12)) * top
    assert np.abs(resized - exact).max() <= 0.51
