import json

import pytest

from pixelift.infer import timing
from pixelift.infer.timing import Timing


@pytest.fixture
def quick(monkeypatch, home):
    """No network is run: the time grows with the tile."""
    monkeypatch.setenv("PIXELIFT_HOME", str(home))

    def measure(model, *, scale, setting, repeats):
        del repeats
        return Timing(model, scale, setting, (setting.tile or 512) / 1000, 1.0, 2.0)

    monkeypatch.setattr(timing, "measure", measure)
    pairs = [("openvino", "f32"), ("openvino", "bf16")]
    usual = timing.Setting("openvino", "bf16", 2, None)
    monkeypatch.setattr(timing, "usable", lambda *_, **__: pairs)
    monkeypatch.setattr(timing, "usual", lambda *_, **__: usual)


@pytest.mark.usefixtures("quick")
def test_a_table_and_the_flags_to_use_are_printed(told):
    code, out, err = told("bench", "-m", "fake", "-s", "2")
    assert code == 0
    assert "| fake x2 | openvino |" in out
    assert out.splitlines()[-1] == (
        "fake: 4.00 times as fast as without flags: pixelift upscale --precision f32 --tile 128"
    )
    assert "measuring fake x2" in err


@pytest.mark.usefixtures("quick")
def test_json_holds_every_timing_and_nothing_else_is_printed(told):
    code, out, err = told("bench", "-m", "fake", "-s", "2", "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["timings"][0]["setting"] == {
        "engine": "openvino",
        "precision": "f32",
        "threads": 2,
        "tile": None,
    }
    assert set(report["advice"]) == {"fake"}


@pytest.mark.usefixtures("quick")
def test_without_a_name_all_models_of_the_scale_are_measured(told):
    _, out, _ = told("bench", "-s", "2", "--json")
    assert {"fake", "balanced"} <= set(json.loads(out)["advice"])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("words", "message"),
    [(["--repeats", "0"], "repeats is 0; allowed"), (["-s", "13"], "no model has scale 13")],
)
def test_what_makes_no_sense_is_refused(told, words, message):
    code, out, err = told("bench", *words)
    assert (code, out) == (2, "")
    assert message in err
