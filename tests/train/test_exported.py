import msgspec
import onnx
import pytest
import torch

from pixelift.errors import UnknownNameError, WeightsError, WrongRunError
from pixelift.export.to_onnx import export_onnx
from pixelift.models.colour import in_colour
from pixelift.models.fuse import fuse
from pixelift.models.spec import build_model
from pixelift.train.exported import UNKNOWN, load_exported
from pixelift.zoo.card import card_to_metadata
from pixelift.zoo.store import find_model


def drawn(name="repnet", *, scale=2, **dials):
    """Draw a network whose every weight is off its first value, as after a training."""
    torch.manual_seed(1)
    network = build_model(name, scale=scale, **dials)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02 * torch.randn_like(weight))
    return network


def write(network, path, *, name="repnet", **changes):
    card, _ = find_model("balanced", scale=2)
    own = {"scale": network.scale, "architecture": f"{name} (some dials)"} | changes
    card = msgspec.structs.replace(card, **own)
    export_onnx(fuse(network), path, card_json=card_to_metadata(card))
    return str(path)


@pytest.mark.parametrize(
    ("dials", "scale"),
    [
        ({"width": 6, "depth": 2}, 2),
        ({"width": 5, "depth": 3, "direct": True, "leaky": True}, 4),
        ({"width": 6, "depth": 3, "skips": True}, 3),
        ({"width": 7, "depth": 2, "luma": True}, 4),
        ({"width": 8, "depth": 2, "channels": 1, "leaky": True}, 2),
    ],
)
def test_a_network_that_was_exported_gives_what_it_gave(dials, scale, tmp_path):
    network = drawn(scale=scale, **dials)
    channels = "y" if dials.get("channels") == 1 else "rgb"
    loaded, model, _ = load_exported(
        write(network, tmp_path / "a.onnx", channels=channels), scale=scale
    )
    lr = torch.rand(1, dials.get("channels", 3), 13, 11)
    assert torch.allclose(loaded(lr), network(lr), atol=1e-5)
    told = {dial: value for dial, value in model.dials.items() if dial != "direct"}
    assert told == {dial: value for dial, value in dials.items() if dial != "direct"}
    assert model.dials["direct"] is True


@pytest.mark.parametrize(
    ("dials", "scale"),
    [
        ({"width": 6, "blocks": 2}, 2),
        ({"width": 5, "blocks": 1, "open_gate": False}, 3),
        ({"width": 6, "blocks": 3, "smooth": True}, 4),
        ({"width": 7, "blocks": 2, "channels": 1, "smooth": True, "open_gate": False}, 2),
    ],
)
@pytest.mark.parametrize("direct", [True, False])
def test_a_gatenet_that_was_exported_gives_what_it_gave(dials, scale, direct, tmp_path):
    network = drawn("gatenet", scale=scale, direct=direct, **dials)
    channels = "y" if dials.get("channels") == 1 else "rgb"
    path = write(network, tmp_path / "a.onnx", name="gatenet", channels=channels)
    loaded, model, _ = load_exported(path, scale=scale)
    lr = torch.rand(1, dials.get("channels", 3), 13, 11)
    assert torch.allclose(loaded(lr), network(lr), atol=1e-5)
    assert model.architecture == "gatenet"
    assert model.dials == dials | {"direct": True}


@pytest.mark.parametrize(("told", "true"), [("gatenet", "repnet"), ("repnet", "gatenet")])
def test_a_file_that_is_not_what_its_card_tells_is_refused(told, true, tmp_path):
    path = write(drawn(true, width=4), tmp_path / "a.onnx", name=told)
    with pytest.raises(WrongRunError, match=f"architecture {told}; only a repnet or a gatenet"):
        load_exported(path, scale=2)


def test_a_network_that_learned_on_luma_comes_back_as_one_for_rgb(tmp_path):
    colour = in_colour(drawn(width=6, depth=2, channels=1))
    loaded, model, _ = load_exported(write(colour, tmp_path / "a.onnx"), scale=2)
    assert model.dials["luma"] is True
    lr = torch.rand(1, 3, 9, 9)
    assert torch.allclose(loaded(lr), colour(lr), atol=1e-5)


def test_a_name_gives_the_network_of_the_scale_or_the_nearest(tmp_path):
    assert load_exported("photo", scale=2)[1].scale == 2
    assert load_exported("vivid", scale=3)[1].scale == 4
    assert load_exported("balanced_x3", scale=2)[1].scale == 3
    with pytest.raises(UnknownNameError, match="Did you mean"):
        load_exported("balansed", scale=2)
    with pytest.raises(WeightsError):
        load_exported(str(tmp_path / "nothing.onnx"), scale=2)


def test_no_random_number_is_drawn():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    load_exported("swift", scale=2)
    assert torch.equal(torch.rand(1), expected)


def test_the_photos_behind_a_network_are_those_that_its_card_tells_of(tmp_path):
    network = drawn(width=4, depth=1)
    told = {
        "dataset_sha256": "ab" * 32,
        "training": "9 steps; started from weights of other photos (763b40257703)",
    }
    _, _, origin = load_exported(write(network, tmp_path / "a.onnx", **told), scale=2)
    assert (origin.photos_sha256, origin.started_from) == ("ab" * 32, "763b40257703")
    silent = {"dataset_sha256": "", "training": ""}
    _, _, origin = load_exported(write(network, tmp_path / "b.onnx", **silent), scale=2)
    assert (origin.photos_sha256, origin.started_from) == (UNKNOWN, "")


@pytest.mark.parametrize("name", ["espcn", "edsr", "srcnn"])
def test_other_architectures_are_refused_by_name(name, tmp_path):
    dials = {"edsr": {"width": 4, "blocks": 1}}.get(name, {})
    path = write(drawn(name, **dials), tmp_path / "a.onnx", name=name)
    with pytest.raises(WrongRunError, match=f"architecture {name}; only a repnet .* run folder"):
        load_exported(path, scale=2)


def test_a_file_with_too_few_weights_is_refused(tmp_path):
    path = tmp_path / "a.onnx"
    write(drawn(width=4, depth=2), path)
    model = onnx.load(path)
    kept = [i for i in model.graph.initializer if i.name != "network.body.0.weight"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.save(model, path)
    with pytest.raises(WrongRunError, match="only a repnet or a gatenet can be trained on"):
        load_exported(str(path), scale=2)


def lie_about_size(initializer):
    initializer.dims[0] = 10**9


def name_another_file(initializer):
    initializer.ClearField("raw_data")
    initializer.data_location = onnx.TensorProto.EXTERNAL
    initializer.external_data.add(key="location", value="/etc/hostname")


@pytest.mark.parametrize("spoil", [lie_about_size, name_another_file])
def test_a_file_whose_weights_are_not_in_it_is_refused(spoil, tmp_path):
    path = tmp_path / "a.onnx"
    write(drawn(width=4, depth=2), path)
    model = onnx.load(path)
    spoil(next(i for i in model.graph.initializer if i.name == "network.tail.weight"))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WrongRunError, match=r"is damaged: .* Export the network again"):
        load_exported(str(path), scale=2)
