import shutil
from dataclasses import replace

import msgspec
import pytest
import torch

from pixelift.errors import TrainingError, TrainingStopped, WrongDatasetError, WrongRunError
from pixelift.models.repnet import RepNet
from pixelift.train import fit as fit_module
from pixelift.train.checkpoint import (
    describe_origin,
    load_checkpoint,
    load_weights,
    read_run,
)
from pixelift.train.config import (
    DataSettings,
    DistillSettings,
    ModelSettings,
    OptimSettings,
    Recipe,
    RunSettings,
)
from pixelift.train.fit import fit
from pixelift.train.logbook import read_log
from pixelift.train.step import train_step
from pixelift.train.validate import measure, validation_crops
from pixelift.train.watch import Watcher
from pixelift.train.weights import load_trained, open_trained, prepare_teacher
from pixelift.zoo.store import find_model
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


class Recorder(Watcher):
    """Remembers what it was told, and wants to stop after a step."""

    def __init__(self, *, stop_after=None):
        self.told, self.reports, self.steps, self.stop_after = [], [], [], stop_after

    def tell(self, sentence):
        self.told.append(sentence)

    def report(self, state):
        self.reports.append(state)

    def stepped(self, step):
        self.steps.append(step)

    def wants_stop(self):
        return len(self.steps) + 1 == self.stop_after


def test_every_step_and_every_line_of_the_log_is_reported(prepared, tmp_path):
    watch = Recorder()
    fit(recipe(), prepared, tmp_path, watch=watch)
    assert watch.steps == list(range(1, 21))
    assert [(r.step, r.steps) for r in watch.reports] == [(10, 20), (20, 20)]
    assert watch.reports[-1].best == max(r.psnr_y for r in watch.reports)
    assert watch.reports[0].seconds_left > 0 == watch.reports[1].seconds_left
    assert watch.told == []


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
    with pytest.raises(WrongDatasetError, match=r"holds luma alone, the recipe trains a network"):
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


def assert_the_same_training(one, two):
    """Compare weights, their mean, the optimiser's state and the log, all to the last bit."""
    a, b = load_checkpoint(one), load_checkpoint(two)
    assert (a.step, a.best) == (b.step, b.best)
    for part in ("network", "ema"):
        for key, value in getattr(a, part).items():
            assert torch.equal(value, getattr(b, part)[key]), (part, key)
    for key, moments in a.optimizer["state"].items():
        for name, value in moments.items():
            assert torch.equal(value, b.optimizer["state"][key][name]), (key, name)
    timeless = [
        [{k: v for k, v in line.items() if "second" not in k} for line in read_log(folder)]
        for folder in (one, two)
    ]
    assert timeless[0] == timeless[1]
    weights = [load_weights(folder / "best.safetensors") for folder in (one, two)]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_killed_and_resumed_is_bit_for_bit_undisturbed(prepared, tmp_path, monkeypatch):
    fit(recipe(), prepared, tmp_path / "whole")

    def killed(recipe, training, batch, **options):
        if training.step == 13:
            raise MemoryError
        return train_step(recipe, training, batch, **options)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "train_step", killed)
        with pytest.raises(MemoryError):
            fit(recipe(), prepared, tmp_path / "resumed")
    assert load_checkpoint(tmp_path / "resumed").step == 10
    fit(recipe(), prepared, tmp_path / "resumed", resume=True)
    assert_the_same_training(tmp_path / "whole", tmp_path / "resumed")


def test_stopped_between_validations_and_resumed_is_bit_for_bit_undisturbed(prepared, tmp_path):
    fit(recipe(steps=2, every=2), prepared, tmp_path / "teacher")
    taught = msgspec.structs.replace(
        recipe(loss="charbonnier", frequency=0.05),
        run=RunSettings(precision="bf16", validate_every=10, valid_crop=64),
        distill=DistillSettings(teacher=str(tmp_path / "teacher"), weight=0.3),
    )
    fit(taught, prepared, tmp_path / "whole")
    for stop_after, resume in ((4, False), (9, True)):
        watch = Recorder(stop_after=stop_after)
        with pytest.raises(TrainingStopped, match=f"after step {4 if not resume else 13} of 20"):
            fit(taught, prepared, tmp_path / "stopped", watch=watch, resume=resume)
    assert load_checkpoint(tmp_path / "stopped").losses.shape == (3,)
    fit(taught, prepared, tmp_path / "stopped", resume=True)
    assert_the_same_training(tmp_path / "whole", tmp_path / "stopped")


