import numpy as np
import pytest
from PIL import Image

from pixelift.errors import ImageReadError
from pixelift.infer.auto import AutoUpscaler
from tests.fakes import write_model
from tests.prepared import natural_photo


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    for name in ("balanced", "photo"):
        write_model(tmp_path / "models", name=name, scale=2, gain=0.0, width=4, depth=2)


@pytest.fixture
def photos(tmp_path):
    pixels = natural_photo(np.random.default_rng(4), 240, 1000)
    Image.fromarray(pixels).save(tmp_path / "clean.png")
    Image.fromarray(pixels).save(tmp_path / "bad.jpg", quality=30)
    return tmp_path


def test_each_picture_gets_the_network_that_fits_it(photos):
    upscaler = AutoUpscaler(scale=2)
    for name, model, why in (
        ("clean.png", "balanced", "no blocks"),
        ("bad.jpg", "photo", "JPEG rounded it to steps of"),
        ("clean.png", "balanced", "no blocks"),
    ):
        chosen, told = upscaler.choose(photos / name)
        assert chosen.card.name == model
        assert chosen.scale == 2
        assert why in told
    assert upscaler.choose(photos / "bad.jpg")[0] is upscaler.choose(photos / "bad.jpg")[0]


def test_without_a_photo_network_all_pictures_get_the_clean_one(photos, monkeypatch):
    monkeypatch.setattr("pixelift.infer.auto.PHOTO_MODEL", "no-such")
    upscaler = AutoUpscaler(scale=2)
    assert upscaler.choose(photos / "bad.jpg") == (upscaler, "there is no no-such model")


def test_a_bad_file_is_refused_as_elsewhere(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ImageReadError, match="cannot read"):
        AutoUpscaler(scale=2).choose(tmp_path / "bad.png")
