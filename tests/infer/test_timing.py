import importlib.util
from types import SimpleNamespace

import pytest

from pixelift.errors import EngineUnavailableError
from pixelift.image.geometry import Size
from pixelift.infer import timing
from pixelift.infer.timing import Setting, Timing, advice, fastest, measure, search
from tests.fakes import write_model

PAIRS = [("openvino", "f32"), ("openvino", "bf16"), ("onnxruntime", "f32")]


def made_up(setting):
    """The quickest is bf16 on one thread in tiles of 128."""
    seconds = 1.0
    seconds *= 0.5 if setting.precision == "bf16" else 1
    seconds *= 0.9 if setting.threads == 1 else 1
    seconds *= 0.8 if setting.tile == 128 else 1
    return Timing("net", 4, setting, seconds, 2 * seconds, 1 / seconds)


def test_each_step_keeps_the_best_of_the_one_before():
    timings = search(made_up, pairs=PAIRS, cores=4)
    assert fastest(timings).setting == Setting("openvino", "bf16", 1, 128)
    tried = [row.setting for row in timings]
    assert len(tried) == len(set(tried)) == 3 + 2 + 2
    assert {setting.threads for setting in tried} == {1, 2, 4}


def test_a_run_that_was_disturbed_is_not_believed():
    disturbed = [9.0, 1.0, 2.0, 2.0]  # the first way twice as fast, but not in its first run
    times = iter([disturbed[0], disturbed[2], disturbed[1], disturbed[3], *[5.0] * 9])
    timings = search(
        lambda setting: Timing("net", 4, setting, next(times), 1, 1), pairs=PAIRS[:2], cores=2
    )
    assert fastest(timings).setting.precision == "f32"


def test_a_single_core_is_not_tried_twice():
    assert len(search(made_up, pairs=PAIRS[:1], cores=1)) == 1 + 2


def test_the_advice_names_only_what_differs():
    timings = search(made_up, pairs=PAIRS, cores=4)
    usual = Setting("openvino", "bf16", 4, None)
    assert advice(timings, without_flags=usual) == (
        "1.39 times as fast as without flags: pixelift upscale --threads 1 --tile 128"
    )


def test_what_gains_little_is_not_advised():
    rows = [
        Timing("net", 4, Setting("openvino", "f32", 2, tile), seconds, 1, 1)
        for tile, seconds in ((None, 1.0), (256, 0.98))
    ]
    assert "nothing to type" in advice(rows, without_flags=rows[0].setting)


def test_a_machine_without_an_engine_is_told_what_to_install(monkeypatch):
    def missing(*_, **__):
        raise EngineUnavailableError("missing")

    monkeypatch.setattr(timing, "Upscaler", missing)
    with pytest.raises(EngineUnavailableError, match="pip install openvino"):
        timing.usable("net", scale=4)


def test_the_first_picture_counts_with_the_opening_and_the_others_by_their_median(monkeypatch):
    readings = iter([10.0, 15.0, *(20.0, 21.0), *(30.0, 39.0), *(40.0, 42.0)])
    clock = SimpleNamespace(perf_counter=lambda: next(readings))
    monkeypatch.setattr(timing, "time", clock)
    upscaler = SimpleNamespace(upscale=lambda _: None)
    monkeypatch.setattr(timing, "Upscaler", lambda *_, **__: upscaler)
    setting = Setting("openvino", "f32", 1, 64)
    row = measure("net", scale=2, setting=setting, size=Size(500, 1000), repeats=3)
    assert (row.first_seconds, row.seconds, row.megapixels_per_second) == (5.0, 2.0, 1.0)


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is missing")
def test_a_network_is_timed_through_the_library(tmp_path, monkeypatch):
    write_model(tmp_path / "models", name="tiny", scale=2, width=4, depth=2)
    monkeypatch.setenv("PIXELIFT_HOME", str(tmp_path))
    setting = Setting("openvino", "f32", 1, 64)
    row = measure("tiny", scale=2, setting=setting, size=Size(30, 40), repeats=2)
    assert row.setting == setting
    assert row.seconds > 0
    assert row.first_seconds > 0
    assert row.megapixels_per_second > 0
    pairs = timing.usable("tiny", scale=2)
    assert ("openvino", "f32") in pairs
    assert ("openvino", "int8") not in pairs  # it has no ranges
    usual = timing.usual("tiny", scale=2)
    assert (usual.engine, usual.precision) in pairs
    assert (usual.threads, usual.tile) == (timing.usable_cores(), None)
