import numpy as np
import pytest

from pixelift.image.dihedral import DIHEDRAL, transform
from pixelift.infer.ensemble import EnsembleEngine, SpreadEngine
from pixelift.infer.tiling import run_tiled
from tests.fakes import make_card


class Lopsided:
    """Gives each pixel the sum of itself and its right neighbour, twice as large: it has a side."""

    card = make_card(scale=2, depth=1)
    name = "openvino"
    precision = "f32"

    def __call__(self, lr):
        right = np.pad(lr, ((0, 0), (0, 0), (0, 0), (0, 1)))[..., 1:]
        return (lr + right).repeat(2, axis=2).repeat(2, axis=3)


class Even(Lopsided):
    """Repeats every pixel."""

    def __call__(self, lr):
        return lr.repeat(2, axis=2).repeat(2, axis=3)


@pytest.fixture
def lr(rng, frozen):
    return frozen(rng.random((1, 3, 6, 9), dtype=np.float32))


def test_an_engine_without_a_side_is_its_own_ensemble(lr):
    assert np.allclose(EnsembleEngine(Even())(lr), Even()(lr), atol=1e-6)


def test_the_ensemble_turns_with_the_picture(lr):
    ensemble = EnsembleEngine(Lopsided())
    image, sr = lr[0].transpose(1, 2, 0), ensemble(lr)[0].transpose(1, 2, 0)
    for code in DIHEDRAL:
        turned = np.ascontiguousarray(transform(image, code).transpose(2, 0, 1)[None])
        assert np.allclose(ensemble(turned)[0].transpose(1, 2, 0), transform(sr, code), atol=1e-6)
    assert not np.allclose(Lopsided()(lr), ensemble(lr), atol=1e-3)


def test_the_ensemble_promises_what_its_engine_does():
    ensemble = EnsembleEngine(Even())
    assert (ensemble.card, ensemble.name, ensemble.precision) == (Even.card, "openvino", "f32")


def test_tiles_of_the_ensemble_are_those_of_the_whole(rng):
    image = rng.random((13, 17, 3), dtype=np.float32)

    def restore(tile, keep):
        sr = EnsembleEngine(Lopsided())(np.ascontiguousarray(tile.transpose(2, 0, 1)[None]))
        return sr[0].transpose(1, 2, 0)[keep.slices]

    whole = run_tiled(restore, image, scale=2, halo=1, tile=64)
    assert np.allclose(run_tiled(restore, image, scale=2, halo=1, tile=4), whole, atol=1e-6)


def test_the_spread_is_the_standard_deviation_of_the_eight(lr):
    both = SpreadEngine(Lopsided())(lr)
    assert both.shape == (1, 4, 12, 18)
    assert np.allclose(both[:, :3], EnsembleEngine(Lopsided())(lr), atol=1e-6)
    image = lr[0].transpose(1, 2, 0)
    weights = np.array([0.299, 0.587, 0.114])
    eight = []
    for code in DIHEDRAL:
        turned = np.ascontiguousarray(transform(image, code).transpose(2, 0, 1)[None])
        sr = Lopsided()(turned)[0].transpose(1, 2, 0)
        back = [c for c in DIHEDRAL if np.array_equal(transform(transform(image, code), c), image)]
        eight.append(transform(sr, back[0]) @ weights)
    assert np.allclose(both[0, 3], np.std(eight, axis=0), atol=1e-4)


def test_what_needs_no_guess_has_no_spread(lr):
    assert SpreadEngine(Even())(lr)[0, 3].max() < 1e-6
