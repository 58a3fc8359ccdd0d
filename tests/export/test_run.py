import shutil

import msgspec
import numpy as np
import pytest
import torch

from pixelift.errors import ConfigError, ImageWriteError, TrainingError, WeightsError
from pixelift.export import run as run_module
from pixelift.export.run import export_run
from pixelift.image.color import rgb_to_ycbcr
from pixelift.image.picture import Picture
from pixelift.image.resize import upscale
from pixelift.infer.upscaler import Upscaler
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import save_weights
from pixelift.train.config import DataSettings, ModelSettings, OptimSettings, Recipe, RunSettings
from pixelift.train.fit import fit
from pixelift.train.weights import load_trained
from pixelift.zoo.card import card_from_onnx
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    recipe = Recipe(
        model=ModelSettings(scale=2, dials={"width": 8, "depth": 2}),
        data=DataSettings(lr_patch=12, batch=2),
        optim=OptimSettings(steps=4),
        run=RunSettings(precision="f32", validate_every=2, valid_crop=64),
    )
    fit(recipe, make_prepared(folder), folder / "run")
    return folder / "run"


def test_the_card_says_what_the_run_was(run, tmp_path):
    card = export_run(run, tmp_path / "mine.onnx", name="mine")
    assert (card.name, card.scale, card.channels, card.radius) == ("mine", 2, "rgb", 4)
    assert card.architecture == "repnet (depth 2, width 8)"
    assert card.training.startswith("4 steps in 0 minutes on 4 photos")
    assert len(card.dataset_sha256) == 64
    assert card_from_onnx((tmp_path / "mine.onnx").read_bytes()) == card


def test_a_name_that_no_card_may_hold_is_refused_before_the_run_is_read(tmp_path):
    with pytest.raises(ConfigError, match='a network cannot be called "my run"'):
        export_run(tmp_path / "no run", tmp_path / "mine.onnx", name="my run")


def test_the_card_tells_of_photos_that_came_in_with_the_first_weights(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    notes = tmp_path / "run" / "dataset.json"
    origin = msgspec.json.decode(notes.read_bytes())
    notes.write_bytes(msgspec.json.encode(origin | {"started_from": "ab" * 32}))
    card = export_run(tmp_path / "run", tmp_path / "a.onnx", name="a")
    assert card.training.endswith("; started from weights of other photos (abababababab)")


def test_the_best_weights_are_loaded(run):
    network, recipe = load_trained(run)
    assert recipe.optim.steps == 4
    assert network(torch.rand(1, 3, 8, 8)).shape == (1, 3, 16, 16)


def test_a_folder_that_is_no_run_and_one_that_cannot_be_written_are_refused(run, tmp_path):
    with pytest.raises(TrainingError, match="not the run folder"):
        export_run(tmp_path, tmp_path / "a.onnx", name="a")
    with pytest.raises(ImageWriteError, match="Choose another -o"):
        export_run(run, tmp_path / "missing" / "a.onnx", name="a")


def test_a_file_that_does_not_give_what_torch_gives_is_not_left(run, tmp_path, monkeypatch):
    def refuse(*_):
        raise WeightsError("differs")

    monkeypatch.setattr(run_module, "check_parity", refuse)
    (tmp_path / "a.onnx").write_text("of an earlier export")
    with pytest.raises(WeightsError):
        export_run(run, tmp_path / "a.onnx", name="a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").read_text() == "of an earlier export"


def test_a_run_whose_log_is_lost_is_refused(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "log.jsonl").unlink()
    with pytest.raises(TrainingError, match="tells of no validation"):
        export_run(tmp_path / "run", tmp_path / "a.onnx", name="a")


def change_network(folder, architecture, **dials):
    """Let a run folder tell of another network than it was trained with; fresh weights."""
    network = build_model(architecture, scale=2, **dials)
    save_weights(network, folder / "best.safetensors")
    recipe = msgspec.json.decode((folder / "recipe.json").read_bytes())
    recipe["model"] = {"architecture": architecture, "scale": 2, "dials": dials}
    (folder / "recipe.json").write_bytes(msgspec.json.encode(recipe))


@pytest.mark.parametrize(
    ("architecture", "dials", "base", "radius"),
    [("srcnn", {"width": 4, "mapping": 4}, "none", 5), ("vdsr", {"width": 4}, "bicubic", 12)],
)
def test_whatever_can_be_trained_can_be_exported_and_used(
    run, tmp_path, architecture, dials, base, radius
):
    shutil.copytree(run, tmp_path / "run")
    change_network(tmp_path / "run", architecture, **dials)
    card = export_run(tmp_path / "run", tmp_path / "a.onnx", name="a")
    assert (card.base, card.radius) == (base, radius)
    assert card.architecture.startswith(f"{architecture} (")
    larger = Upscaler(tmp_path / "a.onnx").upscale(np.zeros((9, 7, 3), np.uint8))
    assert larger.shape == (18, 14, 3)


def test_a_network_on_luma_enlarges_colour_and_leaves_its_hue_to_interpolation(run, tmp_path, rng):
    shutil.copytree(run, tmp_path / "run")
    change_network(tmp_path / "run", "espcn", width=4, mapping=4, channels=1)
    card = export_run(tmp_path / "run", tmp_path / "a.onnx", name="a")
    assert (card.channels, card.planes) == ("y", 1)
    colour = (rng.random((12, 10, 3), dtype=np.float32) + 1) / 3
    sr = Upscaler(tmp_path / "a.onnx", precision="f32").picture(Picture(colour)).pixels
    inside = (sr.min(axis=2) > 0) & (sr.max(axis=2) < 1)
    assert inside.any()
    expected = upscale(rgb_to_ycbcr(colour), 2)[..., 1:]
    assert np.allclose(rgb_to_ycbcr(sr)[..., 1:][inside], expected[inside], atol=1e-5)
