from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import Plan, Resize
from pixelift.errors import ConfigError, ImageReadError
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture, read_u8
from pixelift.image.rows import Header, Rows
from pixelift.infer.auto import refuse_auto
from pixelift.infer.once import upscale
from pixelift.infer.restorer import Restorer
from pixelift.infer.timing import usable, usual
from pixelift.infer.upscaler import Upscaler
from tests.fakes import write_model


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    for name, gain in (("balanced", 0.0), ("photo", 0.1)):
        write_model(tmp_path / "models", name=name, scale=2, gain=gain, width=4, depth=2)


def shrunk(kernel):
    photo = read_u8(Path(__file__).parents[2] / "examples" / "great_hall.jpg")
    plan = Plan(scale=4, steps=(Resize(hr_per_px=4.0, kernel=kernel),))
    return Image.fromarray(apply_plan(photo, plan))


@pytest.fixture
def photos(tmp_path):
    shrunk("cubic").save(tmp_path / "clean.png")
    shrunk("bare-cubic").save(tmp_path / "crisp.png")
    shrunk("cubic").save(tmp_path / "bad.jpg", quality=30)
    return tmp_path


def test_each_picture_gets_the_network_that_fits_it(photos):
    upscaler = Upscaler(scale=2)
    for name, model, why in (
        ("clean.png", "balanced", "no blocks"),
        ("bad.jpg", "photo", "JPEG rounded it to steps of"),
        ("clean.png", "balanced", "no blocks"),
    ):
        chosen, told = upscaler.choose(photos / name)
        assert chosen.card.name == model
        assert chosen.scale == 2
        assert why in told
    networks = [upscaler.choose(photos / "bad.jpg")[0].network for _ in range(2)]
    assert networks[0] is networks[1]


def test_without_a_photo_network_all_pictures_get_the_clean_one(photos, monkeypatch):
    monkeypatch.setattr("pixelift.infer.auto.PHOTO_MODEL", "no-such")
    upscaler = Upscaler(scale=2)
    chosen, told = upscaler.choose(photos / "bad.jpg")
    assert chosen.card.name == "balanced"
    assert "JPEG rounded it to steps of" in told


def test_a_picture_that_is_too_crisp_is_softened_first(photos):
    upscaler = Upscaler(scale=2)
    pixels = np.asarray(Image.open(photos / "crisp.png"))
    chosen, told = upscaler.choose(photos / "crisp.png")
    share = float(told.rpartition(" ")[2])
    assert "softened by" in told
    assert chosen.card.name == "balanced"
    assert (chosen.upscale(pixels) != Upscaler("balanced", scale=2).upscale(pixels)).any()
    by_hand = Upscaler("balanced", scale=2, soften=share).upscale(pixels)
    assert (chosen.upscale(pixels) == by_hand).all()
    # And the one before is as it was.
    clean = np.asarray(Image.open(photos / "clean.png"))
    as_it_was = upscaler.choose(photos / "clean.png")[0].upscale(clean)
    assert (as_it_was == Upscaler("balanced", scale=2).upscale(clean)).all()


def test_softening_can_be_left_out_and_be_had_with_any_network(photos):
    assert "softened" not in Upscaler(scale=2, soften=0.0).choose(photos / "crisp.png")[1]
    upscaler = Upscaler("photo", scale=2, soften="auto")
    chosen, told = upscaler.choose(photos / "crisp.png")
    assert chosen.card.name == "photo"
    assert "softened by" in told
    assert upscaler.choose(photos / "bad.jpg")[1] == "not softened"


def test_bytes_are_looked_at_as_files_are(photos):
    upscaler = Upscaler(scale=2)
    for name in ("clean.png", "bad.jpg"):
        path = photos / name
        by_bytes, by_path = upscaler.choose(path.read_bytes()), upscaler.choose(path)
        assert (by_bytes[0].card.name, by_bytes[1]) == (by_path[0].card.name, by_path[1])


KINDS = {
    "array": lambda path: np.asarray(Image.open(path)),
    "floats": lambda path: np.asarray(Image.open(path)) / np.float32(255),
    "bytes": Path.read_bytes,
    "Picture": read_picture,
}


@pytest.mark.parametrize("read", KINDS.values(), ids=KINDS)
def test_what_programs_hold_is_looked_at_as_files_are(photos, read):
    upscaler = Upscaler(scale=2)
    for name in ("clean.png", "crisp.png", "bad.jpg"):
        image = read(photos / name)
        found, told = upscaler.choose(photos / name)
        assert same(upscaler.upscale(image), found.upscale(image)), told
        assert same(upscale(image, scale=2), found.upscale(image))


def same(one, other):
    one, other = (getattr(image, "pixels", image) for image in (one, other))
    return one == other if isinstance(one, bytes) else np.array_equal(one, other)


def test_rows_that_pass_by_are_looked_at_once_and_none_is_lost():
    upscaler = Upscaler(scale=2)
    header = Header(Size(1000, 200), 3)
    tall = np.random.default_rng(0).integers(0, 256, (1000, 200, 3), dtype=np.uint8)
    bands = (tall[top : top + 100] for top in range(0, 1000, 100))
    made = list(upscaler.rows(Rows(header, bands), dtype=np.uint8).bands)
    # Noise: the photo network's.
    assert np.array_equal(np.concatenate(made), Upscaler("photo", scale=2).upscale(tall))


def test_a_bad_file_is_refused_as_elsewhere(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ImageReadError, match="cannot read"):
        Upscaler(scale=2).choose(tmp_path / "bad.png")


def test_what_wants_one_network_for_all_pictures_refuses_auto(tmp_path):
    for work in (
        lambda: Restorer("auto", scale=2, threads=1).open(),
        lambda: usable("auto", scale=2),
        lambda: usual("auto", scale=2),
    ):
        with pytest.raises(ConfigError, match=r'model "auto" looks at each picture, and a .* one'):
            work()
    refuse_auto("photo", "a film")
    refuse_auto(tmp_path, "a film")


@pytest.mark.parametrize("options", [{}, {"model": "balanced"}])
def test_a_share_that_is_asked_for_is_given_whatever_network_is_chosen(photos, options):
    for name in ("clean.png", "bad.jpg"):
        given = Upscaler(scale=2, soften=0.1, **options).choose(photos / name)[0]
        by_hand = Upscaler(given.card.name, scale=2, soften=0.1)
        pixels = np.asarray(Image.open(photos / name))
        assert np.array_equal(given.upscale(pixels), by_hand.upscale(pixels))


def test_a_named_network_looks_at_nothing(tmp_path):
    upscaler = Upscaler("balanced", scale=2)
    # Not even whether the file is there.
    assert upscaler.choose(tmp_path / "none.png") == (upscaler, None)


def test_what_an_upscaler_that_looks_says_of_itself_is_about_clean_pictures(photos):
    upscaler = Upscaler(scale=2)
    assert (upscaler.card.name, upscaler.scale) == ("balanced", 2)
    assert upscaler.choose(photos / "bad.jpg")[0].card.name == "photo"
    assert upscaler.card.name == "balanced"


def test_an_effort_chooses_among_the_networks_for_clean_pictures_and_softens(photos):
    chosen, told = Upscaler(scale=2, effort="low").choose(photos / "bad.jpg")
    assert chosen.card.name != "photo"
    assert told == "not softened"
    assert "softened by" in Upscaler(scale=2, effort="low").choose(photos / "crisp.png")[1]
