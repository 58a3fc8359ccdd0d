from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import Plan, Resize, Sharpen
from pixelift.errors import ConfigError, ImageReadError
from pixelift.image.depth import to_float
from pixelift.image.geometry import Size
from pixelift.image.read import read_picture, read_u8
from pixelift.image.rows import Header, Rows
from pixelift.infer.auto import CHANGED_MAX, changed_share, refuse_auto
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
    # Nobody trained these to give a clean picture back: they change nearly a third of the contrast
    # of this one, and a little more of the aliased one.
    monkeypatch.setattr("pixelift.infer.auto.CHANGED_MAX", 0.305)


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


def test_what_the_photo_network_would_change_much_goes_to_it(photos):
    upscaler = Upscaler(scale=2)
    chosen, told = upscaler.choose(photos / "crisp.png")
    assert chosen.card.name == "photo"
    assert told == "photo would change 33% of its contrast"
    assert upscaler.choose(photos / "clean.png")[1].endswith(
        ", photo would change 28% of its contrast"
    )


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


def test_a_named_network_looks_at_nothing(tmp_path):
    upscaler = Upscaler("balanced", scale=2)
    # Not even whether the file is there.
    assert upscaler.choose(tmp_path / "none.png") == (upscaler, None)


def test_what_an_upscaler_that_looks_says_of_itself_is_about_clean_pictures(photos):
    upscaler = Upscaler(scale=2)
    assert (upscaler.card.name, upscaler.scale) == ("balanced", 2)
    assert upscaler.choose(photos / "bad.jpg")[0].card.name == "photo"
    assert upscaler.card.name == "balanced"


def test_an_effort_chooses_among_the_networks_for_clean_pictures(photos):
    upscaler = Upscaler(scale=2, effort="low")
    assert upscaler.choose(photos / "bad.jpg") == (upscaler, None)


@pytest.fixture(scope="module")
def packaged():
    # With the packaged network, and before a test says that the packaged ones are elsewhere.
    return Upscaler("photo", scale=2).network


@pytest.mark.parametrize("kernel", ["cubic", "lanczos"])
def test_the_packaged_network_gives_clean_pictures_back(packaged, kernel):
    assert changed_share(to_float(np.asarray(shrunk(kernel))), packaged) < CHANGED_MAX


@pytest.mark.parametrize("kernel", ["bare-cubic", "nearest", "stride"])
def test_the_packaged_network_changes_aliased_pictures(packaged, kernel):
    assert changed_share(to_float(np.asarray(shrunk(kernel))), packaged) > 1.3 * CHANGED_MAX


def test_a_sharpened_picture_is_changed_more_the_more_it_was_sharpened(packaged):
    lr = np.asarray(shrunk("cubic"))
    shares = [
        changed_share(
            to_float(apply_plan(lr, Plan(scale=1, steps=(Sharpen(sigma_px=0.8, amount=amount),)))),
            packaged,
        )
        for amount in (0.0, 0.7, 1.5)
    ]
    assert shares[0] < CHANGED_MAX < shares[1] < shares[2]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 5), (30, 200), (73, 71)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_size_are_looked_at(packaged, size, channels, rng):
    pixels = rng.random((*size, channels), dtype=np.float32)
    share = changed_share(pixels, packaged)
    assert 0 <= share < 10
    # The same picture gives the same answer, and a plain one has nothing that could be changed.
    assert changed_share(pixels, packaged) == share
    assert changed_share(np.full_like(pixels, 0.25), packaged) == 0
