import numpy as np
import pytest

from pixelift.image.geometry import Box
from pixelift.image.resize import upscale
from pixelift.infer.engine import open_engine
from pixelift.infer.network import Network
from tests.fakes import write_model


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    card, path = write_model(tmp_path_factory.mktemp("model"), gain=0.0, width=4, depth=2)
    return Network(open_engine(card, path, precision="f32", threads=1))


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_part_of_the_enlarged_tile_is_kept_in_the_type_that_is_asked_for(
    rng, network, bands, dtype
):
    tile = rng.integers(0, 256, (12, 14, bands), dtype=np.uint8)
    keep = Box(6, 8, 10, 12)
    result = network.restore(tile, keep, has_alpha=bands in (2, 4), dtype=np.dtype(dtype))
    assert result.shape == (10, 12, bands)
    assert result.dtype == dtype


def test_colours_are_those_of_the_network(rng, network):
    tile = rng.random((12, 14, 3), np.float32)
    result = network.restore(tile, Box(6, 6, 8, 8), has_alpha=False, dtype=np.dtype(np.float32))
    assert np.allclose(result, np.clip(upscale(tile, 2), 0, 1)[6:14, 6:14], atol=1e-5)
    assert network.card.scale == network.engine.card.scale == 2
