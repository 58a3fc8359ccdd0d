from pathlib import Path

import pytest
import torch

from pixelift.errors import WeightsError, WrongRunError
from pixelift.export.run import export_run
from pixelift.image.color import luma
from pixelift.models.spec import build_model
from pixelift.train.checkpoint import Origin, read_run, save_weights, write_notes
from pixelift.train.config import ModelSettings, Recipe, load_recipe
from pixelift.train.weights import (
    Trained,
    keep_trained,
    load_trained,
    open_trained,
    prepare_teacher,
    warm_start,
)

ROOT = Path(__file__).parents[2]
GROWN = ", grown from a gatenet x2 (width 4, blocks 2)"


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


@pytest.mark.parametrize(
    ("architecture", "dials", "why"),
    [
        (
            "repnet",
            {"width": 6, "depth": 1},
            "its body has 2 convolutions, the recipe's 1, and none",
        ),
        (
            "repnet",
            {"width": 5, "depth": 2},
            "it has 6 channels inside, the recipe 5, and none can",
        ),
        (
            "repnet",
            {"width": 6, "depth": 2, "skips": True},
            "it has not the dial skips, the recipe",
        ),
        ("srcnn", {}, 'is a RepNet, the recipe trains a SRCNN. Set model.architecture = "repnet"'),
    ],
)
def test_a_network_in_which_a_part_of_the_trained_one_has_no_place_is_refused(
    run, architecture, dials, why
):
    network = build_model(architecture, scale=2, **dials)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(WrongRunError) as error:
        warm_start(network, open_trained(str(run), scale=2))
    assert why in str(error.value)
    assert str(error.value).endswith("or name another run.start_from")
    assert all(torch.equal(tensor, before[n]) for n, tensor in network.state_dict().items())


def test_vivid_cannot_start_from_photo_which_is_deeper():
    recipe = load_recipe(ROOT / "recipes" / "vivid_x4.toml")
    network = build_model("repnet", scale=4, **recipe.model.dials)
    with pytest.raises(
        WrongRunError, match=r"photo cannot start.* 15 convolutions, the recipe's 12"
    ):
        warm_start(network, open_trained("photo", scale=4))


def test_the_same_numbers_beside_an_identity_or_without_are_not_taken_for_the_same_kernels(run):
    network = build_model("repnet", scale=2, width=6, depth=2, identity=False)
    told = warm_start(network, open_trained(str(run), scale=2))
    assert told.startswith(f"started from {run}, grown from")
    lr = torch.rand(1, 3, 8, 8)
    assert torch.allclose(network(lr), load_trained(run)[0](lr), atol=1e-5)


def test_a_network_that_becomes_leaky_is_told_that_its_output_changes(run):
    trained = open_trained(str(run), scale=2)
    network = build_model("repnet", scale=2, width=6, depth=2, leaky=True)
    told = warm_start(network, trained)
    assert told.endswith("all 12 tensors fit; it becomes leaky: the output changes")


def test_for_other_picture_channels_head_and_tail_are_new(run):
    network = build_model("repnet", scale=2, width=6, depth=2, channels=1)
    told = warm_start(network, open_trained(str(run), scale=2))
    assert told.endswith("; the picture has other channels: head and tail are new")
    old, new = (net.body[1].collapsed() for net in (load_trained(run)[0], network))
    assert torch.allclose(new, old, atol=1e-5)


def as_trained(architecture, *, scale=2, **dials):
    model = ModelSettings(architecture=architecture, scale=scale, dials=dials)
    origin = Origin(photos_sha256="ab" * 32, photos=1, patches_sha256="cd" * 32)
    return Trained(build_model(architecture, scale=scale, **dials), model, origin, "runs/old")


