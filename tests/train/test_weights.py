import pytest
import torch

from pixelift.errors import TrainingError, WrongRunError
from pixelift.image.color import luma
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import Origin, read_run, save_weights, write_notes
from pixelift.train.config import ModelSettings, Recipe
from pixelift.train.weights import load_teacher, load_trained, warm_start


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
    told = warm_start(network, run)
    assert told == f"started from {run}, grown from a repnet x2 (depth 2, width 6)"
    lr = torch.rand(1, 3, 8, 8)
    assert torch.allclose(network(lr), load_trained(run)[0](lr), atol=1e-5)


def test_a_smaller_network_takes_what_fits(run):
    network = build_model("repnet", scale=2, width=6, depth=1)
    assert warm_start(network, run) == f"started from {run}: all 9 tensors fit"
    narrow = build_model("repnet", scale=2, width=5, depth=2)
    assert warm_start(narrow, run).endswith("2 of 12 tensors fit, the others are new")
    with pytest.raises(WrongRunError, match=r"no tensor of .* fits"):
        warm_start(build_model("srcnn", scale=2), run)


def test_a_teacher_gives_what_the_trained_network_gives_and_does_not_learn(run):
    teacher = load_teacher(run, ModelSettings(scale=2))
    assert not any(p.requires_grad for p in teacher.parameters())
    lr = torch.rand(1, 3, 8, 8)
    assert torch.allclose(teacher(lr), load_trained(run)[0](lr), atol=1e-5)


def test_a_teacher_for_rgb_teaches_luma_by_grey_pictures(run):
    teacher = load_teacher(run, ModelSettings(scale=2, dials={"channels": 1}))
    grey = torch.rand(1, 1, 9, 8)
    level = (grey * 219 + 16) / 255
    rgb = load_trained(run)[0](grey.repeat(1, 3, 1, 1))
    expected = luma(rgb[0].permute(1, 2, 0).detach().numpy()) / 255
    assert teacher(level)[0, 0].numpy() == pytest.approx(expected, abs=1e-5)


def test_a_teacher_that_cannot_teach_this_network_is_refused(run, tmp_path):
    with pytest.raises(WrongRunError, match=r"is x2 with 3 channels, the recipe is x4"):
        load_teacher(run, ModelSettings(scale=4))
    luma_only = ModelSettings(scale=2, dials={"width": 6, "depth": 2, "channels": 1})
    (tmp_path / "luma").mkdir()
    write_notes(tmp_path / "luma", Recipe(model=luma_only), read_run(run)[1])
    network = build_model("repnet", scale=2, width=6, depth=2, channels=1)
    save_weights(network, tmp_path / "luma" / "best.safetensors")
    with pytest.raises(WrongRunError, match=r"is x2 with 1 channels, the recipe is x2 with 3"):
        load_teacher(tmp_path / "luma", ModelSettings(scale=2))
    with pytest.raises(WrongRunError, match="not an exported file"):
        load_teacher(tmp_path / "a.onnx", ModelSettings(scale=2))
    with pytest.raises(TrainingError, match="not the run folder"):
        load_teacher(tmp_path / "nowhere", ModelSettings(scale=2))