def test_long_steps_leave_checkpoints_between_validations(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_module, "SAVE_EVERY_S", 0.0)
    seen = []

    class Looking(Watcher):
        def stepped(self, _):
            path = tmp_path / "checkpoint.pt"
            seen.append(load_checkpoint(tmp_path).step if path.is_file() else 0)

    fit(recipe(steps=4, every=4), prepared, tmp_path, watch=Looking())
    assert seen == [0, 1, 2, 3]


def test_the_best_weights_are_those_of_the_best_validation(prepared, tmp_path, monkeypatch):
    values = iter([30.0, 29.0])
    monkeypatch.setattr(fit_module, "measure", lambda *_, **__: next(values))
    assert fit(recipe(), prepared, tmp_path) == 30.0
    last = load_checkpoint(tmp_path).ema
    best = load_weights(tmp_path / "best.safetensors")
    assert not torch.equal(best["head.wide"], last["head.wide"])


def test_a_run_of_another_scale_is_started_from(prepared, tmp_path):
    fit(recipe(), prepared, tmp_path / "x2")
    warm = recipe(steps=1, every=1, scale=4, learning_rate=1e-9, final_rate=1e-9)
    run = RunSettings(
        precision="f32", validate_every=1, valid_crop=64, start_from=str(tmp_path / "x2")
    )
    fit(Recipe(warm.model, warm.data, warm.optim, run), prepared, tmp_path / "x4")
    x2, x4 = (load_weights(tmp_path / n / "best.safetensors") for n in ("x2", "x4"))
    assert torch.allclose(x2["head.wide"], x4["head.wide"], atol=1e-6)
    assert x2["tail.mix"].shape != x4["tail.mix"].shape


def test_a_larger_network_goes_on_where_a_small_one_ended(prepared, tmp_path):
    small = fit(recipe(steps=60, every=60, learning_rate=3e-3), prepared, tmp_path / "small")
    watch = Recorder()
    larger = msgspec.structs.replace(
        recipe(steps=1, every=1, learning_rate=1e-9, final_rate=1e-9),
        model=ModelSettings(scale=2, dials={"width": 12, "depth": 3}),
        run=RunSettings(
            precision="f32", validate_every=1, valid_crop=64, start_from=str(tmp_path / "small")
        ),
    )
    grown = fit(larger, prepared, tmp_path / "large", watch=watch)
    # One more convolution, and the same pixels are measured.
    assert grown == pytest.approx(small, abs=0.01)
    assert len(watch.told) == 1
    assert "grown from a repnet x2" in watch.told[0]


def test_a_student_comes_closer_to_its_teacher_than_without_and_takes_it_along(prepared, tmp_path):
    fit(recipe(steps=100, every=100, learning_rate=3e-3), prepared, tmp_path / "teacher")
    model = ModelSettings(scale=2, dials={"width": 4, "depth": 1})
    distances = {}
    teacher = prepare_teacher(open_trained(str(tmp_path / "teacher"), scale=2), model)
    pairs = validation_crops(prepared, scale=2, side=64)
    for weight in (0.0, 1.0):
        alone = msgspec.structs.replace(
            recipe(steps=100, every=50, learning_rate=3e-3),
            model=model,
            distill=DistillSettings(teacher=str(tmp_path / "teacher"), weight=weight),
        )
        fit(alone, prepared, tmp_path / str(weight))
        student, _ = load_trained(tmp_path / str(weight))
        with torch.no_grad():
            distances[weight] = sum(
                (student(lr) - teacher(lr)).abs().mean().item() for lr, _ in pairs
            )
    assert distances[1.0] < distances[0.0]
    assert read_run(tmp_path / "1.0")[1].taught_by == prepared.manifest.photos_sha256
    shutil.rmtree(tmp_path / "teacher")
    fit(alone, prepared, tmp_path / "1.0", resume=True)


