import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from pixelift.errors import UnknownNameError, WeightsError
from pixelift.zoo import store
from pixelift.zoo.card import render_card
from pixelift.zoo.store import find_model, list_models, read_weights
from tests.fakes import make_card, model_bytes, write_model


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Make a package with two networks and no user folder; hand out the folder of the package."""
    folder = tmp_path / "package"
    monkeypatch.setattr(store, "PACKAGED_CARDS", folder)
    monkeypatch.setattr(store, "PACKAGED_WEIGHTS", folder)
    monkeypatch.delenv(store.HOME_VARIABLE, raising=False)
    write_model(folder, name="small", scale=2)
    write_model(folder, name="small", scale=4)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Make a user folder; hand out the folder of its networks."""
    monkeypatch.setenv(store.HOME_VARIABLE, str(tmp_path / "home"))
    folder = tmp_path / "home" / "models"
    folder.mkdir(parents=True)
    return folder


def one_line(info):
    assert "\n" not in str(info.value)
    return str(info.value)


@pytest.mark.usefixtures("zoo")
def test_models_are_listed_by_name_and_scale(home):
    write_model(home, name="mine", scale=3)
    assert [card.key for card in list_models()] == ["mine_x3", "small_x2", "small_x4"]


@pytest.mark.usefixtures("home")
def test_an_empty_zoo_lists_nothing(zoo):
    for path in zoo.iterdir():
        path.unlink()
    assert list_models() == []


def test_a_home_that_is_not_there_is_no_error(zoo, monkeypatch):
    monkeypatch.setenv(store.HOME_VARIABLE, str(zoo / "nowhere"))
    assert len(list_models()) == 2


@pytest.mark.parametrize(
    ("name", "scale", "key"),
    [
        ("small", 2, "small_x2"),
        ("small", 4, "small_x4"),
        ("small", None, "small_x4"),
        ("small_x2", None, "small_x2"),
        ("small_x2", 2, "small_x2"),
    ],
)
def test_a_name_is_found_with_its_scale(zoo, name, scale, key):
    card, path = find_model(name, scale=scale)
    assert card.key == key
    assert path == zoo / f"{key}.onnx"


@pytest.mark.usefixtures("zoo")
def test_the_users_network_goes_before_the_packaged_one(home):
    write_model(home, name="small", scale=2, seed=5)
    _, path = find_model("small", scale=2)
    assert path.parent == home
    assert [card.key for card in list_models()] == ["small_x2", "small_x4"]


@pytest.mark.usefixtures("zoo")
def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r'no model "smal". Did you mean "small"\?'):
        find_model("smal", scale=2)


@pytest.mark.parametrize("name", ["", "a/b", "../small", ".small", "sm\0all", "x" * 300, "small "])
@pytest.mark.usefixtures("zoo")
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(UnknownNameError):
        find_model(name, scale=2)


@pytest.mark.usefixtures("zoo")
def test_a_scale_that_is_not_offered_is_told_with_those_that_are():
    with pytest.raises(UnknownNameError, match=r'"small" has no scale 3. Its scales: 2, 4.'):
        find_model("small", scale=3)


@pytest.mark.usefixtures("zoo")
def test_a_name_and_a_scale_that_contradict_each_other_are_refused():
    with pytest.raises(UnknownNameError, match="is for scale 2, not for scale 4"):
        find_model("small_x2", scale=4)


def test_damaged_weights_are_refused_with_both_hashes(zoo):
    path = zoo / "small_x2.onnx"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    found = hashlib.sha256(data).hexdigest()
    with pytest.raises(WeightsError) as info:
        find_model("small", scale=2)
    message = one_line(info)
    for part in (str(path), expected[:12], found[:12], "reinstall"):
        assert part in message


def test_truncated_and_empty_weights_are_refused(zoo):
    path = zoo / "small_x2.onnx"
    for data in (path.read_bytes()[:-1], b""):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"small_x2\.onnx is damaged"):
            find_model("small", scale=2)


