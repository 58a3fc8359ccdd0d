import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from pixelift.errors import EngineUnavailableError, ShapeError
from pixelift.patches.duplicates import (
    DuplicateFinder,
    hamming,
    perceptual_hash,
    require_pillow,
)
from pixelift.patches.screen import Limits

PHOTO = Path(__file__).parents[2] / "examples" / "great_hall.jpg"
LIMIT = Limits().duplicate_distance

hashes = st.integers(0, 2**64 - 1).map("{:016x}".format)


@pytest.fixture(scope="module")
def photo():
    pixels = pyvips.Image.new_from_file(str(PHOTO)).numpy()
    pixels.flags.writeable = False
    return pixels


def jpeg(rgb, quality):
    encoded = pyvips.Image.new_from_array(rgb).jpegsave_buffer(Q=quality)
    return pyvips.Image.new_from_buffer(encoded, "").numpy()


def resized(rgb, factor):
    return pyvips.Image.new_from_array(rgb).resize(factor).numpy()


@pytest.mark.parametrize(
    "version",
    [
        lambda p: jpeg(p, 75),
        lambda p: jpeg(p, 20),
        lambda p: resized(p, 0.5),
        lambda p: resized(p, 0.3),
        lambda p: resized(p, 1.4),
        lambda p: p[8:-8, 10:-10],
        lambda p: np.clip(p.astype(int) + 15, 0, 255).astype(np.uint8),
        lambda p: p[..., 1:2],
    ],
    ids=["q75", "q20", "half", "third", "larger", "cropped", "brighter", "grey"],
)
def test_another_version_of_a_photo_is_found(photo, version):
    finder = DuplicateFinder(LIMIT)
    finder.add(perceptual_hash(photo), "hall.jpg")
    assert finder.find(perceptual_hash(version(photo))) == "hall.jpg"


@pytest.mark.parametrize(
    "other",
    [
        lambda p: p[:, ::-1],
        lambda p: p[::-1],
        lambda p: p.swapaxes(0, 1),
        lambda p: p[:480, :576],
        lambda p: 255 - p,
    ],
    ids=["mirrored", "upside down", "transposed", "a quarter of it", "negative"],
)
def test_another_picture_is_no_duplicate(photo, other):
    finder = DuplicateFinder(LIMIT)
    finder.add(perceptual_hash(photo), "hall.jpg")
    assert finder.find(perceptual_hash(other(photo))) is None


def test_the_hash_is_near_that_of_the_whole_picture(photo):
    assert hamming(perceptual_hash(photo), "abac0bc88f7395c8") <= 4  # that of imagehash.phash


def test_a_hash_is_sixteen_hexadecimal_digits_even_of_one_pixel(rng):
    for shape in ((1, 1, 3), (1, 700, 3), (5, 2, 1), (600, 257, 3)):
        phash = perceptual_hash(rng.integers(0, 256, shape, np.uint8))
        assert len(phash) == 16
        assert 0 <= int(phash, 16) < 2**64


@given(hashes, hashes)
def test_the_distance_is_a_distance(a, b):
    assert hamming(a, a) == 0
    assert hamming(a, b) == hamming(b, a)
    assert hamming(a, b) == f"{int(a, 16) ^ int(b, 16):b}".count("1")


@given(st.lists(hashes, max_size=150), hashes)
def test_the_nearest_is_what_a_loop_over_all_finds(stored, wanted):
    finder = DuplicateFinder(LIMIT)
    for number, phash in enumerate(stored):
        finder.add(phash, str(number))
    best = min(((hamming(h, wanted), n) for n, h in enumerate(stored)), default=None)
    assert finder.nearest(wanted) == (None if best is None else (str(best[1]), best[0]))


def test_the_limit_itself_still_counts_as_a_duplicate():
    finder = DuplicateFinder(3)
    finder.add("0" * 16, "first")
    assert finder.find(f"{0b111:016x}") == "first"
    assert finder.find(f"{0b1111:016x}") is None
    assert DuplicateFinder(3).find("0" * 16) is None


@pytest.mark.parametrize(
    "picture",
    [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 3), np.uint8)],
    ids=["floats", "two axes", "empty"],
)
def test_what_is_no_8_bit_picture_is_refused(picture):
    with pytest.raises(ShapeError, match=r"allowed is uint8 \(H, W, 3\)"):
        perceptual_hash(picture)


def test_without_pillow_the_error_says_what_to_install(monkeypatch):
    require_pillow()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EngineUnavailableError, match=r"pip install 'pixelift\[train\]'"):
        require_pillow()


RECORDED = {
    "cd66d2993299136e": np.s_[:300, :255],
    "a916340fea734e4e": np.s_[100:355, 200:456],
    "eb262b5a2d9794a1": np.s_[500:540, 600:650],
    "e7966d9e6c169144": np.s_[7:40, 3:403],
}
"""What `imagehash.phash` of imagehash 4.3.2 made of parts of the photo."""


@pytest.mark.parametrize(("expected", "part"), RECORDED.items(), ids=RECORDED)
def test_the_hash_of_a_small_photo_is_that_of_imagehash(photo, expected, part):
    assert perceptual_hash(photo[part]) == expected


def test_the_hash_of_noise_is_that_of_imagehash():
    noise = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    assert perceptual_hash(noise) == "8dd13ab1e548c8f6"