@pytest.mark.parametrize(
    ("architecture", "dials", "changes", "told"),
    [
        ("edsr", {"width": 4, "blocks": 2}, {}, "all 16 tensors fit"),
        (
            "edsr",
            {"width": 4, "blocks": 2},
            {"scale": 4},
            "16 of 18 tensors fit, the others are new",
        ),
        (
            "edsr",
            {"width": 4, "blocks": 2},
            {"scale": 3},
            "14 of 16 tensors fit, the others are new; 2 for its scale or channels are left out",
        ),
        (
            "espcn",
            {"width": 4},
            {"channels": 1},
            "3 of 6 tensors fit, the others are new; 3 for its scale or channels are left out",
        ),
        ("vdsr", {"width": 4, "depth": 3}, {"depth": 5}, "6 of 10 tensors fit, the others are new"),
        ("srcnn", {"width": 4}, {"scale": 3}, "all 6 tensors fit"),
        ("edsr", {"width": 4, "blocks": 3}, {"blocks": 2}, None),
        ("edsr", {"width": 6, "blocks": 2}, {"width": 4}, None),
        ("srresnet", {"width": 4, "blocks": 2}, {"blocks": 1}, None),
        ("vdsr", {"width": 4, "depth": 5}, {"depth": 3}, None),
        ("fsrcnn", {"width": 8, "depth": 2}, {"depth": 1}, None),
        ("srcnn", {"width": 4}, {"residual": True}, None),
    ],
)
def test_of_other_architectures_only_what_another_scale_or_other_channels_need_is_left_out(
    architecture, dials, changes, told
):
    network = build_model(architecture, **({"scale": 2} | dials | changes))
    trained = as_trained(architecture, **dials)
    if told:
        assert warm_start(network, trained) == f"started from runs/old: {told}"
    else:
        with pytest.raises(WrongRunError, match=r"Set model\.dials as it has them \(width"):
            warm_start(network, trained)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ": all 18 tensors fit"),
        ({"scale": 4}, f"{GROWN}; the tail is of another scale: new"),
        ({"width": 6, "blocks": 4}, GROWN),
        ({"channels": 1}, f"{GROWN}; the picture has other channels: head and tail are new"),
        ({"direct": False}, GROWN),
    ],
)
def test_a_gatenet_goes_on_as_a_larger_one_and_at_another_scale(changes, told):
    trained = as_trained("gatenet", width=4, blocks=2)
    torch.nn.init.normal_(trained.network.tail.weight, std=0.1)
    network = build_model("gatenet", **({"scale": 2, "width": 4, "blocks": 2} | changes))
    assert warm_start(network, trained) == f"started from runs/old{told}"
    if "tail" not in told:
        lr = torch.rand(1, 3, 9, 9)
        assert torch.allclose(network(lr), trained.network(lr), atol=1e-5)


def test_a_gatenet_of_fewer_blocks_or_with_another_gate_is_refused():
    trained = as_trained("gatenet", width=4, blocks=3)
    for dials, why in (({"blocks": 2}, "blocks = 3 or more"), ({"open_gate": False}, "= true")):
        network = build_model("gatenet", scale=2, **({"width": 4, "blocks": 3} | dials))
        with pytest.raises(WrongRunError, match=f"{why}, or name another run.start_from"):
            warm_start(network, trained)
    with pytest.raises(WrongRunError, match=r"is a GateNet, the recipe trains a RepNet"):
        warm_start(build_model("repnet", scale=2, width=4, depth=9), trained)


def test_a_gatenet_is_trained_on_from_its_exported_file(tmp_path):
    trained = as_trained("gatenet", width=4, blocks=1)
    for parameter in trained.network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    keep_trained(trained, tmp_path / "old")
    (tmp_path / "old/log.jsonl").write_text('{"step": 1, "seconds": 1.0, "psnr_y": 30.0}\n')
    export_run(tmp_path / "old", tmp_path / "old.onnx", name="old")
    exported = open_trained(str(tmp_path / "old.onnx"), scale=2)
    network = build_model("gatenet", scale=2, width=4, blocks=2)
    assert "grown from a gatenet x2" in warm_start(network, exported)
    lr = torch.rand(1, 3, 9, 9)
    assert torch.allclose(network(lr), trained.network(lr), atol=1e-5)


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


def test_a_first_stage_grows_into_the_networks_that_go_on_from_it_and_swift_goes_on_at_x4():
    chains = {"balanced_x4": "first_x4", "fine_x2": "first_x4", "photo_x4": "first_x4"}
    for name, before in (chains | {"swift_x4": "swift_x2"}).items():
        first, second = (load_recipe(ROOT / f"recipes/{n}.toml").model for n in (before, name))
        network, small = (
            build_model(m.architecture, scale=m.scale, **m.dials) for m in (second, first)
        )
        origin = Origin(photos_sha256="ab" * 32, photos=1, patches_sha256="cd" * 32)
        told = warm_start(network, Trained(small, first, origin, "runs/first"))
        assert told.startswith("started from runs/first")
        if first.scale == second.scale:
            lr = torch.rand(1, 3, 24, 24)
            assert torch.allclose(network(lr), small(lr), atol=1e-4)


def test_from_x4_to_x2_the_second_upsampling_step_is_left_out_and_it_is_said():
    trained = as_trained("edsr", scale=4, width=4, blocks=2)
    told = warm_start(build_model("edsr", scale=2, width=4, blocks=2), trained)
    assert told.endswith("16 of 16 tensors fit; 2 for its scale or channels are left out")


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