def test_missing_weights_are_told(zoo):
    (zoo / "small_x2.onnx").unlink()
    with pytest.raises(WeightsError, match=r"cannot read .*small_x2\.onnx: No such file"):
        find_model("small", scale=2)


def test_a_damaged_card_is_told_with_its_file(zoo):
    path = zoo / "small_x2.toml"
    path.write_text(path.read_text().replace("scale = 2", "scale = 2\nscail = 2"))
    with pytest.raises(WeightsError, match=r"small_x2\.toml: .*unknown field `scail`"):
        find_model("small", scale=2)
    with pytest.raises(WeightsError, match=r"small_x2\.toml"):
        list_models()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsError, match=r"small_x2\.toml"):
        list_models()


def test_a_damaged_card_of_another_network_is_no_obstacle(zoo):
    (zoo / "small_x2.toml").write_text("nonsense")
    assert find_model("small", scale=4)[0].scale == 4


def test_a_card_under_another_name_is_refused(zoo):
    (zoo / "other_x2.toml").write_text(render_card(make_card(name="small")))
    with pytest.raises(WeightsError, match=r"must be small_x2\.toml"):
        find_model("other", scale=2)


@pytest.mark.usefixtures("zoo")
def test_a_file_brings_its_own_card(tmp_path):
    data = model_bytes(name="trained", scale=3)
    path = tmp_path / "anything.ONNX"
    path.write_bytes(data)
    for name in (path, str(path)):
        card, found = find_model(name)
        assert found == path
        assert card.name == "trained"
        assert card.sha256 == hashlib.sha256(data).hexdigest()
        assert card.bytes == len(data)


@pytest.mark.usefixtures("zoo")
def test_a_file_of_another_scale_is_refused(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(model_bytes(scale=3))
    assert find_model(path, scale=3)[0].scale == 3
    with pytest.raises(UnknownNameError, match="is for scale 3, not for scale 4"):
        find_model(path, scale=4)


@pytest.mark.parametrize(
    "data", [b"", b"garbage", model_bytes()[:-60], model_bytes(with_card=False)]
)
@pytest.mark.usefixtures("zoo")
def test_a_file_that_is_no_network_of_ours_is_refused(tmp_path, data):
    path = tmp_path / "a.onnx"
    path.write_bytes(data)
    with pytest.raises(WeightsError) as info:
        find_model(path)
    assert one_line(info).startswith(f"{path}: ")


@pytest.mark.usefixtures("zoo")
def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"gone\.onnx: No such file"):
        find_model(tmp_path / "gone.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(WeightsError, match=r"folder\.onnx: Is a directory"):
        find_model(tmp_path / "folder.onnx")


@pytest.mark.usefixtures("zoo")
def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "huge.onnx"
    path.touch()
    os.truncate(path, store.MAX_BYTES + 1)
    with pytest.raises(WeightsError, match="268435456 at most"):
        find_model(path)


@pytest.mark.usefixtures("zoo")
def test_the_bytes_that_are_returned_are_the_ones_that_were_verified():
    card, path = find_model("small", scale=2)
    assert hashlib.sha256(read_weights(card, path)).hexdigest() == card.sha256
    path.write_bytes(model_bytes(name="small", seed=9))
    with pytest.raises(WeightsError, match="is damaged"):
        read_weights(card, path)


@pytest.mark.usefixtures("zoo")
def test_a_card_without_a_hash_is_taken_on_trust():
    card, path = find_model("small", scale=2)
    path.write_bytes(b"other")
    assert read_weights(msgspec.structs.replace(card, sha256=""), path) == b"other"


@pytest.mark.parametrize(
    "name", ["RealSR.pth", "dir/net.PT", "weights.safetensors", "FSRCNN_x2.pb"]
)
def test_weights_of_other_programs_are_refused_by_their_ending(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_bytes(b"never looked at")
    with pytest.raises(UnknownNameError, match="as other programs keep them are never loaded"):
        find_model(name)
