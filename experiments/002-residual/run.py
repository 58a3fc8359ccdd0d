"""What does learning only the residual change, at the same budget?

    python experiments/002-residual/run.py PHOTOS BENCH [--work FOLDER] [--jobs N]

Prepares the luma set, trains every network of config.toml at three rates with one seed, then the
other seeds at its best rate, and writes results.json and the figures. Stopped and started again it
goes on: a training that is finished is not done again.
"""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from summary import write_results

from pixelift.train.config import Recipe
from study import Training, prepare_set, run_all

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Prepare, train, sum up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder with train/ and valid/")
    parser.add_argument("bench", type=Path, help="folder with Set14/HR")
    parser.add_argument("--work", type=Path, default=HERE / "work", help="for set and runs")
    parser.add_argument("--config", type=Path, default=HERE / "config.toml", help="what to compare")
    parser.add_argument("--results", type=Path, default=HERE, help="for results.json and figures")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, a core each")
    chosen = parser.parse_args()

    config = tomllib.loads(chosen.config.read_text(encoding="utf-8"))
    prepared = chosen.work / "sets" / "y"
    photos_sha256 = prepare_set(chosen.photos, prepared, channels="y")

    def carry_out(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        trainings = [
            Training(
                f"{r['network']}_x{r['scale']}-{r['rate']:g}-{r['seed']}",
                recipe_of(config, **r),
                prepared,
                chosen.bench / "Set14",
                equal_border=True,
            )
            for r in runs
        ]
        curves = run_all(trainings, chosen.work / "runs", jobs=chosen.jobs)
        return [run | curve for run, curve in zip(runs, curves, strict=True)]

    sweep = carry_out(sweep_of(config))
    best = best_rates(sweep)
    rest = [
        {"network": network, "scale": scale, "rate": rate, "seed": seed}
        for seed in config["seeds"][1:]
        for (network, scale), rate in best.items()
    ]
    kept = [r for r in sweep if best[r["network"], r["scale"]] == r["rate"]] + carry_out(rest)
    write_results(
        config,
        chosen.results,
        sweep=sweep,
        kept=kept,
        prepared=prepared,
        set14=chosen.bench / "Set14",
        photos_sha256=photos_sha256,
    )


def sweep_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    """List the trainings by which the rates are chosen."""
    return [
        {"network": n["name"], "scale": scale, "rate": rate, "seed": config["seeds"][0]}
        for scale in config["scales"]
        for n in config["network"]
        for rate in n["rates"]
    ]


def best_rates(sweep: list[dict[str, Any]]) -> dict[tuple[str, int], float]:
    """Choose for each network and scale the rate that ends highest on photos/valid."""
    best: dict[tuple[str, int], dict[str, Any]] = {}
    for run in sweep:
        key = run["network"], run["scale"]
        if key not in best or run["valid"][-1] > best[key]["valid"][-1]:
            best[key] = run
    return {key: run["rate"] for key, run in best.items()}


def recipe_of(
    config: dict[str, Any], *, network: str, scale: int, rate: float, seed: int
) -> Recipe:
    """Write the recipe of a training; all but network and rate is shared."""
    found = next(n for n in config["network"] if n["name"] == network)
    table = {
        "model": {
            "architecture": found["architecture"],
            "scale": scale,
            "dials": found["dials"],
        },
        "data": {"lr_patch": config["hr_patch"] // scale, "batch": config["batch"]},
        "optim": {
            "steps": config["steps"],
            "learning_rate": rate,
            "schedule": config["schedule"],
            "warmup": config["warmup"],
            "ema": config["ema"],
        },
        "run": {
            "seed": seed,
            "precision": config["precision"],
            "validate_every": config["validate_every"],
            "valid_crop": config["valid_crop"],
        },
    }
    return msgspec.convert(table, Recipe)


if __name__ == "__main__":
    main()
