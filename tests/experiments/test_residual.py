import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pixelift.models.spec import build_model, count_macs, count_parameters
from tests.prepared import write_study_photos

STUDY = Path(__file__).parents[2] / "experiments" / "002-residual"

CONFIG = """
batch = 2
hr_patch = 24
steps = 4
validate_every = 2
scales = [2]
seeds = [0, 1]
schedule = "constant"
warmup = 1
ema = 0.5
precision = "f32"
valid_crop = 96

[[network]]
name = "srcnn"
title = "SRCNN"
architecture = "srcnn"
dials = { channels = 1, width = 4, mapping = 4 }
rates = [1e-3]

[[network]]
name = "residual"
title = "with residual"
architecture = "srcnn"
dials = { channels = 1, width = 4, mapping = 4, residual = true }
rates = [1e-7, 1e-2]
"""


def test_the_first_two_networks_differ_in_the_residual_alone():
    config = tomllib.loads((STUDY / "config.toml").read_text(encoding="utf-8"))
    first, second = config["network"][:2]
    assert second["dials"] == first["dials"] | {"residual": True}
    assert second["rates"] == first["rates"]
    for scale in config["scales"]:
        built = [build_model(n["architecture"], scale=scale, **n["dials"]) for n in (first, second)]
        assert count_parameters(built[0]) == count_parameters(built[1])
        assert count_macs(built[0]) == count_macs(built[1])


@pytest.mark.slow
def test_the_study_runs_from_photos_to_results(tmp_path):
    write_study_photos(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    words = ["photos", "bench", "--work", "work", "--config", "config.toml"]
    command = [sys.executable, str(STUDY / "run.py"), *words, "--results", ".", "--jobs", "1"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    result = json.loads((tmp_path / "results.json").read_text())
    assert len(result["sweep"]) == 3
    best = max((r for r in result["sweep"] if r["network"] == "residual"), key=lambda r: r["valid"])
    srcnn, residual = result["rows"]
    assert residual["rate"] == best["rate"]
    assert srcnn["parameters"] == residual["parameters"]
    assert srcnn["macs_per_hr_pixel"] == residual["macs_per_hr_pixel"]
    # After four steps the residual is next to nothing, and the picture painted anew is no picture.
    assert residual["set14"]["final"] > srcnn["set14"]["final"] + 5
    assert abs(residual["set14"]["final"] - result["bicubic"]["2"]["set14"]) < 3
    assert residual["valid"]["steps_to_baseline"] == [2, 2]
    assert {c["seed"] for c in result["curves"]} == {0, 1}
    assert (tmp_path / "figures" / "curves_x2.png").stat().st_size > 10_000