def test_a_run_goes_on_with_another_number_of_workers(prepared, tmp_path):
    with pytest.raises(TrainingStopped):
        fit(recipe(), prepared, tmp_path, watch=Recorder(stop_after=3))
    helped = msgspec.structs.replace(recipe(), data=DataSettings(lr_patch=12, batch=4, workers=0))
    fit(helped, prepared, tmp_path, resume=True)
    assert load_checkpoint(tmp_path).step == 20


@pytest.fixture
def poison(monkeypatch):
    """Hand out a function that makes all weights of the head a value after a step."""

    def set_up(value, *, after):
        def poisoned(recipe, training, batch, **options):
            agreed = train_step(recipe, training, batch, **options)
            if training.step == after:
                with torch.no_grad():
                    training.network.head.wide.fill_(value)
            return agreed

        monkeypatch.setattr(fit_module, "train_step", poisoned)

    return set_up


def test_a_loss_that_is_no_number_stops_with_a_reason_and_keeps_what_was_good(
    prepared, tmp_path, poison
):
    poison(torch.nan, after=14)
    with pytest.raises(
        TrainingError,
        match=r"loss became nan; it was 0\.\d+ one step before at step 15 of 20 \(learning rate .*"
        r"checkpoint of step 10 is intact: .* best weights, --set run.start_from=.*, with "
        r"a lower rate, --set optim.learning_rate=0.0003",
    ):
        fit(recipe(), prepared, tmp_path)
    assert all(v.isfinite().all() for v in load_checkpoint(tmp_path).network.values())


def test_weights_that_are_no_numbers_never_replace_a_checkpoint(prepared, tmp_path, poison):
    poison(torch.inf, after=10)
    with pytest.raises(
        TrainingError, match=r"weights are no longer finite at step 10 .* no checkp"
    ):
        fit(recipe(), prepared, tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_run_folder_in_use_and_one_of_another_recipe_are_refused(prepared, tmp_path):
    fit(recipe(), prepared, tmp_path)
    with pytest.raises(WrongRunError, match="Go on with it by --resume"):
        fit(recipe(), prepared, tmp_path)
    with pytest.raises(WrongRunError, match=r"another recipe: optim\.steps is 30 and was 20\."):
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


def test_photos_of_a_run_before_the_last_are_not_forgotten(prepared):
    first = describe_origin(prepared.manifest, start_from=None)
    other = {"photos_sha256": "ab" * 32, "started_from": first.photos_sha256}
    for changes in ({"started_from": "ab" * 32}, other):
        before = msgspec.structs.replace(first, **changes)
        assert describe_origin(prepared.manifest, start_from=before).started_from == "ab" * 32


def test_a_training_begins_with_a_packaged_network_and_its_photos_are_noted(prepared, tmp_path):
    watch = Recorder()
    begun = msgspec.structs.replace(
        recipe(steps=1, every=1, learning_rate=1e-9, final_rate=1e-9),
        model=ModelSettings(scale=2, dials={"width": 32, "depth": 6, "direct": True}),
        run=RunSettings(precision="f32", validate_every=1, valid_crop=64, start_from="balanced"),
    )
    fit(begun, prepared, tmp_path, watch=watch)
    assert watch.told == ["started from balanced: all 16 tensors fit"]
    card, _ = find_model("balanced", scale=2)
    assert read_run(tmp_path)[1].started_from == card.dataset_sha256


def test_a_set_without_validation_photos_is_refused(prepared, tmp_path):
    training_only = [p for p in prepared.manifest.pictures if p.split == "train"]
    manifest = msgspec.structs.replace(prepared.manifest, pictures=tuple(training_only))
    with pytest.raises(WrongDatasetError, match="Prepare it again with --valid"):
        fit(recipe(), replace(prepared, manifest=manifest), tmp_path)


@pytest.mark.gpu
def test_training_runs_on_a_gpu(prepared, tmp_path):
    assert fit(recipe(), prepared, tmp_path) > 0
