"""Which width and depth give most for their latency on a CPU?

    python experiments/003-balance/run.py PHOTOS BENCH [--work FOLDER] [--jobs N]
    python experiments/003-balance/run.py --latency

The first form prepares the sets, trains every network of config.toml and writes results.json.
Stopped and started again it goes on: a training that is finished is not done again. The second
measures the latency of the same networks into the same file; nothing else should run then.
"""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from latency import measure_latency
from networks import Network, network_of, networks_of, recipe_of
from summary import write_latency, write_trained

from study import Training, parser_of, prepare_set, run_all

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Prepare, train and sum up, or measure latency."""
    parser = parser_of(__doc__ or "", HERE)
    parser.add_argument("photos", type=Path, nargs="?", help="folder with train/ and valid/")
    parser.add_argument("bench", type=Path, nargs="?", help="folder with Set14/HR")
    parser.add_argument("--latency", action="store_true", help="measure latency, train nothing")
    chosen = parser.parse_args()
    config = tomllib.loads(chosen.config.read_text(encoding="utf-8"))
    if chosen.latency:
        write_latency(config, chosen.results, measure_latency(config))
    elif chosen.photos and chosen.bench:
        train_all(config, chosen)
    else:
        parser.error("name PHOTOS and BENCH, or --latency")


def train_all(config: dict[str, Any], chosen: argparse.Namespace) -> None:
    """Prepare the sets, train what is not trained yet, and sum up."""
    networks = networks_of(config)
    kinds = {"y" if n.channels == 1 else "rgb" for n in networks}
    sets = {kind: chosen.work / "sets" / kind for kind in kinds}
    photos = {k: prepare_set(chosen.photos, f, channels=k) for k, f in sets.items()}
    jobs = [(n, config["seed"]) for n in networks]
    jobs += [
        (network_of(config, *size), config["again"]["seed"]) for size in config["again"]["sizes"]
    ]
    # The longest first: both cores are busy to the end.
    jobs.sort(key=lambda job: -job[0].macs)

    def training(network: Network, seed: int) -> Training:
        return Training(
            f"{network.name}-{seed}",
            recipe_of(config, network, seed=seed),
            sets["y" if network.channels == 1 else "rgb"],
            chosen.bench / "Set14",
            equal_border=True,
        )

    macs = {f"{n.name}-{seed}": n.macs for n, seed in jobs}
    curves = run_all(
        [training(*job) for job in jobs],
        chosen.work / "runs",
        jobs=chosen.jobs,
        # What a step costs beside its convolutions, in the same unit.
        cost=lambda t: macs[t.name] + 25_000,
    )
    runs = [
        {"network": n.name, "seed": seed} | c for (n, seed), c in zip(jobs, curves, strict=True)
    ]
    write_trained(config, chosen.results, runs=runs, photos_sha256=photos["rgb"])


if __name__ == "__main__":
    main()
