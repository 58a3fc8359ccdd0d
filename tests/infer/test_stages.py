import numpy as np
import pytest

from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.rows import Header, Rows, collect, gather, picture_rows
from pixelift.infer import stages
from pixelift.infer.engine import open_engine
from pixelift.infer.network import Network
from pixelift.infer.stages import BAND_BYTES, band_height, choose_tile, enlarge_rows
from pixelift.infer.tiling import DEFAULT_TILE, LEAN_PIXELS
from tests.fakes import make_card, write_model

F32 = np.dtype(np.float32)
U8 = np.dtype(np.uint8)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    card, path = write_model(tmp_path_factory.mktemp("model"), width=4, depth=2)
    return Network(open_engine(card, path, precision="f32", threads=1))


def enlarged(rows, network, size, dtype=F32, tile=16, times=1):
    return gather(enlarge_rows(rows, [network] * times, size=size, dtype=dtype, tile=tile), dtype)


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize(
    ("size", "times"), [(Size(100, 60), 1), (Size(81, 55), 1), (Size(170, 100), 2)]
)
def test_rows_that_pass_by_give_the_very_picture_that_is_held_whole(
    rng, network, has_alpha, size, times
):
    pixels = rng.integers(0, 256, (50, 30, 3 + has_alpha), dtype=np.uint8)
    header = Header(Size(50, 30), 3, has_alpha=has_alpha)

    def rows(*heights):
        return Rows(header, iter(np.split(pixels, np.cumsum(heights)[:-1])))

    whole = enlarged(rows(50), network, size, times=times)
    passed = enlarged(rows(1, 9, 40), network, size, times=times)
    assert whole.shape == (size.height, size.width, 3 + has_alpha)
    assert np.array_equal(whole, passed)
    # 8 bits are the floats rounded, wherever the rounding is done.
    eight = enlarged(rows(7, 43), network, size, dtype=U8, times=times)
    assert np.array_equal(eight, np.floor(whole * np.float32(255) + np.float32(0.5)))


def test_low_bands_show_no_seam(rng, network, monkeypatch):
    picture = Picture(rng.random((90, 20, 3), np.float32))
    expected = enlarged(picture_rows(picture), network, Size(180, 40), tile=1000)
    monkeypatch.setattr(stages, "BAND_BYTES", 1)
    monkeypatch.setattr(stages, "LEAST_ROWS", 7)
    result = enlarged(picture_rows(picture), network, Size(180, 40), tile=1000)
    assert np.abs(result - expected).max() < 1e-5


def test_seams_of_transparent_pictures_do_not_show(rng, network):
    pixels = rng.random((60, 60, 3), np.float32)
    alpha = np.clip(rng.random((60, 60), np.float32) * 3 - 1, 0, 1)
    picture = Picture(pixels, alpha)

    def made(tile):
        rows = enlarge_rows(
            picture_rows(picture), [network], size=Size(120, 120), dtype=F32, tile=tile
        )
        return collect(rows)

    whole, tiled = made(1000), made(16)
    assert np.abs(whole.alpha - tiled.alpha).max() < 1e-5
    assert np.abs(whole.pixels - tiled.pixels)[whole.alpha > 0].max() < 1e-4


@pytest.mark.parametrize("width", [100, 3000, 30_000, 300_000])
def test_a_band_is_no_larger_than_told_unless_it_would_be_too_low(width):
    header = Header(Size(100_000, width), 3)
    rows = band_height(header, scale=4, dtype=U8, tile=256)
    assert rows <= 256
    assert rows <= stages.LEAST_ROWS or rows * width * 48 <= BAND_BYTES


class Noted:
    """A network that notes the tiles it is given."""

    def __init__(self, network, *, is_lean):
        self._network, self.card, self.shapes = network, network.card, []
        self.is_lean = lambda bands, dtype: is_lean and bands == 3 and dtype == U8

    def restore(self, lr, keep, **options):
        self.shapes.append(lr.shape)
        return self._network.restore(lr, keep, **options)


def test_all_bands_have_the_same_height(rng, network):
    pixels = rng.integers(0, 256, (50, 9, 3), dtype=np.uint8)
    noted = Noted(network, is_lean=False)
    rows = Rows(Header(Size(50, 9), 3), iter([pixels]))
    sr = gather(enlarge_rows(rows, [noted], size=Size(100, 18), dtype=U8, tile=17), U8)
    assert len(set(noted.shapes)) == 1
    assert len(noted.shapes) == 3
    whole = Rows(Header(Size(50, 9), 3), iter([pixels]))
    assert np.array_equal(sr, enlarged(whole, network, Size(100, 18), dtype=U8, tile=1000))


@pytest.mark.parametrize(
    ("is_lean", "bands", "kind", "tiles"),
    [
        (True, 3, U8, 1),
        (False, 3, U8, 2),
        (True, 4, U8, 2),  # alpha takes another way
        (True, 3, F32, 2),  # as floats do
    ],
)
def test_tiles_are_large_where_they_need_little_memory(rng, network, is_lean, bands, kind, tiles):
    pixels = rng.integers(0, 256, (40, 300, bands), dtype=np.uint8).astype(kind)
    pixels = pixels / kind.type(255) if kind == F32 else pixels
    noted = Noted(network, is_lean=is_lean)
    rows = Rows(Header(Size(40, 300), 3, has_alpha=bands == 4), iter([pixels]))
    sized = enlarge_rows(rows, [noted], size=Size(80, 600), dtype=U8, tile=None)
    gather(sized, U8)
    assert len(noted.shapes) == tiles


def test_a_large_tile_has_as_many_pixels_whatever_its_sides_are():
    for height, width in [(270, 480), (480, 270), (5000, 100), (3000, 4000)]:
        tile = choose_tile(Header(Size(height, width), 3), make_card(), is_lean=True)
        core = min(tile.height, height) * min(tile.width, width)
        assert min(Size(height, width).pixels, LEAN_PIXELS * 0.99) <= core <= LEAN_PIXELS
    usual = choose_tile(Header(Size(9, 9), 3), make_card(), is_lean=False)
    assert usual == Size(DEFAULT_TILE, DEFAULT_TILE)
