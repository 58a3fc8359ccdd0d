import pickle

import numpy as np
import pytest

from pixelift.errors import UnknownNameError
from pixelift.infer import restorer as restorer_module
from pixelift.infer.restorer import Restorer
from tests.fakes import write_model

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    restorer_module._open.cache_clear()
    yield write_model(tmp_path / "models", scale=2, gain=0.0, width=4, depth=2)
    restorer_module._open.cache_clear()


def test_it_makes_floats_of_the_larger_size_from_bytes(rng, frozen):
    lr = frozen(rng.integers(0, 256, (10, 14, 3), dtype=np.uint8))
    sr = Restorer("fake", 2)(lr)
    assert (sr.shape, sr.dtype) == ((20, 28, 3), np.float32)
    assert 0 <= sr.min() <= sr.max() <= 1
    grey = frozen(np.full((10, 14, 3), 100, np.uint8))
    assert Restorer("fake", 2)(grey) == pytest.approx(np.full(sr.shape, 100 / 255), abs=1e-3)


def test_it_is_loaded_once_and_does_not_travel_with_the_network(rng, monkeypatch):
    opened = []
    original = restorer_module.Upscaler
    monkeypatch.setattr(
        restorer_module, "Upscaler", lambda *a, **k: opened.append(k) or original(*a, **k)
    )
    lr = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    restore = Restorer("fake", 2)
    first = restore(lr)
    packed = pickle.dumps(restore)
    assert len(packed) < 300
    assert np.array_equal(pickle.loads(packed)(lr), first)
    assert [k["threads"] for k in opened] == [1]


def test_a_name_that_does_not_exist_is_told_when_it_is_opened():
    with pytest.raises(UnknownNameError, match="nothing"):
        Restorer("nothing", 2).open()
