import importlib.util

import numpy as np
import pytest

from pixelift.infer.cells import CELL
from pixelift.infer.engine import open_engine
from pixelift.infer.explain import BEST, CHEAP, explain
from pixelift.infer.network import Network
from pixelift.infer.route import Router
from tests.fakes import write_model

if not any(map(importlib.util.find_spec, ("openvino", "onnxruntime"))):
    pytest.skip("no engine is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def router(tmp_path_factory):
    card, path = write_model(tmp_path_factory.mktemp("models"), scale=2, width=4, depth=2)
    network = Network(open_engine(card, path, threads=1))
    return Router(network, network, spared=0.1)


def test_cells_have_the_colour_of_what_made_them_and_a_white_line_between(router, rng):
    lr = np.zeros((2 * CELL, 4 * CELL, 3), np.uint8)
    lr[:, 2 * CELL :] = rng.integers(0, 2, (2 * CELL, 2 * CELL, 1)) * 255
    drawn = explain(router, lr).pixels[: 2 * CELL, : 4 * CELL]
    left, right = drawn[10:80, 10:80].reshape(-1, 3), drawn[10:80, -80:-10].reshape(-1, 3)
    assert np.allclose(left, 0.4 * np.array(CHEAP), atol=1e-6)
    assert np.allclose(right.min(axis=0), 0.4 * np.array(BEST), atol=1e-6)
    assert (drawn[:, 2 * CELL - 1] == 1).all()


@pytest.mark.parametrize("size", [(1, 1, 1), (50, 7, 3), (7, 300, 1)])
def test_pictures_of_any_size_and_grey_ones_are_drawn(router, rng, size):
    drawn = explain(router, rng.integers(0, 256, size, dtype=np.uint8)).pixels
    assert drawn.shape[0] > size[0]
    assert drawn.shape[2] == 3
    assert 0 <= drawn.min() <= drawn.max() <= 1
