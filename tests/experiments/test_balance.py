import json
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.prepared import write_study_photos

STUDY = Path(__file__).parents[2] / "experiments" / "003-balance"

CONFIG = """
scale = 4
lr_patch = 12
batch = 2
steps = 2
validate_every = 1
schedule = "cosine"
learning_rate = 1e-3
warmup = 1
ema = 0.5
precision = "f32"
valid_crop = 120
identity_from_depth = 3
seed = 0
sizes = [[4, 1], [4, 3]]
luma_sizes = [[4, 1]]

[again]
seed = 1
sizes = [[4, 1]]

[yardstick]
width = 32
middle = 2

[latency]
lr = [90, 160]
rounds = 2

[[tier]]
name = "any"
parameters = 1_000_000
share = 1000.0

[[tier]]
name = "none"
parameters = 10
share = 1000.0
"""


@pytest.fixture
def summary(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(STUDY), str(STUDY.parent), *sys.path])
    return runpy.run_path(str(STUDY / "summary.py"))


def test_the_front_leaves_out_what_is_beaten_in_both(summary):
    points = [("slow", 9.0, 30.0), ("fast", 1.0, 28.0), ("dear", 5.0, 27.9), ("fair", 3.0, 29.0)]
    assert summary["pareto"](points) == ["fast", "fair", "slow"]
    assert summary["pareto"]([("a", 2.0, 28.0), ("b", 2.0, 28.5)]) == ["b"]


def test_a_tier_takes_the_best_network_within_both_of_its_limits(summary):
    rows = [
        {"network": "small", "channels": 3, "parameters": 10, "valid": 26.0},
        {"network": "large", "channels": 3, "parameters": 99, "valid": 27.0},
        {"network": "slow", "channels": 3, "parameters": 20, "valid": 28.0},
        {"network": "luma", "channels": 1, "parameters": 10, "valid": 29.0},
    ]
    ms = {"yardstick": 100.0, "small": 5.0, "large": 8.0, "slow": 60.0, "luma": 1.0}
    table = {
        "config": {
            "tier": [
                {"name": "first", "parameters": 50, "share": 0.1},
                {"name": "second", "parameters": 100, "share": 0.1},
                {"name": "third", "parameters": 100, "share": 1.0},
            ]
        },
        "rows": rows,
        "latency": {"rows": [{"network": name, "f32": value} for name, value in ms.items()]},
    }
    assert [row["chosen"] for row in summary["choose"](table)] == ["small", "large", "slow"]


def test_the_study_compares_at_least_twelve_networks_and_switches_the_identity_by_depth():
    config = tomllib.loads((STUDY / "config.toml").read_text(encoding="utf-8"))
    sizes = {tuple(size) for size in config["sizes"]}
    assert len(sizes) >= 12
    assert {tuple(size) for size in config["again"]["sizes"]} <= sizes
    assert {depth >= config["identity_from_depth"] for _, depth in sizes} == {True, False}


@pytest.mark.slow
def test_the_study_trains_and_then_measures_latency_into_the_same_file(tmp_path):
    write_study_photos(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)

    def run(*words):
        words = [*words, "--work", "work", "--config", "config.toml", "--results", "."]
        command = [sys.executable, str(STUDY / "run.py"), *words, "--jobs", "1"]
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads((tmp_path / "results.json").read_text())

    trained = run("photos", "bench")
    assert [row["network"] for row in trained["rows"]] == ["4x1", "4x3", "4x1-y"]
    assert [row["identity"] for row in trained["rows"]] == [False, True, False]
    assert [len(row["valid_again"]) for row in trained["rows"]] == [1, 0, 0]
    assert all(len(curve["valid"]) == 2 for curve in trained["curves"])

    measured = run("--latency")
    assert measured["curves"] == trained["curves"]
    latency = measured["latency"]
    assert [row["network"] for row in latency["rows"]] == ["4x1", "4x3", "4x1-y", "yardstick"]
    assert all(row["f32"] > 0 and row["f32_avx2"] > 0 for row in latency["rows"])
    assert latency["chroma_ms"] > 0
    assert not any("avx512" in kernel for kernel in latency["kernels"]["AVX2"])
    assert measured["tiers"][0]["chosen"] in ("4x1", "4x3")
    assert measured["tiers"][1]["chosen"] is None
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {"balance.png", "curves.png"}
