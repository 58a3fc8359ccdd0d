import importlib.util

import numpy as np
import pytest

from pixelift.errors import OutOfMemoryError
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.rows import collect, gather, picture_rows
from pixelift.infer.cells import BLOCK, CELL, FADE, block_size
from pixelift.infer.engine import open_engine, samples_by_planes
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)

NEVER, ALWAYS = 1.0, 0.0


class Asked:
    """An engine that notes what it is asked, and fails where it is told to."""

    lean = ()

    def __init__(self, engine, limit=None):
        self._engine, self._limit = engine, limit
        self.card, self.name, self.precision = engine.card, engine.name, engine.precision
        self.shapes = []

    def __call__(self, lr):
        if self._limit and lr.shape[2] * lr.shape[3] > self._limit:
            raise OutOfMemoryError("too large")
        self.shapes.append(lr.shape[2:])
        return self._engine(lr)

    def samples(self, lr, *, keep):
        return samples_by_planes(self, lr, keep)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """A small and a larger network for x2 that differ visibly; float32, as tiles are compared."""
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name, options in {
        "cheap": {"width": 4, "depth": 4, "seed": 1},
        "best": {"width": 8, "depth": 4, "seed": 2, "gain": 2},
        "luma": {"width": 4, "depth": 2, "channels": 1},
        "x3": {"width": 4, "depth": 2, "scale": 3},
    }.items():
        card, path = write_model(folder, name=name, **({"scale": 2} | options))
        made[name] = open_engine(card, path, precision="f32", threads=1)
    return made


