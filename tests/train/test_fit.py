from dataclasses import replace

import msgspec
import pytest
import torch

from pixelift.errors import TrainingError, WrongDatasetError, WrongRunError
from pixelift.models.repnet import RepNet
from pixelift.train import fit as fit_module
from pixelift.train.checkpoint import (
    describe_origin,
    load_checkpoint,
    load_weights,
    read_run,
    write_notes,
)
from pixelift.train.config import DataSettings, ModelSettings, OptimSettings, Recipe, RunSettings
from pixelift.train.fit import fit
from pixelift.train.logbook import read_log
from pixelift.train.validate import measure, validation_crops
from tests.prepared import make_prepared


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return make_prepared(tmp_path_factory.mktemp("fit"))


def recipe(*, steps=20, every=10, scale=2, **optim):
    return Recipe(
        model=ModelSettings(scale=scale, dials={"width": 8, "depth": 2}),
        data=DataSettings(lr_patch=12, batch=4),
        optim=OptimSettings(steps=steps, warmup=5, **optim),
        run=RunSettings(precision="f32", validate_every=every, valid_crop=64),
    )


def test_training_learns_more_than_interpolation(prepared, tmp_path):
    best = fit(recipe(steps=200, every=100, learning_rate=3e-3), prepared, tmp_path)
    network = RepNet(scale=2, width=8, depth=2)
    torch.nn.init.zeros_(network.tail.mix)
    pairs = validation_crops(prepared, scale=2, side=64)
    assert best > measure(network, pairs, shave=8) + 0.3
    log = read_log(tmp_path)
    assert log[-1]["loss"] < log[0]["loss"]
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_every_line_of_the_log_is_reported(prepared, tmp_path):
    reports = []
    fit(recipe(), prepared, tmp_path, report=reports.append)
    assert [(r.step, r.steps) for r in reports] == [(10, 20), (20, 20)]
    assert reports[-1].best == max(r.psnr_y for r in reports)


def test_further_pairs_are_logged_and_decide_nothing(prepared, tmp_path):
    pairs = validation_crops(prepared, scale=2, side=64)
    alone = fit(recipe(), prepared, tmp_path / "alone")
    both = fit(recipe(), prepared, tmp_path / "both", also={"others": pairs[:1]})
    assert alone == both
    logged = [line for line in read_log(tmp_path / "both") if "psnr_y" in line]
    assert all(line["psnr_y_others"] > 10 for line in logged)
    assert "psnr_y_others" not in read_log(tmp_path / "alone")[-1]


def test_a_network_is_trained_on_degraded_pictures_and_measured_on_both(prepared, tmp_path):
    data = DataSettings(lr_patch=12, batch=4, degrade="photo", clean_share=0.5)
    degraded = msgspec.structs.replace(recipe(), data=data)
    best = fit(degraded, prepared, tmp_path)
    logged = [line for line in read_log(tmp_path) if "psnr_y" in line]
    assert best == max(line["psnr_y"] for line in logged)
    assert all(line["psnr_y_clean"] > line["psnr_y"] for line in logged)
    assert (tmp_path / "valid_plans.json").read_text().count('"scale": 2') == 1


def test_a_luma_set_trains_a_luma_network_and_no_other(tmp_path):
    prepared = make_prepared(tmp_path, channels="y")
    with pytest.raises(WrongDatasetError, match=r"1 channel, the recipe trains a network of 3"):
        fit(recipe(), prepared, tmp_path / "colour")
    model = ModelSettings(architecture="srcnn", scale=2, dials={"channels": 1, "width": 8})
    luma = msgspec.structs.replace(recipe(steps=60, every=30, learning_rate=3e-3), model=model)
    assert fit(luma, prepared, tmp_path / "luma") > 12
    losses = [line["loss"] for line in read_log(tmp_path / "luma") if "loss" in line]
    assert losses[-1] < losses[0]


def test_with_a_constant_rate_the_length_of_the_run_changes_no_step(prepared, tmp_path):
    for steps in (10, 20):
        fit(recipe(steps=steps, schedule="constant"), prepared, tmp_path / str(steps))
    assert read_log(tmp_path / "10")[0]["psnr_y"] == read_log(tmp_path / "20")[0]["psnr_y"]


