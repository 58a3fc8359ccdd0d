"""From the curves of all trainings to results.json and the figures."""

import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from pixelift.models.fuse import fuse
from pixelift.models.spec import build_model, count_macs, count_parameters
from pixelift.patches.dataset import open_dataset
from pixelift.train.validate import measure, validation_crops
from study import band, save_results, set14_pairs, stamp

MEASURED = {"valid": "photos/valid", "set14": "Set14"}
Runs = list[dict[str, Any]]


def steps_to(steps: list[int], values: list[float], target: float) -> int | None:
    """Find the first validation at which a curve has reached a value."""
    reached = (s for s, value in zip(steps, values, strict=True) if value >= target)
    return next(reached, None)


def write_results(
    config: dict[str, Any],
    folder: Path,
    *,
    sweep: Runs,
    kept: Runs,
    prepared: Path,
    set14: Path,
    photos_sha256: str,
) -> None:
    """Write results.json and draw a figure for each scale."""
    bicubic = {
        str(scale): measure_bicubic(prepared, set14, scale=scale, side=config["valid_crop"])
        for scale in config["scales"]
    }
    rows = [
        sum_up(config, kept, network, scale)
        for scale in config["scales"]
        for network in config["network"]
    ]
    finals = ("network", "scale", "rate", "seed")
    table = {
        "made_by": stamp(),
        "finished": time.strftime("%Y-%m-%d"),
        "config": config,
        "photos_sha256": photos_sha256,
        "bicubic": bicubic,
        "rows": rows,
        "sweep": [
            {key: run[key] for key in finals} | {name: run[name][-1] for name in MEASURED}
            for run in sweep
        ],
        "curves": kept,
    }
    save_results(folder / "results.json", table, line_at="network")
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for scale in config["scales"]:
        figure = draw_curves(config, kept, rows, scale=scale, bicubic=bicubic[str(scale)])
        figure.savefig(figures / f"curves_x{scale}.png", dpi=90)


def sum_up(
    config: dict[str, Any], kept: Runs, network: dict[str, Any], scale: int
) -> dict[str, Any]:
    """Sum up the seeds of a network, and compare it with the first network, the baseline."""
    built = fuse(build_model(network["architecture"], scale=scale, **network["dials"]))
    runs = _runs(kept, network["name"], scale)
    first = _runs(kept, config["network"][0]["name"], scale)
    row: dict[str, Any] = {
        "network": network["name"],
        "scale": scale,
        "rate": runs[0]["rate"],
        # Where the best rate is the least or the greatest that was tried, a better one may exist.
        "rate_at_edge": runs[0]["rate"] in (min(network["rates"]), max(network["rates"])),
        "parameters": count_parameters(built),
        "macs_per_hr_pixel": round(count_macs(built) / scale**2),
        "seconds_per_step": round(median(run["seconds_per_step"] for run in runs), 5),
    }
    for name in MEASURED:
        target = mean(run[name][-1] for run in first)
        row[name] = {
            "final": round(mean(run[name][-1] for run in runs), 4),
            "finals": [run[name][-1] for run in runs],
            # The validation at which each seed has what the baseline has at its end.
            "steps_to_baseline": [steps_to(run["steps"], run[name], target) for run in runs],
        }
    return row


def measure_bicubic(prepared: Path, set14: Path, *, scale: int, side: int) -> dict[str, float]:
    """Measure interpolation as the networks are measured: a residual of zero."""
    network = build_model("srcnn", scale=scale, channels=1, residual=True).eval()
    nn.init.zeros_(network.tail.weight)
    torch.set_num_threads(1)
    pairs = {
        "valid": validation_crops(open_dataset(prepared), scale=scale, side=side),
        "set14": set14_pairs(set14, scale=scale, channels=1),
    }
    return {name: round(measure(network, found, shave=scale), 4) for name, found in pairs.items()}


def draw_curves(
    config: dict[str, Any],
    kept: Runs,
    rows: Runs,
    *,
    scale: int,
    bicubic: dict[str, float],
) -> Figure:
    """Draw loss and PSNR of a scale against steps and against processor seconds."""
    figure = Figure(figsize=(11, 9.5), layout="constrained")
    grid = figure.subplots(3, 2, sharey="row", sharex="col")
    titles = {"loss": "training loss (mean of up to 100 steps)"} | {
        name: f"PSNR-Y (dB), {title}" for name, title in MEASURED.items()
    }
    for (name, title), (by_step, by_time) in zip(titles.items(), grid, strict=True):
        for network in config["network"]:
            runs = _runs(kept, network["name"], scale)
            row = next(r for r in rows if (r["network"], r["scale"]) == (network["name"], scale))
            points, curves = _series(runs, name)
            seconds = [step * row["seconds_per_step"] for step in points]
            _draw(by_step, points, curves, label=network["title"])
            _draw(by_time, seconds, curves, label=network["title"])
        if name in bicubic:
            ends = [run[name][-1] for run in kept if run["scale"] == scale] + [bicubic[name]]
            for axis in (by_step, by_time):
                axis.axhline(bicubic[name], color="black", linestyle=":", label="bicubic")
                axis.set_ylim(min(ends) - 1, max(ends) + 0.2)
        else:
            by_step.set_yscale("log")
        by_step.set_ylabel(title)
        for axis in (by_step, by_time):
            axis.grid(alpha=0.3, which="both")
    grid[0][0].set_title(f"x{scale}, against steps")
    grid[0][1].set_title("against processor seconds")
    grid[2][0].set_xlabel("step")
    grid[2][1].set_xlabel("processor seconds of one core, validations left out")
    grid[1][0].legend(fontsize=8, loc="lower right")
    return figure


def _runs(kept: Runs, network: str, scale: int) -> Runs:
    return [run for run in kept if (run["network"], run["scale"]) == (network, scale)]


def _series(runs: Runs, name: str) -> tuple[list[int], list[list[float]]]:
    if name == "loss":
        return [p[0] for p in runs[0]["loss"]], [[p[1] for p in run["loss"]] for run in runs]
    return runs[0]["steps"], [run[name] for run in runs]


def _draw(axis: Axes, points: list[Any], curves: list[list[float]], *, label: str) -> None:
    low, middle, high = zip(*band(curves), strict=True)
    (line,) = axis.plot(points, middle, label=label)
    axis.fill_between(points, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
