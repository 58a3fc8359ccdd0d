"""What is shipped keeps its promises: weights, cards, and the list of photos behind them."""

import csv
import hashlib
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from pixelift.evaluate.run import evaluate, open_method
from pixelift.image.depth import to_float, to_u8
from pixelift.image.picture import Picture
from pixelift.image.read import read_picture
from pixelift.image.resize import downscale, modcrop, upscale
from pixelift.infer.upscaler import Upscaler
from pixelift.metrics.psnr import psnr
from pixelift.zoo.store import PACKAGED_CARDS, find_model, list_models, read_weights

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "examples" / "great_hall.jpg"
SCALES = [2, 3, 4]
SETS = ("Set5", "Set14", "B100")
PACKAGED = sorted(path.stem for path in PACKAGED_CARDS.glob("*.toml"))

LARGEST = 8_000_000
"""Bytes of a packaged network: all of them travel with every installation."""


@pytest.fixture(autouse=True)
def only_what_is_shipped(monkeypatch, tmp_path):
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))


def test_balanced_is_there_for_every_scale():
    assert {("balanced", scale) for scale in SCALES} <= {(c.name, c.scale) for c in list_models()}


@pytest.mark.parametrize("key", PACKAGED)
def test_weights_are_what_the_card_says(key):
    card, path = find_model(key)
    assert card.key == key
    data = read_weights(card, path)
    assert hashlib.sha256(data).hexdigest() == card.sha256
    assert len(data) == card.bytes < LARGEST


def test_every_training_photo_is_listed_with_its_licence_and_the_cards_name_the_list():
    text = (resources.files("pixelift.zoo") / "TRAINING_PHOTOS.tsv").read_text(encoding="utf-8")
    photos = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    drawn = [row for row in photos if row["source"] == "tools/draw_sheets.py"]
    (told,) = re.findall(r"(\d+) freely licensed photos", (ROOT / "README.md").read_text("utf-8"))
    assert (len(photos) - len(drawn), len(drawn)) == (int(told), 24)
    assert all(photo["licence"] and photo["source"] for photo in photos)
    for card in list_models():
        own = [p for p in photos if card.dataset_sha256[:12] in p["sets"].split()]
        lines = sorted(f"{photo['sha256']}  {photo['name']}\n" for photo in own)
        assert card.dataset_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("key", PACKAGED)
def test_the_recipe_opens_with_command_time_and_the_card_s_scores(key):
    card, _ = find_model(key)
    head = (ROOT / "recipes" / card.recipe).read_text(encoding="utf-8").split("[model]")[0]
    assert f"pixelift train recipes/{card.recipe}" in head
    scores = " / ".join(f"{card.scores[name].psnr_y:.2f}" for name in SETS)
    assert f"PSNR-Y {scores} dB" in head
    (minutes,) = re.findall(r" in (\d+) minutes", card.training)
    assert f"{minutes} minutes" in head


@pytest.mark.parametrize(("scale", "gain"), [(2, 1.0), (3, 1.0), (4, 0.8)])
def test_the_bundled_photo_comes_back_sharper_than_by_interpolation(scale, gain):
    hr = modcrop(to_u8(read_picture(PHOTO).pixels)[400:700, 300:600], scale)
    lr = downscale(hr, scale)
    sr = Upscaler("balanced", scale=scale, precision="f32").picture(Picture(to_float(lr))).pixels
    better = psnr(sr, hr, shave=scale) - psnr(upscale(lr, scale), hr, shave=scale)
    assert better > gain


@pytest.mark.parametrize("key", PACKAGED)
def test_every_card_has_scores_on_the_sets_of_the_papers_and_a_free_licence(key):
    card, _ = find_model(key)
    assert set(SETS) <= card.scores.keys()
    assert card.licence in {"MIT", "CC0-1.0"}


@pytest.mark.parametrize("key", PACKAGED)
def test_the_card_s_scores_on_set5_are_reproduced(key, shared):
    card, _ = find_model(key)
    method = open_method(key, scale=card.scale, precision="f32")
    result = evaluate(method, shared / "bench" / "Set5" / "HR")
    assert result["psnr_y"] == pytest.approx(card.scores["Set5"].psnr_y, abs=0.005)
    assert result["ssim_y"] == pytest.approx(card.scores["Set5"].ssim_y, abs=5e-5)


@pytest.mark.parametrize(("scale", "bar"), [(2, 37.0), (3, 33.1), (4, 30.7)])
def test_the_first_quality_bar_is_passed(scale, bar):
    card, _ = find_model("balanced", scale=scale)
    assert card.scores["Set5"].psnr_y >= bar


@pytest.mark.parametrize("key", PACKAGED)
def test_tiles_of_a_real_photo_give_what_the_whole_gives(key):
    lr = to_u8(read_picture(PHOTO).pixels)[300:420, 200:350]
    whole = Upscaler(key).upscale(lr)
    tiled = Upscaler(key, tile=48).upscale(lr)
    difference = np.abs(whole.astype(int) - tiled)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-4
