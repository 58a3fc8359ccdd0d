import re
from pathlib import Path

import pytest
import torch

from pixelift.errors import WeightsError, WrongRunError
from pixelift.image.color import luma
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import Origin, read_run, save_weights, write_notes
from pixelift.train.config import ModelSettings, Recipe, load_recipe
from pixelift.train.weights import (
    keep_trained,
    load_trained,
    open_trained,
    prepare_teacher,
    warm_start,
)


@pytest.fixture
def run(tmp_path):
    """Hand out a run folder with drawn weights: a repnet x2 of width 6 and depth 2."""
    model = ModelSettings(scale=2, dials={"width": 6, "depth": 2})
    origin = Origin(photos_sha256="ab" * 32, photos=1, patches_sha256="cd" * 32)
    write_notes(tmp_path, Recipe(model=model), origin)
    torch.manual_seed(3)
    network = build_model("repnet", scale=2, width=6, depth=2)
    torch.nn.init.normal_(network.tail.mix, std=0.1)
    save_weights(network, tmp_path / "best.safetensors")
    return tmp_path


def test_a_trained_network_is_built_without_moving_the_random_stream(run):
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    network, recipe = load_trained(run)
    assert torch.equal(torch.rand(1), expected)
    assert (network.scale, recipe.model.dials["width"]) == (2, 6)


def test_weights_of_another_network_than_the_recipe_tells_of_are_refused(run):
    save_weights(build_model("repnet", scale=2, width=4, depth=2), run / "best.safetensors")
    with pytest.raises(WrongRunError, match="Copy the whole run folder again"):
        load_trained(run)


def test_a_larger_network_starts_with_the_same_output_and_it_is_said(run):
    network = build_model("repnet", scale=2, width=8, depth=3)
    told = warm_start(network, open_trained(str(run), scale=2))
    assert told == f"started from {run}, grown from a repnet x2 (depth 2, width 6)"
    lr = torch.rand(1, 3, 8, 8)
    assert torch.allclose(network(lr), load_trained(run)[0](lr), atol=1e-5)


def test_a_smaller_network_takes_what_fits(run):
    network = build_model("repnet", scale=2, width=6, depth=1)
    trained = open_trained(str(run), scale=2)
    assert warm_start(network, trained) == f"started from {run}: all 9 tensors fit"
    narrow = build_model("repnet", scale=2, width=5, depth=2)
    assert warm_start(narrow, trained).endswith("2 of 12 tensors fit, the others are new")
    with pytest.raises(WrongRunError, match=r"no tensor of .* fits"):
        warm_start(build_model("srcnn", scale=2), trained)


def test_a_packaged_network_is_trained_on_in_its_own_form_and_in_a_wide_one():
    trained = open_trained("balanced", scale=3)
    assert (trained.model.scale, trained.source) == (3, "balanced")
    own = build_model("repnet", scale=3, **trained.model.dials)
    assert warm_start(own, trained) == "started from balanced: all 16 tensors fit"
    wide = build_model("repnet", scale=3, width=32, depth=6)
    assert "grown from a repnet x3" in warm_start(wide, trained)
    lr = torch.rand(1, 3, 20, 20)
    assert torch.equal(own(lr), trained.network(lr))
    assert torch.allclose(wide(lr), own(lr), atol=1e-4)


def test_a_network_with_and_one_without_the_dial_luma_share_all_but_the_tail():
    network = build_model("repnet", scale=4, width=20, depth=6, leaky=True)
    trained = open_trained("swift", scale=4)
    told = warm_start(network, trained)
    assert told.endswith("; only one of the two has the dial luma: the tail is new")
    old, new = (net.body[3].collapsed() for net in (trained.network, network))
    assert torch.allclose(new[:16, :16], old, atol=1e-5)


