"""What does learning only the residual change, at the same budget?

    python experiments/002-residual/run.py PHOTOS BENCH [--work FOLDER] [--jobs N]

Prepares the luma set, trains every network of config.toml at three rates with one seed, then the
other seeds at its best rate, and writes results.json and the figures. Stopped and started again it
goes on: a training that is finished is not done again.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from summary import write_results

from pixelift.train.config import Recipe
from study import Training, parser_of, prepare_set, run_all, shared_recipe

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Prepare, train, sum up."""
    parser = parser_of(__doc__ or "", HERE)
    parser.add_argument("photos", type=Path, help="folder with train/ and valid/")
    parser.add_argument("bench", type=Path, help="folder with Set14/HR")
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
    model = {"architecture": found["architecture"], "scale": scale, "dials": found["dials"]}
    lr_patch = config["hr_patch"] // scale
    return shared_recipe(config, model, lr_patch=lr_patch, learning_rate=rate, seed=seed)


if __name__ == "__main__":
    main()