def test_interrupted_and_resumed_is_bit_for_bit_undisturbed(prepared, tmp_path, monkeypatch):
    fit(recipe(), prepared, tmp_path / "whole")

    step = fit_module._train_step

    def killed(recipe, state, forward, batch, number, device):
        if number == 13:
            raise KeyboardInterrupt
        return step(recipe, state, forward, batch, number, device)

    monkeypatch.setattr(fit_module, "_train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe(), prepared, tmp_path / "resumed")
    monkeypatch.setattr(fit_module, "_train_step", step)
    assert load_checkpoint(tmp_path / "resumed").step == 10
    fit(recipe(), prepared, tmp_path / "resumed", resume=True)

    whole, resumed = (load_checkpoint(tmp_path / n) for n in ("whole", "resumed"))
    for part in ("network", "ema"):
        for key, value in getattr(whole, part).items():
            assert torch.equal(value, getattr(resumed, part)[key]), (part, key)
    timeless = [
        [{k: v for k, v in line.items() if "second" not in k} for line in read_log(tmp_path / n)]
        for n in ("whole", "resumed")
    ]
    assert timeless[0] == timeless[1]


def test_the_best_weights_are_those_of_the_best_validation(prepared, tmp_path, monkeypatch):
    values = iter([30.0, 29.0])
    monkeypatch.setattr(fit_module, "measure", lambda *_, **__: next(values))
    assert fit(recipe(), prepared, tmp_path) == 30.0
    last = load_checkpoint(tmp_path).ema
    best = load_weights(tmp_path / "best.safetensors")
    assert not torch.equal(best["head.wide"], last["head.wide"])


def test_a_run_of_another_scale_is_started_from(prepared, tmp_path):
    fit(recipe(), prepared, tmp_path / "x2")
    warm = recipe(steps=1, every=1, scale=4, learning_rate=1e-9)
    run = RunSettings(
        precision="f32", validate_every=1, valid_crop=64, start_from=str(tmp_path / "x2")
    )
    fit(Recipe(warm.model, warm.data, warm.optim, run), prepared, tmp_path / "x4")
    x2, x4 = (load_weights(tmp_path / n / "best.safetensors") for n in ("x2", "x4"))
    assert torch.allclose(x2["head.wide"], x4["head.wide"], atol=1e-6)
    assert x2["tail.mix"].shape != x4["tail.mix"].shape


def test_a_loss_that_is_no_number_stops_with_a_reason(prepared, tmp_path):
    with pytest.raises(TrainingError, match=r"the loss became (nan|inf).*learning_rate"):
        fit(recipe(steps=100, every=100, learning_rate=1e30), prepared, tmp_path)


def test_a_run_folder_in_use_and_one_of_another_recipe_are_refused(prepared, tmp_path):
    fit(recipe(), prepared, tmp_path)
    with pytest.raises(WrongRunError, match="Go on with it by --resume"):
        fit(recipe(), prepared, tmp_path)
    with pytest.raises(WrongRunError, match="another recipe"):
        fit(recipe(steps=30), prepared, tmp_path, resume=True)
    assert read_run(tmp_path)[0] == recipe()


def test_a_run_does_not_go_on_with_other_photos(prepared, tmp_path):
    fit(recipe(), prepared, tmp_path)
    fewer = tuple(p for p in prepared.manifest.pictures if p.number != 0)
    other = replace(prepared, manifest=msgspec.structs.replace(prepared.manifest, pictures=fewer))
    with pytest.raises(WrongRunError, match="trained on other photos"):
        fit(recipe(), other, tmp_path, resume=True)
    assert read_run(tmp_path)[1].photos_sha256 == prepared.manifest.photos_sha256


def test_the_photos_behind_the_first_weights_are_noted(prepared, tmp_path):
    fit(recipe(steps=1, every=1), prepared, tmp_path / "first")
    run = RunSettings(
        precision="f32", validate_every=1, valid_crop=64, start_from=str(tmp_path / "first")
    )
    second = recipe(steps=1)
    fit(Recipe(second.model, second.data, second.optim, run), prepared, tmp_path / "second")
    assert read_run(tmp_path / "first")[1].started_from == ""
    assert read_run(tmp_path / "second")[1].started_from == prepared.manifest.photos_sha256


def test_photos_of_a_run_before_the_last_are_not_forgotten(prepared, tmp_path):
    first = describe_origin(prepared.manifest, start_from=None)
    other = {"photos_sha256": "ab" * 32, "started_from": first.photos_sha256}
    for changes in ({"started_from": "ab" * 32}, other):
        write_notes(tmp_path, recipe(), msgspec.structs.replace(first, **changes))
        assert describe_origin(prepared.manifest, start_from=tmp_path).started_from == "ab" * 32


def test_a_set_without_validation_photos_is_refused(prepared, tmp_path):
    training_only = [p for p in prepared.manifest.pictures if p.split == "train"]
    manifest = msgspec.structs.replace(prepared.manifest, pictures=tuple(training_only))
    with pytest.raises(WrongDatasetError, match="Prepare it again with --valid"):
        fit(recipe(), replace(prepared, manifest=manifest), tmp_path)


@pytest.mark.gpu
def test_training_runs_on_a_gpu(prepared, tmp_path):
    assert fit(recipe(), prepared, tmp_path) > 0
