import json
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from pixelift.data.sample import Sampling
from tests.prepared import natural_photo

STUDY = Path(__file__).parents[2] / "experiments" / "001-sampling"

CONFIG = """
batch = 2
seeds = [0]
schedule = "constant"
warmup = 1
ema = 0.5
valid_crop = 120

[[network]]
name = "residual"
title = "a small RepNet"
architecture = "repnet"
dials = { width = 4, depth = 1, channels = 1 }
learning_rate = 1e-3
hr_patch = { 4 = 48 }
steps = 4
validate_every = 2

[[rule]]
name = "uniform"
title = "uniform"
drawn = true
sampling = { by = "uniform" }

[[rule]]
name = "gain"
title = "gain"
drawn = true
collections = ["all"]
sampling = { by = "restoration_gain" }
"""


def write_photos(folder):
    rng = np.random.default_rng(3)
    lines = ["file\tkind"]
    for split, count in (("train", 3), ("valid", 1)):
        (folder / split).mkdir(parents=True)
        for n in range(count):
            Image.fromarray(natural_photo(rng, 144, 192)).save(folder / split / f"{n}.png")
            lines.append(f"{split}/{n}.png\t{'ordinary' if n else 'detail'}")
    (folder / "SOURCES.tsv").write_text("\n".join(lines) + "\n")


def test_the_rule_that_the_study_calls_the_default_is_the_default():
    config = tomllib.loads((STUDY / "config.toml").read_text(encoding="utf-8"))
    (default,) = [rule["sampling"] for rule in config["rule"] if rule.get("default")]
    assert msgspec.convert(default, Sampling) == Sampling()


@pytest.mark.slow
def test_the_study_runs_from_photos_to_results_and_goes_on_where_it_stopped(tmp_path):
    write_photos(tmp_path / "photos")
    (tmp_path / "bench" / "Set14" / "HR").mkdir(parents=True)
    photo = natural_photo(np.random.default_rng(4), 64, 72)
    Image.fromarray(photo).save(tmp_path / "bench" / "Set14" / "HR" / "a.png")
    (tmp_path / "config.toml").write_text(CONFIG)

    def run():
        words = ["photos", "bench", "--work", "work", "--config", "config.toml"]
        command = [sys.executable, str(STUDY / "run.py"), *words, "--results", ".", "--jobs", "1"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert "3/3 ordinary-residual_x4-uniform-0" in run().stdout
    result = json.loads((tmp_path / "results.json").read_text())
    assert [(r["collection"], r["rule"]) for r in result["rows"]] == [
        ("all", "uniform"),
        ("all", "gain"),
        ("ordinary", "uniform"),
    ]
    assert result["preparing"]["all"]["photos"] == 3
    assert result["preparing"]["ordinary"]["photos"] == 2
    assert result["seconds_per_step"]["residual_x4"] > 0
    assert all(len(c["valid"]) == len(c["set14"]) == 2 for c in result["curves"])
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {
        "curves_all.png",
        "curves_ordinary.png",
        "shares.png",
    }

    logs = {p: p.stat().st_mtime_ns for p in (tmp_path / "work" / "runs").rglob("log.jsonl")}
    run()
    assert {p: p.stat().st_mtime_ns for p in logs} == logs
