"""The trainings of the study: which there are, and what each is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import torch

from pixelift.patches.dataset import open_dataset
from pixelift.train.config import Recipe
from pixelift.train.fit import fit
from pixelift.train.logbook import read_log
from study import Training

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


def training_of(job: Job, config: dict[str, Any], *, work: Path, bench: Path) -> Training:
    """Say what is trained on what, under the name of the job."""
    recipe = recipe_of(job, config)
    return Training(job.name, recipe, work / "sets" / job.collection, bench / "Set14")


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
