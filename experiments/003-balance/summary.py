"""From curves and latencies to results.json and the figures."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from latency import CASES, YARDSTICK
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from networks import networks_of

from study import save_results, stamp

MEASURED = {"valid": "photos/valid", "set14": "Set14"}
TITLES = {"bf16": "bf16", "f32": "float32", "f32_avx2": "float32, AVX2 alone"}
TICKS_MS = (5, 10, 20, 50, 100, 200, 500, 1000)
Rows = list[dict[str, Any]]


def write_trained(config: dict[str, Any], folder: Path, *, runs: Rows, photos_sha256: str) -> None:
    """Write what the trainings gave; latencies that are there already stay."""
    rows = []
    for network in networks_of(config):
        found = [run for run in runs if run["network"] == network.name]
        first = next(run for run in found if run["seed"] == config["seed"])
        row: dict[str, Any] = {
            "network": network.name,
            "channels": network.channels,
            "width": network.width,
            "depth": network.depth,
            "identity": network.identity,
            "parameters": network.parameters,
            "macs_per_lr_pixel": network.macs,
            "seconds_per_step": first["seconds_per_step"],
        }
        for name in MEASURED:
            row[name] = first[name][-1]
            row[f"{name}_again"] = [r[name][-1] for r in found if r is not first]
        rows.append(row)
    table = _read(folder) | {
        "made_by": stamp(),
        "finished": time.strftime("%Y-%m-%d"),
        "config": config,
        "photos_sha256": photos_sha256,
        "rows": rows,
        "curves": runs,
    }
    _write(folder, table)


def write_latency(config: dict[str, Any], folder: Path, latency: dict[str, Any]) -> None:
    """Put latencies into results.json, beside what the trainings gave."""
    table = _read(folder)
    asked = {key: config[key] for key in ("latency", "yardstick", "tier")}
    table["config"] = table.get("config", config) | asked
    _write(folder, table | {"latency": latency})


def pareto(points: Iterable[tuple[str, float, float]]) -> list[str]:
    """Name the points (name, cost, worth) that no other point beats in both, the cheapest first."""
    front: list[str] = []
    best = float("-inf")
    for name, _, worth in sorted(points, key=lambda p: (p[1], -p[2])):
        if worth > best:
            front.append(name)
            best = worth
    return front


def choose(table: dict[str, Any]) -> Rows:
    """Choose for each tier the RGB network within its limits that is best on photos/valid."""
    ms = {row["network"]: row["f32"] for row in table["latency"]["rows"]}
    chosen = []
    for tier in table["config"]["tier"]:
        limit = tier["share"] * ms[YARDSTICK]
        fits = [
            row
            for row in table["rows"]
            if row["channels"] == 3
            and row["parameters"] <= tier["parameters"]
            and ms[row["network"]] <= limit
        ]
        best = max(fits, key=lambda row: row["valid"], default=None)
        chosen.append(
            {"tier": tier["name"], "limit_ms": round(limit, 1)}
            | {"chosen": best["network"] if best else None}
        )
    return chosen


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "results.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def _write(folder: Path, table: dict[str, Any]) -> None:
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    if "rows" in table:
        draw_curves(table).savefig(figures / "curves.png", dpi=90)
    if "rows" in table and "latency" in table:
        points = _points(table)
        table["fronts"] = {case: pareto(found) for case, found in points.items()}
        table["tiers"] = choose(table)
        draw_balance(table, points).savefig(figures / "balance.png", dpi=90)
    save_results(folder / "results.json", table, line_at="network")


def _points(table: dict[str, Any]) -> dict[str, list[tuple[str, float, float]]]:
    """List the RGB networks of each case as name, milliseconds and PSNR on photos/valid."""
    worth = {row["network"]: row["valid"] for row in table["rows"] if row["channels"] == 3}
    return {
        case: [
            (row["network"], row[case], worth[row["network"]])
            for row in table["latency"]["rows"]
            if row["network"] in worth and case in row
        ]
        for case in CASES
    }


def draw_balance(
    table: dict[str, Any], points: dict[str, list[tuple[str, float, float]]]
) -> Figure:
    """Draw PSNR against latency for each case, the Pareto front as a line."""
    figure = Figure(figsize=(15, 5.4), layout="constrained")
    for axis, (case, found) in zip(figure.subplots(1, 3, sharey=True), points.items(), strict=True):
        axis.set_xscale("log")
        axis.set_xticks(TICKS_MS, [str(ms) for ms in TICKS_MS])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set(title=TITLES[case], xlabel=f"ms, {table['latency']['lr']} to x4")
        axis.grid(alpha=0.3, which="both")
        if not found:
            axis.text(0.5, 0.5, "not on this processor", transform=axis.transAxes, ha="center")
            continue
        front = table["fronts"][case]
        on_front = sorted((ms, psnr) for name, ms, psnr in found if name in front)
        axis.plot(*zip(*on_front, strict=True), color="C1", linewidth=1.5, label="Pareto front")
        _draw_points(axis, found, front)
        _draw_limits(axis, table, case)
        milliseconds = [ms for _, ms, _ in found]
        axis.set_xlim(min(milliseconds) / 1.3, 2 * max(milliseconds))
    figure.axes[0].set_ylabel("PSNR-Y (dB), photos/valid, after equal short trainings")
    figure.axes[0].legend(fontsize=8, loc="lower right")
    return figure


def _draw_points(axis: Axes, found: list[tuple[str, float, float]], front: list[str]) -> None:
    for name, ms, psnr in found:
        axis.plot(ms, psnr, "o", color="C1" if name in front else "C0")
        axis.annotate(name, (ms, psnr), xytext=(5, -10), textcoords="offset points", fontsize=8)


def _draw_limits(axis: Axes, table: dict[str, Any], case: str) -> None:
    yardstick = next(r for r in table["latency"]["rows"] if r["network"] == YARDSTICK)
    axis.axvline(yardstick[case], color="black", linestyle=":", linewidth=1, label="yardstick")
    if case == "f32":
        for tier in table["config"]["tier"]:
            at = tier["share"] * yardstick[case]
            axis.axvline(at, color="green", linestyle="--", linewidth=1)
            axis.text(at, 0.02, tier["name"], transform=axis.get_xaxis_transform(), **BESIDE)


BESIDE: dict[str, Any] = {"ha": "right", "va": "bottom", "rotation": 90, "color": "green"}


def draw_curves(table: dict[str, Any]) -> Figure:
    """Draw PSNR against steps and against processor seconds, the first seed of each RGB network."""
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    by_step, by_time = figure.subplots(1, 2, sharey=True)
    curves = {
        curve["network"]: curve
        for curve in table["curves"]
        if curve["seed"] == table["config"]["seed"]
    }
    rows = [row for row in table["rows"] if row["channels"] == 3]
    for place, row in enumerate(rows):
        curve = curves[row["network"]]
        style = {"color": f"C{place % 10}", "linestyle": "-" if place < 10 else "--"}
        by_step.plot(curve["steps"], curve["valid"], **style)
        seconds = [step * row["seconds_per_step"] for step in curve["steps"]]
        by_time.plot(seconds, curve["valid"], label=row["network"], **style)
    by_step.set(xlabel="step", ylabel="PSNR-Y (dB), photos/valid")
    by_time.set(xlabel="processor seconds of one core, validations left out", xscale="log")
    for axis in (by_step, by_time):
        axis.grid(alpha=0.3, which="both")
    by_time.legend(fontsize=8, ncols=2, loc="upper left")
    return figure
