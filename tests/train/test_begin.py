from dataclasses import replace

import pytest
import torch
from msgspec.structs import replace as replace_setting

from pixelift.errors import TrainingError, WrongDatasetError, WrongRunError
from pixelift.models.repnet import RepNet
from pixelift.train.begin import begin
from pixelift.train.checkpoint import load_checkpoint, save_checkpoint
from pixelift.train.config import DataSettings, ModelSettings, OptimSettings, Recipe, RunSettings
from pixelift.train.keep import save_state
from pixelift.train.ranks import Ranks
from pixelift.train.watch import Watcher
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("begin"), photos=2)


class Listener(Watcher):
    def __init__(self):
        self.told = []

    def tell(self, sentence):
        self.told.append(sentence)


def recipe(**run):
    return Recipe(
        model=ModelSettings(scale=2, dials={"width": 4, "depth": 1}),
        data=DataSettings(lr_patch=8, batch=2),
        optim=OptimSettings(steps=4),
        run=RunSettings(**({"precision": "f32"} | run)),
    )


def begun(settings, prepared, run, *, resume=False, watch=None, ranks=None):
    torch.manual_seed(0)
    return begin(
        settings,
        prepared,
        run,
        device=torch.device("cpu"),
        ranks=ranks or Ranks(),
        watch=watch or Watcher(),
        resume=resume,
    )


def test_a_new_training_is_noted_and_begins_with_mean_and_network_alike(prepared, tmp_path):
    training = begun(recipe(), prepared, tmp_path / "run")
    assert isinstance(training.network, RepNet)
    for weight, mean in zip(training.network.parameters(), training.mean.parameters(), strict=True):
        assert torch.equal(weight, mean)
    assert (training.step, training.is_bf16, training.teacher) == (0, False, None)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"recipe.json", "dataset.json"}


def with_channels(count):
    return replace_setting(recipe(), model=ModelSettings(scale=2, dials={"channels": count}))


def test_one_set_of_rgb_serves_networks_for_rgb_and_for_luma(prepared, tmp_path):
    for count in (1, 3):
        training = begun(with_channels(count), prepared, tmp_path / f"run{count}")
        assert training.network.channels == count
    with pytest.raises(WrongDatasetError, match=r"of 2 channels; pictures have 3, or 1 as luma"):
        begun(with_channels(2), prepared, tmp_path / "run2")


def test_a_set_of_luma_teaches_no_network_for_rgb(tmp_path):
    kept_as_luma = make_prepared(tmp_path, photos=2, channels="y")
    assert begun(with_channels(1), kept_as_luma, tmp_path / "run").step == 0
    with pytest.raises(WrongDatasetError, match=r"without --channels y, or set model\.dials\."):
        begun(with_channels(3), kept_as_luma, tmp_path / "run3")


def test_only_the_first_of_several_processes_writes(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(Ranks, "align", lambda *_: None)
    begun(recipe(), prepared, tmp_path / "run", ranks=Ranks(1, 2))
    assert not (tmp_path / "run").exists()


def test_without_instructions_for_bf16_float32_is_used_and_it_is_said(
    prepared, tmp_path, monkeypatch
):
    monkeypatch.setattr("pixelift.train.begin.computes_in_bf16", lambda _: False)
    watch = Listener()
    training = begun(recipe(precision="bf16"), prepared, tmp_path / "run", watch=watch)
    assert not training.is_bf16
    assert watch.told == ["this machine has no instructions for bf16: training in float32"]


def test_a_checkpoint_that_does_not_fit_its_recipe_is_refused(prepared, tmp_path):
    training = begun(recipe(), prepared, tmp_path)
    save_state(recipe(), training, tmp_path)
    saved = load_checkpoint(tmp_path)
    for broken in (
        replace(saved, network={}),
        replace(saved, recipe="{"),
        replace(saved, optimizer={"state": {}, "param_groups": []}),
    ):
        save_checkpoint(tmp_path, broken)
        with pytest.raises(TrainingError, match="does not hold what its recipe tells of") as error:
            begun(recipe(), prepared, tmp_path, resume=True)
        assert f"--set run.start_from={tmp_path}" in str(error.value)
        assert "\n" not in str(error.value)
    save_checkpoint(tmp_path, saved)
    with pytest.raises(WrongRunError, match=r"run\.seed is 5 and was 0"):
        begun(recipe(seed=5), prepared, tmp_path, resume=True)
    assert begun(recipe(), prepared, tmp_path, resume=True).step == 0
