import msgspec
import pytest
import torch

from pixelift.errors import TrainingError, TrainingStopped
from pixelift.train import adversarial as module
from pixelift.train.adversarial import finetune
from pixelift.train.checkpoint import BEST, load_checkpoint, load_weights
from pixelift.train.config import (
    AdversarialSettings,
    DataSettings,
    ModelSettings,
    OptimSettings,
    Recipe,
    RunSettings,
)
from pixelift.train.logbook import read_log
from pixelift.train.watch import Watcher
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("adversarial"))


def recipe(*, steps=8, every=4, weight=0.05):
    return Recipe(
        model=ModelSettings(scale=2, dials={"width": 4, "depth": 1}),
        data=DataSettings(lr_patch=12, batch=2, degrade="photo"),
        optim=OptimSettings(steps=steps, warmup=2),
        run=RunSettings(precision="f32", validate_every=every, valid_crop=64),
        adversarial=AdversarialSettings(weight=weight, width=4, warmup=3),
    )


class StopAt(Watcher):
    def __init__(self, step):
        self._at, self._step = step, 0

    def stepped(self, step):
        self._step = step

    def wants_stop(self):
        return self._step == self._at


def test_stopped_and_resumed_is_bit_for_bit_undisturbed(prepared, tmp_path):
    finetune(recipe(), prepared, tmp_path / "whole")
    with pytest.raises(TrainingStopped, match="stopped after step 5 of 8"):
        finetune(recipe(), prepared, tmp_path / "parts", watch=StopAt(5))
    finetune(recipe(), prepared, tmp_path / "parts", resume=True)
    whole, parts = (load_checkpoint(tmp_path / name) for name in ("whole", "parts"))
    for a, b in (
        (whole.network, parts.network),
        (whole.critic["network"], parts.critic["network"]),
    ):
        assert a.keys() == b.keys()
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert whole.step == parts.step == 8


def test_the_log_tells_each_loss_and_what_pictures_are_judged_by(prepared, tmp_path):
    last = finetune(recipe(), prepared, tmp_path)
    lines = read_log(tmp_path)
    assert [line["step"] for line in lines] == [4, 8]
    assert all({"loss", "pixels", "fooling", "critic", "haarpsi"} <= line.keys() for line in lines)
    assert all(line["steps_per_second"] > 0 for line in lines)
    spent = [line["seconds"] for line in lines]
    assert spent == sorted(set(spent))
    assert last == lines[-1]["psnr_y"]
    mean = load_checkpoint(tmp_path).ema
    assert all(torch.equal(v, mean[k]) for k, v in load_weights(tmp_path / BEST).items())


def test_the_critic_counts_only_after_its_warmup(prepared, tmp_path):
    early = recipe(steps=3, every=3)
    other = msgspec.structs.replace(
        early, adversarial=msgspec.structs.replace(early.adversarial, weight=9.0, matching=9.0)
    )
    finetune(early, prepared, tmp_path / "a")
    finetune(other, prepared, tmp_path / "b")
    a, b = (load_checkpoint(tmp_path / name).network for name in "ab")
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_losses_that_are_no_numbers_move_nothing_and_end_it_with_a_reason(
    prepared, tmp_path, monkeypatch
):
    def broken(sr, hr, **_):
        return (sr - hr).mean() * float("nan")

    finetune(recipe(), prepared, tmp_path)
    before = load_checkpoint(tmp_path)
    monkeypatch.setattr(module, "restoration_loss", broken)
    with pytest.raises(TrainingError, match="no numbers for 10 steps in a row"):
        finetune(recipe(steps=20, every=20), prepared, tmp_path / "other")
    short = recipe(steps=5, every=5)
    finetune(short, prepared, tmp_path / "short")
    after = load_checkpoint(tmp_path / "short")
    assert after.critic["skipped"] == 5
    assert all(torch.isfinite(v).all() for v in after.network.values())
    assert before.critic["skipped"] == 0
