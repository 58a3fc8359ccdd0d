"""The tiling oracle: integer engines, so that tiled and whole are equal bit for bit or wrong."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import OutOfMemoryError
from pixelift.image.geometry import Margins, Size
from pixelift.infer import tiling
from pixelift.infer.tiling import MINIMUM_TILE, plan_tiles
from tests.fakes import make_card, run_tiled


class WindowSum:
    """An engine of known radius: every output pixel is the weighted sum of a window.

    Outside of what it is given it sees zeros, as convolutions do. No two places of the window
    have the same weight, so that a shifted or flipped neighbourhood gives another sum.
    """

    def __init__(self, *, radius, scale):
        self.radius, self.scale, self.shapes = radius, scale, []

    def __call__(self, lr):
        self.shapes.append(lr.shape)
        r, side = self.radius, 2 * self.radius + 1
        padded = np.pad(lr, ((0, 0), (0, 0), (r, r), (r, r)))
        weights = (np.arange(side * side) ** 2 + 1).reshape(side, side)
        height, width = lr.shape[2:]
        total = sum(
            weights[i, j] * padded[..., i : i + height, j : j + width]
            for i in range(side)
            for j in range(side)
        )
        phases = np.arange(1, self.scale**2 + 1).reshape(self.scale, self.scale)
        return np.kron(total, phases)


class Limited(WindowSum):
    """Runs out of memory above a number of pixels, and on single calls."""

    def __init__(self, *, radius, scale, pixels=10**9, fails_at=(), error=OutOfMemoryError):
        super().__init__(radius=radius, scale=scale)
        self.pixels, self.fails_at, self.error = pixels, fails_at, error

    def __call__(self, lr):
        result = super().__call__(lr)
        if lr.shape[2] * lr.shape[3] > self.pixels or len(self.shapes) - 1 in self.fails_at:
            raise self.error("no memory")
        return result


def picture(height, width, channels=3):
    count = height * width * channels
    image = np.random.default_rng(count).permutation(count).reshape(height, width, channels)
    image.flags.writeable = False
    return image


def whole(engine, image, margin):
    """The truth: pad the whole picture, run the engine once, cut the padding off."""
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    result = engine(padded.transpose(2, 0, 1)[None])[0].transpose(1, 2, 0)
    border = margin * engine.scale
    height, width = (n * engine.scale for n in image.shape[:2])
    return result[border : border + height, border : border + width]


sides = st.integers(1, 23)
scales = st.integers(1, 4)
tiles = st.integers(1, 30)


@given(sides, sides, st.sampled_from([1, 3]), scales, tiles, st.integers(0, 3), st.integers(0, 9))
def test_tiled_equals_whole(height, width, channels, scale, tile, radius, more):
    engine = WindowSum(radius=radius, scale=scale)
    image = picture(height, width, channels)
    expected = whole(engine, image, radius)
    result = run_tiled(engine, image, scale=scale, halo=radius + more, tile=tile)
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 2), (1, 9)])
def test_pictures_smaller_than_the_halo_are_mirrored_again_and_again(size):
    engine = WindowSum(radius=5, scale=2)
    image = picture(*size)
    assert np.array_equal(run_tiled(engine, image, scale=2, halo=11), whole(engine, image, 5))


@pytest.mark.parametrize("tile", [5, 8, 11])
def test_a_halo_below_the_radius_is_noticed(tile):
    engine = WindowSum(radius=3, scale=2)
    image = picture(16, 17)
    expected = whole(engine, image, 3)
    for halo in (0, 1, 2):
        assert not np.array_equal(run_tiled(engine, image, scale=2, halo=halo, tile=tile), expected)


@given(sides, sides, tiles, st.integers(0, 5))
def test_all_tiles_have_the_same_shape(height, width, tile, halo):
    engine = WindowSum(radius=0, scale=1)
    run_tiled(engine, picture(height, width), scale=1, halo=halo, tile=tile)
    assert len(set(engine.shapes)) == 1
    assert max(engine.shapes[0][2:]) <= tile + 2 * halo


@given(sides, sides, tiles, st.integers(0, 5))
def test_cores_cover_every_pixel_once(height, width, tile, halo):
    size = Size(height, width)
    count = np.zeros((height, width), int)
    for part in plan_tiles(size, tile=tile, halo=halo):
        count[part.core.slices] += 1
    assert (count == 1).all()


def test_every_pixel_comes_from_its_own_place():
    class Coordinates:
        """Returns what it is given, and that is where each pixel comes from."""

        scale = 1

        def __call__(self, lr):
            return lr

    rows, columns = np.mgrid[:37, :53]
    image = np.stack([rows, columns, rows * 0], axis=2)
    assert np.array_equal(run_tiled(Coordinates(), image, scale=1, halo=4, tile=10), image)


@given(st.integers(17, 60), st.integers(17, 60), scales, st.integers(400, 4000))
def test_out_of_memory_gives_smaller_tiles_and_the_same_result(height, width, scale, pixels):
    engine = Limited(radius=2, scale=scale, pixels=pixels)
    image = picture(height, width)
    expected = whole(WindowSum(radius=2, scale=scale), image, 2)
    result = run_tiled(engine, image, scale=scale, halo=2, tile=64)
    assert np.array_equal(result, expected)


@given(st.integers(33, 50), st.integers(51, 70), st.integers(0, 9))
def test_out_of_memory_half_way_leaves_no_stale_and_no_missing_tile(height, width, call):
    engine = Limited(radius=1, scale=2, fails_at={call})
    image = picture(height, width)
    expected = whole(WindowSum(radius=1, scale=2), image, 1)
    assert np.array_equal(run_tiled(engine, image, scale=2, halo=1, tile=32), expected)


@pytest.mark.parametrize("error", [OutOfMemoryError, MemoryError])
def test_memory_that_is_never_enough_is_told_with_advice(error):
    engine = Limited(radius=1, scale=2, pixels=0, error=error)
    with pytest.raises(OutOfMemoryError, match=r"16 pixels.*100x80.*Close other programs"):
        run_tiled(engine, picture(80, 100), scale=2, halo=1, tile=512)
    # 100 pixels at once, then 50, 25 and the smallest: no attempt that has just failed is repeated.
    assert [shape[2] for shape in engine.shapes] == [82, 42, 22, MINIMUM_TILE + 2]


@given(sides, sides, scales, tiles, st.integers(0, 3), st.data())
def test_a_band_with_its_context_is_that_part_of_the_whole(
    height, width, scale, tile, radius, data
):
    engine = WindowSum(radius=radius, scale=scale)
    image = picture(height, width)
    top = data.draw(st.integers(0, height - 1))
    bottom = data.draw(st.integers(top + 1, height))
    low, high = max(0, top - radius), min(height, bottom + radius)
    band = run_tiled(
        engine,
        image[low:high],
        scale=scale,
        halo=radius,
        tile=tile,
        context=Margins(top=top - low, bottom=high - bottom),
    )
    assert np.array_equal(band, whole(engine, image, radius)[top * scale : bottom * scale])


def test_a_result_that_does_not_fit_is_told():
    image = np.broadcast_to(np.float32(0), (2**20, 2**20, 3))
    with pytest.raises(OutOfMemoryError, match="result of 4194304x4194304"):
        run_tiled(WindowSum(radius=0, scale=4), image, scale=4, halo=0)


def test_an_error_of_another_kind_ends_the_work():
    engine = Limited(radius=1, scale=1, fails_at={2}, error=ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        run_tiled(engine, picture(20, 20), scale=1, halo=1, tile=8)
    assert len(engine.shapes) == 3


@pytest.mark.parametrize(
    ("size", "tile", "halo"), [(Size(0, 3), 4, 1), (Size(3, 3), 0, 1), (Size(3, 3), 4, -1)]
)
def test_a_plan_that_makes_no_sense_is_refused(size, tile, halo):
    with pytest.raises(ValueError, match="no tiles"):
        plan_tiles(size, tile=tile, halo=halo)


def test_progress_is_told_after_each_tile():
    told = []
    image = picture(20, 9)
    run_tiled(
        WindowSum(radius=1, scale=1),
        image,
        scale=1,
        halo=1,
        tile=8,
        progress=told.append,
    )
    assert told == pytest.approx([n / 6 for n in range(1, 7)])


def test_progress_that_raises_ends_the_work():
    engine = WindowSum(radius=1, scale=1)

    def stop(share):
        if share > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_tiled(engine, picture(20, 20), scale=1, halo=1, tile=8, progress=stop)
    assert len(engine.shapes) == 2


def test_tiles_of_wide_networks_are_smaller():
    cards = [
        msgspec.structs.replace(make_card(scale=4), radius=depth + 2, macs_per_pixel=macs)
        for depth, macs in ((6, 71_184), (16, 620_400), (32, 20_000_000))
    ]
    sides = [tiling.suitable_tile(card) for card in cards]
    assert sides[0] == tiling.DEFAULT_TILE
    assert 200 < sides[1] < tiling.DEFAULT_TILE
    assert tiling.MINIMUM_TILE < sides[2] < sides[1]
    pixels = [tiling.lean_pixels(card) for card in cards]
    assert pixels[0] == tiling.LEAN_PIXELS
    assert pixels[2] < pixels[1] <= tiling.LEAN_PIXELS


def test_no_network_gets_less_than_the_smallest_tile():
    huge = msgspec.structs.replace(make_card(scale=4), radius=1024, macs_per_pixel=10**14)
    assert tiling.suitable_tile(huge) == tiling.MINIMUM_TILE
    assert tiling.lean_pixels(huge) == tiling.MINIMUM_TILE**2


def test_a_single_tile_is_handed_on_without_a_copy():
    made = []

    def restore(lr, keep):
        made.append(lr[keep.slices].copy())
        return made[-1]

    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    result = tiling.run_tiled(restore, image, scale=1, halo=2, tile=64)
    assert result is made[0]
    assert np.array_equal(result, image)