def test_swift_is_trained_on_in_luma():
    network = build_model("repnet", scale=2, width=16, depth=6, channels=1, identity=False)
    told = warm_start(network, open_trained("swift", scale=2))
    assert told.startswith("started from swift, grown from a repnet x2")
    grey = torch.rand(1, 1, 30, 30)
    teacher = prepare_teacher(
        open_trained("swift", scale=2), ModelSettings(scale=2, dials={"channels": 1})
    )
    level = (grey * 219 + 16) / 255
    inside = (slice(None), slice(None), slice(20, 40), slice(20, 40))
    assert torch.allclose(network(level)[inside], teacher(level)[inside], atol=1e-4)


RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_goes_on_from_its_packaged_network_in_anyones_clone(path):
    recipe = load_recipe(path)
    model = recipe.model
    network = build_model(model.architecture, scale=model.scale, **model.dials)
    if path.stem == "swift_x2":
        assert recipe.run.start_from == ""
    else:
        trained = open_trained(recipe.run.start_from, scale=model.scale)
        assert trained.network.scale == model.scale
        told = warm_start(network, trained)
        assert re.search(r"all \d+ tensors fit|grown from .*\)$", told), told


def test_what_is_neither_a_run_nor_a_model_is_refused(tmp_path):
    with pytest.raises(WrongRunError, match='balansed is no run folder, and there is no model "ba'):
        open_trained("balansed", scale=2)
    with pytest.raises(WrongRunError, match="is not the run folder of a training"):
        open_trained(str(tmp_path / "nowhere"), scale=2)
    with pytest.raises(WeightsError, match="cannot read the network"):
        open_trained(str(tmp_path / "nothing.onnx"), scale=2)


def test_a_teacher_gives_what_the_trained_network_gives_and_does_not_learn(run):
    teacher = prepare_teacher(open_trained(str(run), scale=2), ModelSettings(scale=2))
    assert not any(p.requires_grad for p in teacher.parameters())
    lr = torch.rand(1, 3, 8, 8)
    assert torch.allclose(teacher(lr), load_trained(run)[0](lr), atol=1e-5)


def test_a_packaged_teacher_is_taken_along(tmp_path):
    teacher = open_trained("swift", scale=2)
    keep_trained(teacher, tmp_path / "teacher")
    again = open_trained(str(tmp_path / "teacher"), scale=2)
    assert again.origin == teacher.origin
    lr = torch.rand(1, 3, 12, 12)
    assert torch.equal(again.network(lr), teacher.network(lr))


def test_a_teacher_for_rgb_teaches_luma_by_grey_pictures(run):
    luma_only = ModelSettings(scale=2, dials={"channels": 1})
    teacher = prepare_teacher(open_trained(str(run), scale=2), luma_only)
    grey = torch.rand(1, 1, 9, 8)
    level = (grey * 219 + 16) / 255
    rgb = load_trained(run)[0](grey.repeat(1, 3, 1, 1))
    expected = luma(rgb[0].permute(1, 2, 0).detach().numpy()) / 255
    assert teacher(level)[0, 0].numpy() == pytest.approx(expected, abs=1e-5)


def test_a_teacher_that_cannot_teach_this_network_is_refused(run, tmp_path):
    with pytest.raises(WrongRunError, match=r"is x2 with 3 channels, the recipe is x4"):
        prepare_teacher(open_trained(str(run), scale=4), ModelSettings(scale=4))
    luma_only = ModelSettings(scale=2, dials={"width": 6, "depth": 2, "channels": 1})
    (tmp_path / "luma").mkdir()
    write_notes(tmp_path / "luma", Recipe(model=luma_only), read_run(run)[1])
    network = build_model("repnet", scale=2, width=6, depth=2, channels=1)
    save_weights(network, tmp_path / "luma" / "best.safetensors")
    with pytest.raises(WrongRunError, match=r"is x2 with 1 channels, the recipe is x2 with 3"):
        prepare_teacher(open_trained(str(tmp_path / "luma"), scale=2), ModelSettings(scale=2))
