import json

import pytest

from tools import study_tables

MADE = {"command": "python experiments/x/run.py", "commit": "abc", "machine": "a machine"}


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(study_tables, "STUDIES", tmp_path)

    def write(name, result):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(json.dumps({"made_by": MADE} | result))

    return write


@pytest.mark.usefixtures("write")
def test_a_study_that_was_not_run_says_how_to_run_it():
    for name in ("residual", "residual_sweep", "balance", "balance_tiers"):
        assert "Not measured yet: `python experiments/00" in study_tables.STUDY_TABLES[name]()


def test_the_residual_table_tells_the_slowest_seed_and_who_never_got_there(write):
    def row(name, finals, steps):
        part = {"finals": finals, "steps_to_baseline": steps}
        return {
            "network": name,
            "scale": 2,
            "rate": 0.001,
            "parameters": 8129,
            "macs_per_hr_pixel": 8057,
            "seconds_per_step": 0.05,
            "valid": part,
            "set14": part,
        }

    networks = [{"name": "a", "title": "first"}, {"name": "b", "title": "second"}]
    config = {"network": networks, "steps": 1000, "seeds": [0, 1], "validate_every": 125}
    result = {
        "config": config,
        "bicubic": {"2": {"valid": 29.0, "set14": 28.5}},
        "rows": [row("a", [29.0, 30.0], [1000, None]), row("b", [31.0, 31.5], [125, 250])],
        "sweep": [{"network": "b", "scale": 2, "rate": 0.001, "valid": 31.0}],
    }
    write("002-residual", result)
    bicubic, first, second = study_tables.residual().splitlines()[2:5]
    assert "29.00" in bicubic
    assert "29.50 (29.00–30.00)" in first
    assert "not by all · not by all" in first
    assert "250 · 250" in second
    assert "8,129" in second
    assert "0.001: 31.00" in study_tables.residual_sweep()
    assert all(value in study_tables.residual() for value in MADE.values())


def test_the_balance_table_is_there_before_latencies_and_marks_the_front_with_them(write, tmp_path):
    row = {
        "network": "8x4",
        "parameters": 6064,
        "macs_per_lr_pixel": 7176,
        "valid": 26.5,
        "valid_again": [26.4],
        "set14": 26.6,
        "set14_again": [],
    }
    config = {"steps": 1200, "tier": [{"name": "swift", "parameters": 20_000, "share": 0.1}]}
    result = {"config": config, "rows": [row]}
    write("003-balance", result)
    before = study_tables.balance()
    assert "26.50 / 26.40" in before
    assert "run.py --latency" in before
    latency = {
        "made_by": MADE,
        "lr": "480x270",
        "rounds": 15,
        "chroma_ms": 30,
        "rows": [
            {"network": "8x4", "f32": 20.0, "f32_avx2": 25.0},
            {"network": "yardstick", "f32": 700.0, "f32_avx2": 800.0},
        ],
    }
    tiers = [{"tier": "swift", "limit_ms": 70.0, "chosen": "8x4"}]
    more = {"latency": latency, "fronts": {"f32": ["8x4"]}, "tiers": tiers, "made_by": MADE}
    (tmp_path / "003-balance" / "results.json").write_text(json.dumps(result | more))
    (line,) = [line for line in study_tables.balance().splitlines() if "8x4" in line]
    assert "20.0*" in line
    assert "–" in line
    assert "0.1 x 700 = 70" in study_tables.balance_tiers()
    assert "8x4" in study_tables.balance_tiers()
