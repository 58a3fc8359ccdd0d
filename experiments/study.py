"""What the studies share: sets, trainings in folders of their own, several at a time, resumed.

A study's run.py puts this folder on the path; the birth certificate comes from benchmarks/.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from typing import Any

import msgspec
import numpy as np
import torch

from pixelift.image.color import luma
from pixelift.image.depth import to_u8
from pixelift.image.read import read_picture
from pixelift.image.resize import downscale, modcrop
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Channels, Settings, open_dataset
from pixelift.patches.prepare import prepare
from pixelift.train.checkpoint import CHECKPOINT, recipe_text
from pixelift.train.config import Recipe
from pixelift.train.fit import fit
from pixelift.train.logbook import read_log
from pixelift.train.validate import Pairs, validation_crops
from pixelift.train.watch import State, Watcher

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from stamp import stamp

__all__ = [
    "Training",
    "band",
    "parser_of",
    "prepare_set",
    "run_all",
    "save_results",
    "set14_pairs",
    "shared_recipe",
    "stamp",
]

DONE = "done.json"


@dataclass(frozen=True)
class Training:
    """One training of a study."""

    name: str
    """Name of its folder among the runs."""
    recipe: Recipe
    prepared: Path
    """Folder of the prepared set."""
    set14: Path
    """Folder of Set14, with HR/*.png."""
    equal_border: bool = False
    """Whether photos/valid is measured with a border of the scale, equal for all networks, and not
    with one as wide as the network looks."""


def train(training: Training, runs: Path) -> dict[str, Any]:
    """Carry out one training on one thread, or go on with it, or read its curves where it is done.

    Args:
        training: What to train.
        runs: Folder of all runs.

    Returns:
        Its curves: `steps`, `valid` and `set14` (PSNR-Y in dB) at each validation, `loss` as
        [step, mean] pairs, `processor_seconds` in all and `seconds_per_step` of the training
        alone. Processor time, since other programs may share the cores.
    """
    run = runs / training.name
    recipe = training.recipe
    finished = _read_done(run, recipe)
    if finished:
        return finished
    torch.set_num_threads(1)
    prepared = open_dataset(training.prepared)
    scale, channels = recipe.model.scale, int(recipe.model.dials.get("channels", 3))
    also = {"set14": set14_pairs(training.set14, scale=scale, channels=channels)}
    if training.equal_border:
        also["valid"] = validation_crops(prepared, scale=scale, side=recipe.run.valid_crop)
    clock = StepClock()
    resume = (run / CHECKPOINT).is_file()
    fit(recipe, prepared, run, resume=resume, watch=clock, also=also)
    lines = read_log(run)
    measured = [line for line in lines if "psnr_y" in line]
    valid = "psnr_y_valid" if training.equal_border else "psnr_y"
    curves = {
        "steps": [line["step"] for line in measured],
        "valid": [round(line[valid], 4) for line in measured],
        "set14": [round(line["psnr_y_set14"], 4) for line in measured],
        "loss": [[line["step"], round(line["loss"], 6)] for line in lines if "loss" in line],
        "processor_seconds": round(clock.total(), 1),
        "seconds_per_step": round(clock.per_step(), 5),
    }
    partial = run / (DONE + ".partial")
    partial.write_text(json.dumps({"recipe": recipe_text(recipe), "curves": curves}))
    partial.replace(run / DONE)
    return curves


class StepClock(Watcher):
    """Takes processor time at each line of the log."""

    def __init__(self) -> None:
        """Start."""
        self._started = time.process_time()
        self._marks: list[tuple[int, float, bool]] = []

    def report(self, state: State) -> None:
        """Note a line of the log."""
        self._marks.append((state.step, time.process_time(), state.psnr_y is not None))

    def total(self) -> float:
        """Processor seconds up to the last report."""
        return self._marks[-1][1] - self._started

    def per_step(self) -> float:
        """Processor seconds of a step: the median of the stretches without a validation.

        Where no stretch is without one, their share of everything.
        """
        bare = [
            (late[1] - early[1]) / (late[0] - early[0])
            for early, late in zip(self._marks, self._marks[1:], strict=False)
            if not late[2]
        ]
        return median(bare) if bare else self.total() / self._marks[-1][0]


def _read_done(run: Path, recipe: Recipe) -> dict[str, Any] | None:
    done = run / DONE
    if not done.is_file():
        return None
    found = json.loads(done.read_text())
    if found["recipe"] != recipe_text(recipe):
        raise SystemExit(f"{run} was trained by another recipe. Remove it, or name another --work.")
    curves: dict[str, Any] = found["curves"]
    return curves


def run_all(
    trainings: Sequence[Training],
    runs: Path,
    *,
    jobs: int,
    cost: Callable[[Training], float] = lambda _: 1.0,
) -> list[dict[str, Any]]:
    """Carry out trainings, so many at a time, and tell how it goes.

    Args:
        trainings: In the order in which they are to start.
        runs: Folder of all runs.
        jobs: Trainings at a time, one core each.
        cost: What a training costs beside others, for the minutes that are left.

    Returns:
        The curves in the order of the trainings, see `train`.
    """
    results: dict[str, dict[str, Any]] = {}
    costs = {t.name: cost(t) for t in trainings if not (runs / t.name / DONE).is_file()}
    spent, started = 0.0, time.monotonic()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(train, training, runs): training.name for training in trainings}
        try:
            for future in as_completed(waiting):
                name = waiting[future]
                results[name] = curves = future.result()
                spent += costs.get(name, 0.0)
                ahead = sum(c for other, c in costs.items() if other not in results)
                left = (time.monotonic() - started) * ahead / spent / 60 if spent else 0.0
                print(
                    f"{len(results)}/{len(trainings)} {name}: {curves['valid'][-1]:.3f} dB valid, "
                    f"{curves['set14'][-1]:.3f} dB Set14; about {left:.0f} minutes left",
                    flush=True,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[training.name] for training in trainings]


def parser_of(doc: str, here: Path) -> argparse.ArgumentParser:
    """Make the parser of a study's run.py, with what all of them take.

    Args:
        doc: The docstring of the script.
        here: Folder of the study.

    Returns:
        The parser; what the study alone takes is added by it.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=here / "work", help="for sets and runs")
    parser.add_argument("--config", type=Path, default=here / "config.toml", help="what to compare")
    parser.add_argument("--results", type=Path, default=here, help="for results.json and figures")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, a core each")
    return parser


def shared_recipe(
    config: dict[str, Any],
    model: dict[str, Any],
    *,
    lr_patch: int,
    learning_rate: float,
    seed: int,
) -> Recipe:
    """Write a recipe; what all trainings of a study share comes from its configuration.

    Args:
        config: The study's config.toml.
        model: `architecture`, `scale` and `dials`.
        lr_patch: Side of a crop in LR pixels.
        learning_rate: The rate after the rise.
        seed: Start of all random streams.

    Returns:
        The recipe, with the default sampling.
    """
    shared = ("steps", "optimizer", "schedule", "warmup", "ema")
    optim = {key: config[key] for key in shared if key in config}
    run = {key: config[key] for key in ("precision", "validate_every", "valid_crop")}
    table = {
        "model": model,
        "data": {"lr_patch": lr_patch, "batch": config["batch"]},
        "optim": optim | {"learning_rate": learning_rate},
        "run": run | {"seed": seed},
    }
    return msgspec.convert(table, Recipe)


def prepare_set(photos: Path, folder: Path, *, channels: Channels) -> str:
    """Prepare a set of all photos, unless it is there.

    Args:
        photos: Folder with train/ and valid/.
        folder: Where the set goes.
        channels: "rgb", or "y" for luma alone.

    Returns:
        Hash over the training photos.
    """
    sources = collect_photos([photos / "train"], "train")
    sources += collect_photos([photos / "valid"], "valid")
    return prepare(sources, folder, settings=Settings(channels=channels)).photos_sha256


def set14_pairs(folder: Path, *, scale: int, channels: int) -> Pairs:
    """Read Set14 as networks see it; luma is that of 8-bit RGB which was shrunk as RGB.

    Args:
        folder: Set14, with HR/*.png.
        scale: LR to HR factor.
        channels: 3 for RGB, or 1 for luma.

    Returns:
        The pairs.
    """
    pairs = []
    for path in sorted((folder / "HR").glob("*.png")):
        rgb = np.broadcast_to(pixels := read_picture(path).pixels, (*pixels.shape[:2], 3))
        hr = modcrop(to_u8(rgb), scale)
        lr, hr = (_planes(picture, channels) for picture in (downscale(hr, scale), hr))
        pairs.append((torch.from_numpy(lr).permute(2, 0, 1)[None].contiguous(), hr))
    return pairs


def _planes(rgb_u8: np.ndarray, channels: int) -> np.ndarray:
    if channels == 3:
        return rgb_u8.astype(np.float32) / 255
    return (np.floor(luma(rgb_u8 / 255) + 0.5).astype(np.float32) / 255)[..., None]


def save_results(path: Path, table: dict[str, Any], *, line_at: str) -> None:
    """Write a results file: one line a row and a curve, so that its changes are readable.

    Args:
        path: The file.
        table: What goes into it.
        line_at: Name of the field that each row and curve begins with.
    """
    text = json.dumps(table, separators=(",", ":"))
    text = text.replace(f'{{"{line_at}"', f'\n{{"{line_at}"')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def band(curves: Sequence[Sequence[float]]) -> Iterator[tuple[float, float, float]]:
    """Give for each place of equally long curves their least, mean and greatest value."""
    for values in zip(*curves, strict=True):
        yield min(values), mean(values), max(values)
