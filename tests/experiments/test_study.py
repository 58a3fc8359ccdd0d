import importlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from pixelift.train.config import Recipe
from pixelift.train.watch import State
from tests.prepared import make_prepared, natural_photo

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    threads = torch.get_num_threads()
    yield importlib.import_module("study")
    torch.set_num_threads(threads)


def recipe(**changes):
    table = {
        "model": {"architecture": "espcn", "scale": 2, "dials": {"width": 4, "channels": 1}},
        "data": {"lr_patch": 12, "batch": 2},
        "optim": {"steps": 4, "warmup": 1},
        "run": {"validate_every": 2, "valid_crop": 96},
    }
    return msgspec.convert(table | changes, Recipe)


@pytest.fixture
def training(tmp_path, study):
    make_prepared(tmp_path, channels="y")
    (tmp_path / "Set14" / "HR").mkdir(parents=True)
    photo = natural_photo(np.random.default_rng(4), 41, 50)
    Image.fromarray(photo).save(tmp_path / "Set14" / "HR" / "a.png")
    return study.Training("one", recipe(), tmp_path / "set", tmp_path / "Set14", equal_border=True)


def test_a_finished_training_is_read_and_not_done_again(study, training, tmp_path):
    curves = study.train(training, tmp_path / "runs")
    assert curves["steps"] == [2, 4]
    assert len(curves["valid"]) == len(curves["set14"]) == len(curves["loss"]) == 2
    assert 0 < curves["seconds_per_step"] < curves["processor_seconds"]
    log = tmp_path / "runs" / "one" / "log.jsonl"
    log.unlink()
    assert study.train(training, tmp_path / "runs") == curves
    assert not log.exists()


def test_curves_of_another_recipe_are_not_taken_for_this_one(study, training, tmp_path):
    study.train(training, tmp_path / "runs")
    longer = recipe(optim={"steps": 6, "warmup": 1})
    other = study.Training("one", longer, training.prepared, training.set14)
    with pytest.raises(SystemExit, match="another recipe"):
        study.train(other, tmp_path / "runs")


def test_a_step_is_timed_where_no_validation_lies_between(study, monkeypatch):
    now = iter([0.0, 5.0, 9.0, 29.0])
    monkeypatch.setattr(study.time, "process_time", lambda: next(now))
    clock = study.StepClock()
    for step, psnr_y in ((100, 30.0), (200, None), (300, 31.0)):
        clock.report(State(step, 300, 1.0, 5.0, 0.1, psnr_y, 31.0))
    assert clock.per_step() == 0.04
    assert clock.total() == 29


def test_set14_is_given_as_the_network_takes_it(study, training):
    ((lr, hr),) = study.set14_pairs(training.set14, scale=2, channels=3)
    assert lr.shape == (1, 3, 20, 25)
    assert hr.shape == (40, 50, 3)
    ((lr_y, hr_y),) = study.set14_pairs(training.set14, scale=2, channels=1)
    assert lr_y.shape == (1, 1, 20, 25)
    levels = hr_y * 255
    assert np.allclose(levels, np.round(levels), atol=1e-4)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    assert np.abs(levels[..., 0] - (hr @ weights * 255 + 16)).max() <= 0.51


def test_a_band_is_the_least_the_mean_and_the_greatest(study):
    assert list(study.band([[1, 5], [2, 5], [6, 2]])) == [(1, 3, 6), (2, 4, 5)]
