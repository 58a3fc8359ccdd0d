"""How much sooner does a network learn when crops are drawn by what they teach?

    python experiments/001-sampling/run.py PHOTOS BENCH [--work FOLDER] [--jobs N]

Prepares the collections, trains every network of config.toml with every rule and seed, and writes
results.json and the figures. Stopped and started again it goes on: a training that is finished is
not done again.
"""

import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from photo_sets import prepare_sets
from summary import write_results
from trainings import COLLECTIONS, jobs_of, time_step, training_of

from study import parser_of, run_all

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Prepare, train, sum up."""
    parser = parser_of(__doc__ or "", HERE)
    parser.add_argument("photos", type=Path, help="folder with train/, valid/ and SOURCES.tsv")
    parser.add_argument("bench", type=Path, help="folder with Set14/HR")
    parser.add_argument("--only", default="", help="trainings whose name holds this text")
    chosen = parser.parse_args()

    config = tomllib.loads(chosen.config.read_text(encoding="utf-8"))
    preparing = prepare_sets(chosen.photos, chosen.work / "sets", COLLECTIONS)
    jobs = [job for job in jobs_of(config) if chosen.only in job.name]
    trainings = [training_of(j, config, work=chosen.work, bench=chosen.bench) for j in jobs]
    curves = run_all(trainings, chosen.work / "runs", jobs=chosen.jobs)
    results = [asdict(job) | curve for job, curve in zip(jobs, curves, strict=True)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        seconds = {
            f"{network['name']}_x{scale}": alone.submit(
                time_step, network["name"], int(scale), config, chosen.work
            ).result()
            for network in config["network"]
            for scale in network["hr_patch"]
        }
    write_results(config, results, chosen.results, preparing=preparing, seconds_per_step=seconds)


if __name__ == "__main__":
    main()
