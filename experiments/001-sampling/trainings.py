"""The trainings of the study: which there are, and carrying one out."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import torch
from photo_sets import set14_pairs

from pixelift.patches.dataset import open_dataset
from pixelift.train.config import Recipe
from pixelift.train.fit import fit
from pixelift.train.logbook import read_log

COLLECTIONS = ("all", "ordinary")
TIMED_STEPS = 400


@dataclass(frozen=True)
class Job:
    """One training of the study."""

    collection: str
    network: str
    scale: int
    rule: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.collection}-{self.network}_x{self.scale}-{self.rule}-{self.seed}"


def jobs_of(config: dict[str, Any]) -> Iterator[Job]:
    """List the trainings, those that answer the main question first."""
    for collection in COLLECTIONS:
        for seed in config["seeds"]:
            for network in config["network"]:
                for scale in sorted(int(s) for s in network["hr_patch"]):
                    for rule in config["rule"]:
                        if collection in rule.get("collections", COLLECTIONS):
                            yield Job(collection, network["name"], scale, rule["name"], seed)


def train(job: Job, config: dict[str, Any], work: Path, bench: Path) -> dict[str, Any]:
    """Carry out one training, or read its curves where it is finished."""
    run = work / "runs" / job.name
    done = run / "done.json"
    if done.is_file():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    torch.set_num_threads(1)
    started = time.process_time()
    fit(
        recipe_of(job, config),
        open_dataset(work / "sets" / job.collection),
        run,
        resume=(run / "checkpoint.pt").is_file(),
        also={"set14": set14_pairs(bench / "Set14", job.scale)},
    )
    lines = [line for line in read_log(run) if "psnr_y" in line]
    result = asdict(job) | {
        "steps": [line["step"] for line in lines],
        "valid": [round(line["psnr_y"], 4) for line in lines],
        "set14": [round(line["psnr_y_set14"], 4) for line in lines],
        "processor_seconds": round(time.process_time() - started, 1),
    }
    done.write_text(json.dumps(result))
    return result


def recipe_of(job: Job, config: dict[str, Any], *, steps: int | None = None) -> Recipe:
    """Write the recipe of a training; nothing but the sampling depends on the rule."""
    network = next(n for n in config["network"] if n["name"] == job.network)
    rule = next(r for r in config["rule"] if r["name"] == job.rule)
    table = {
        "model": {
            "architecture": network["architecture"],
            "scale": job.scale,
            "dials": network["dials"],
        },
        "data": {
            "lr_patch": network["hr_patch"][str(job.scale)] // job.scale,
            "batch": config["batch"],
            "sampling": rule["sampling"],
        },
        "optim": {
            "steps": steps or network["steps"],
            "learning_rate": network["learning_rate"],
            "schedule": config["schedule"],
            "warmup": config["warmup"],
            "ema": config["ema"],
        },
        "run": {
            "seed": job.seed,
            "validate_every": steps or network["validate_every"],
            "valid_crop": config["valid_crop"],
        },
    }
    return msgspec.convert(table, Recipe)


def time_step(network: str, scale: int, config: dict[str, Any], work: Path) -> float:
    """Time a step of a network on one thread, with nothing beside it; in seconds."""
    torch.set_num_threads(1)
    job = Job("all", network, scale, config["rule"][-1]["name"], 0)
    with TemporaryDirectory() as folder:
        prepared = open_dataset(work / "sets" / job.collection)
        fit(recipe_of(job, config, steps=TIMED_STEPS), prepared, Path(folder))
        rates = [line["steps_per_second"] for line in read_log(Path(folder))]
    return round(1 / max(rates), 5)
