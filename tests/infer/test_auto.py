import numpy as np
import pytest

from pixelift.degrade.jpeg import compress_jpeg
from pixelift.image.depth import to_float
from pixelift.image.picture import Picture
from pixelift.infer.auto import AutoUpscaler
from tests.fakes import write_model
from tests.prepared import natural_photo


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    for name in ("balanced", "photo"):
        write_model(tmp_path / "models", name=name, scale=2, gain=0.0, width=4, depth=2)
    write_model(tmp_path / "models", name="balanced", scale=4, gain=0.0, width=4, depth=2)
    return tmp_path


@pytest.fixture(scope="module")
def photo():
    return natural_photo(np.random.default_rng(4), 240, 256)


def test_each_picture_gets_the_network_that_fits_it(home, photo):
    upscaler = AutoUpscaler(scale=2)
    clean = Picture(to_float(photo))
    bad = Picture(to_float(compress_jpeg(photo, quality=30, halves_colour=True)))
    for picture, name, why in (
        (clean, "balanced", "no blocks"),
        (bad, "photo", "JPEG rounded it to steps of"),
        (clean, "balanced", "no blocks"),
    ):
        sr = upscaler.picture(picture)
        assert sr.size == picture.size.scaled(2)
        assert upscaler.card.name == name
        assert why in upscaler.why


def test_without_a_photo_network_of_the_scale_all_pictures_get_the_clean_one(
    home, photo, monkeypatch
):
    for card in (home / "models").glob("photo_*"):
        card.unlink()
    monkeypatch.setattr("pixelift.infer.auto.PHOTO_MODEL", "no-such-model")
    upscaler = AutoUpscaler(scale=2)
    bad = compress_jpeg(photo, quality=30, halves_colour=True)
    upscaler.picture(Picture(to_float(bad)))
    assert upscaler.card.name == "balanced"
    assert upscaler.why == "there is no no-such-model model for x2"


def test_the_scale_is_4_unless_told(home):
    assert AutoUpscaler().scale == 4