@pytest.fixture(scope="module")
def photo():
    """A picture with noise in the middle and plain slopes around it, larger than a block."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:290, :340].astype(np.float32)
    picture = np.stack([rows / 400, columns / 400, (rows + columns) / 800], axis=2)
    noise = rng.random((140, 150, 3), dtype=np.float32)
    picture[90:230, 60:210] = noise
    picture.flags.writeable = False
    return picture


def route(engines, *, spared=0.5, cheap="cheap"):
    return Router(Network(engines[cheap]), Network(engines["best"]), spared=spared)


def run(router, samples, dtype=np.float32, tile=256):
    rows = picture_rows(Picture(samples))
    return gather(router.rows(rows, dtype=np.dtype(dtype), tile=tile), np.dtype(dtype))


def plain(engine, samples):
    halo = 8
    padded = np.pad(samples, ((halo, halo), (halo, halo), (0, 0)), mode="symmetric")
    sr = engine(np.ascontiguousarray(padded.transpose(2, 0, 1)[None]))[0].transpose(1, 2, 0)
    return np.clip(sr[2 * halo : -2 * halo, 2 * halo : -2 * halo], 0, 1)


def test_the_best_network_gets_the_cells_with_detail_and_no_others(engines, photo):
    decision = route(engines).decide(photo)
    assert decision.is_best.shape == (7, 8)
    has_noise = np.zeros((7, 8), bool)
    has_noise[90 // CELL : 229 // CELL + 1, 60 // CELL : 209 // CELL + 1] = True
    assert not (decision.is_best & ~has_noise).any()
    assert decision.is_best[2:4, 2:4].all()
    pixels = decision.is_best.repeat(CELL, 0).repeat(CELL, 1)[:290, :340]
    assert np.isclose(decision.share, pixels.mean())


def test_a_plain_picture_is_left_to_the_cheap_network(engines):
    assert route(engines, spared=0).decide(np.full((60, 60, 3), 0.4, np.float32)).share == 0


@pytest.mark.parametrize(("spared", "name"), [(NEVER, "cheap"), (ALWAYS, "best")])
def test_where_all_cells_agree_the_result_is_that_of_one_network(engines, spared, name):
    noise = np.random.default_rng(1).random((260, 250, 3), dtype=np.float32)
    difference = np.abs(run(route(engines, spared=spared), noise) - plain(engines[name], noise))
    # The best network sees half of its radius beyond a block: rows and columns there may differ.
    inside = np.ones(difference.shape[:2], bool)
    if name == "best":
        block = block_size(Size(260, 250))
        inside[2 * block.height - 8 : 2 * block.height + 8] = False
        inside[:, 2 * block.width - 8 : 2 * block.width + 8] = False
        inside[:8] = inside[-8:] = inside[:, :8] = inside[:, -8:] = False
    assert difference[inside].max() < 1e-5


def test_cells_of_each_network_are_its_own_but_for_a_seam(engines, photo):
    router = route(engines)
    is_best = router.decide(photo).is_best
    sr = run(router, photo)
    cheap, best = plain(engines["cheap"], photo), plain(engines["best"], photo)
    pixels = is_best.repeat(2 * CELL, 0).repeat(2 * CELL, 1)[:580, :680]
    assert np.abs(sr - cheap)[~pixels].max() < 1e-5
    row, column = next(zip(*np.nonzero(is_best), strict=True))
    middle = np.s_[
        2 * (row * CELL + FADE + 4) : 2 * ((row + 1) * CELL - FADE - 4),
        2 * (column * CELL + FADE + 4) : 2 * ((column + 1) * CELL - FADE - 4),
    ]
    assert np.abs(sr - best)[middle].max() < 1e-4
    assert np.abs(cheap - best)[middle].max() > 0.05


def test_the_seam_lies_between_both_networks(engines, photo):
    router = route(engines)
    router.context = router.faded_context = engines["best"].card.radius
    sr = run(router, photo)
    cheap, best = plain(engines["cheap"], photo), plain(engines["best"], photo)
    low, high = np.minimum(cheap, best), np.maximum(cheap, best)
    assert (sr - high).max() < 1e-5
    assert (low - sr).max() < 1e-5


def test_the_result_does_not_depend_on_how_the_picture_comes_in(engines, photo):
    router = route(engines)
    whole = run(router, photo)
    for heights in ([290], [100, 190], [1] * 290):
        rows = picture_rows(Picture(photo))
        bands = iter(np.split(photo, np.cumsum(heights)[:-1]))
        again = gather(
            router.rows(type(rows)(rows.header, bands), dtype=np.dtype(np.float32), tile=256),
            np.dtype(np.float32),
        )
        assert np.array_equal(again, whole)


def test_a_cell_in_the_middle_of_a_moved_picture_is_the_same(engines, photo):
    # Some cells further down and right: the same grid, so the same pixels away from the borders.
    moved = np.pad(photo, ((BLOCK * CELL, 0), (BLOCK * CELL, 0), (0, 0)), mode="symmetric")
    router = route(engines, spared=ALWAYS)
    router.context = router.faded_context = engines[
        "best"
    ].card.radius  # else it would see where blocks end
    whole, part = run(router, photo), run(router, moved)
    start = 2 * BLOCK * CELL
    assert np.allclose(part[start + 40 :, start + 40 :], whole[40:, 40:], atol=1e-5)


def test_integers_come_out_rounded(engines, photo):
    u8 = np.round(photo * 255).astype(np.uint8)
    rows = picture_rows(Picture(photo))
    result = gather(
        route(engines).rows(
            type(rows)(rows.header, iter([u8])), dtype=np.dtype(np.uint8), tile=256
        ),
        np.dtype(np.uint8),
    )
    floats = run(route(engines), u8 / np.float32(255))
    assert np.abs(result / 255 - floats).max() < 1.01 / 255


def test_alpha_and_grey_take_the_same_way(engines, photo):
    alpha = np.ones((290, 340), np.float32)
    alpha[:, :40] = 0.2
    router = route(engines)
    router.context = router.faded_context = engines[
        "best"
    ].card.radius  # else more context, for the alpha, would tell
    picture = picture_rows(Picture(photo, alpha))
    whole = collect(router.rows(picture, dtype=np.dtype(np.float32), tile=256))
    assert whole.alpha is not None
    assert np.ptp(whole.alpha) > 0.7
    far = np.s_[:, 2 * 80 :]
    assert np.abs(whole.pixels - run(router, photo))[far].max() < 1e-5
    grey = run(route(engines), photo[..., :1])
    assert grey.shape == (580, 680, 1)


def test_networks_of_luma_and_of_colour_go_together(engines, photo):
    router = route(engines, cheap="luma")
    assert router.card.channels == "rgb"
    assert run(router, photo).shape == (580, 680, 3)


def test_networks_of_different_scales_do_not(engines):
    with pytest.raises(ValueError, match="do not go together"):
        route(engines, cheap="x3")


def test_less_memory_makes_smaller_blocks_and_then_an_error(engines, photo):
    few = Asked(engines["best"], limit=120 * 120)
    result = run(Router(Network(engines["cheap"]), Network(few), spared=ALWAYS), photo)
    assert max(h * w for h, w in few.shapes) <= 120 * 120
    assert np.abs(result - run(route(engines, spared=ALWAYS), photo)).mean() < 1e-3
    none = Asked(engines["best"], limit=100)
    with pytest.raises(OutOfMemoryError, match="--effort low"):
        run(Router(Network(engines["cheap"]), Network(none), spared=ALWAYS), photo)


def test_the_cheap_network_is_not_asked_for_what_the_best_makes_alone(engines):
    noise = np.random.default_rng(1).random((250, 250, 3), dtype=np.float32)
    cheap = Asked(engines["cheap"])
    run(Router(Network(cheap), Network(engines["best"]), spared=ALWAYS), noise)
    assert cheap.shapes == []


def test_the_cheap_network_meets_one_size_only(engines, rng):
    cheap = Asked(engines["cheap"])
    photo = rng.random((500, 260, 3), dtype=np.float32)
    photo[:, 130:] = 0.5
    run(Router(Network(cheap), Network(engines["best"]), spared=0.4), photo)
    assert len(cheap.shapes) > 2
    assert len(set(cheap.shapes)) == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 50), (49, 97)])
def test_pictures_of_any_size(engines, size, rng):
    picture = rng.random((*size, 3), dtype=np.float32)
    for spared in (NEVER, 0.4, ALWAYS):
        sr = run(route(engines, spared=spared), picture)
        assert sr.shape == (2 * size[0], 2 * size[1], 3)
        assert np.isfinite(sr).all()
