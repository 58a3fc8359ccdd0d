import errno
import os

import msgspec
import pytest
import torch

from pixelift.errors import TrainingError
from pixelift.models.repnet import RepNet
from pixelift.train.checkpoint import (
    Checkpoint,
    differences,
    load_checkpoint,
    load_weights,
    read_run,
    recipe_text,
    save_checkpoint,
    save_weights,
    write_whole,
)
from pixelift.train.config import DataSettings, ModelSettings, Recipe


@pytest.fixture
def checkpoint():
    tensors = {"a": torch.arange(3.0)}
    return Checkpoint(
        step=5, best=30.5, seconds=1.5, network=tensors, ema=tensors, optimizer={}, recipe="{}"
    )


def test_a_checkpoint_survives_a_round_trip(tmp_path, checkpoint):
    save_checkpoint(tmp_path, checkpoint)
    loaded = load_checkpoint(tmp_path)
    assert (loaded.step, loaded.best, loaded.recipe) == (5, 30.5, "{}")
    assert torch.equal(loaded.network["a"], checkpoint.network["a"])


def test_a_damaged_checkpoint_says_how_to_go_on(tmp_path, checkpoint):
    save_checkpoint(tmp_path, checkpoint)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TrainingError, match=r"damaged .*--set run.start_from="):
        load_checkpoint(tmp_path)


class Bomb:
    def __reduce__(self):
        return (print, ("pickled code ran",))


def test_pickled_code_in_a_checkpoint_never_runs(tmp_path, capsys):
    torch.save({"step": Bomb()}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="damaged"):
        load_checkpoint(tmp_path)
    assert "ran" not in capsys.readouterr().out


def test_no_checkpoint_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="Start it without --resume"):
        load_checkpoint(tmp_path)


def test_weights_survive_a_round_trip_and_damaged_ones_are_refused(tmp_path):
    network = RepNet(scale=2, width=4, depth=1)
    path = tmp_path / "best.safetensors"
    save_weights(network, path)
    loaded = load_weights(path)
    assert loaded.keys() == network.state_dict().keys()
    assert all(torch.equal(loaded[k], v) for k, v in network.state_dict().items())
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(TrainingError, match="cannot read the weights"):
        load_weights(path)


def test_equal_recipes_have_equal_text():
    one = Recipe(model=ModelSettings(dials={"width": 4, "depth": 2}))
    two = Recipe(model=ModelSettings(dials={"depth": 2, "width": 4}))
    assert recipe_text(one) == recipe_text(two)


def test_settings_that_differ_are_named_and_those_that_decide_nothing_are_not():
    text = recipe_text(Recipe())
    assert differences(text, Recipe()) == []
    assert differences(text, Recipe(data=DataSettings(workers=3))) == []
    changed = Recipe(data=DataSettings(batch=4, lr_patch=12))
    assert differences(text, changed) == [
        "data.lr_patch is 12 and was 48",
        "data.batch is 4 and was 16",
    ]


def test_settings_that_a_run_did_not_know_yet_count_as_their_defaults():
    older = msgspec.json.decode(recipe_text(Recipe()))
    del older["distill"], older["optim"]["frequency"]
    assert differences(msgspec.json.encode(older).decode(), Recipe()) == []


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"old")

    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(TrainingError, match=r"cannot write .*No space left.* go on with --resume"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="not the run folder of a training") as caught:
        read_run(tmp_path)
    assert 'recipe.json": no such file or directory. Name the folder' in str(caught.value)
    assert "Errno" not in str(caught.value)
