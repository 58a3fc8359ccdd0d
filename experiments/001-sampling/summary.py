"""From the curves of all trainings to results.json and the figures."""

import time
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from study import band, save_results, stamp

MEASURED = {"valid": "photos/valid", "set14": "Set14"}
Results = list[dict[str, Any]]


def steps_to(steps: list[int], values: list[float], target: float) -> float | None:
    """Find when a curve first reaches a value, between two points on the line through them."""
    for n, value in enumerate(values):
        if value >= target:
            if n == 0:
                return float(steps[0])
            share = (target - values[n - 1]) / (value - values[n - 1])
            return steps[n - 1] + share * (steps[n] - steps[n - 1])
    return None


def compare(results: Results, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare the rules with uniform crops within each collection, network and scale."""
    groups: dict[tuple[str, str, int], Results] = defaultdict(list)
    for result in results:
        groups[result["collection"], result["network"], result["scale"]].append(result)
    rows = []
    for (collection, network, scale), group in groups.items():
        uniform = [r for r in group if r["rule"] == "uniform"]
        for rule in rules:
            runs = [r for r in group if r["rule"] == rule["name"]]
            if not runs:
                continue
            row = {"collection": collection, "network": network, "scale": scale}
            row |= {"rule": rule["name"], "seeds": len(runs)}
            for name in MEASURED:
                target = mean(r[name][-1] for r in uniform)
                finals = [r[name][-1] for r in runs]
                reached = [steps_to(r["steps"], r[name], target) for r in runs]
                # A run that never gets there counts as one that needs all steps, and is named.
                shares = [
                    (s or r["steps"][-1]) / r["steps"][-1]
                    for s, r in zip(reached, runs, strict=True)
                ]
                row[name] = {
                    "target": round(target, 4),
                    "final": round(mean(finals), 4),
                    "finals": finals,
                    "share_of_steps": round(mean(shares), 4),
                    "shares": [round(s, 4) for s in shares],
                    "not_reached": reached.count(None),
                }
            rows.append(row)
    return rows


def write_results(
    config: dict[str, Any],
    results: Results,
    folder: Path,
    *,
    preparing: dict[str, Any],
    seconds_per_step: dict[str, float],
) -> None:
    """Write results.json and draw the figures."""
    rows = compare(results, config["rule"])
    table = {
        "made_by": stamp(),
        "finished": time.strftime("%Y-%m-%d"),
        "config": config,
        "preparing": preparing,
        "seconds_per_step": seconds_per_step,
        "rows": rows,
        "curves": results,
    }
    save_results(folder / "results.json", table, line_at="collection")
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for collection in sorted({r["collection"] for r in results}):
        chosen = [r for r in results if r["collection"] == collection]
        draw_curves(config, chosen).savefig(figures / f"curves_{collection}.png", dpi=90)
    draw_shares(config, rows).savefig(figures / "shares.png", dpi=90)


def draw_curves(config: dict[str, Any], results: Results) -> Figure:
    """Draw PSNR against steps: the mean over the seeds, and their spread as a band."""
    groups = sorted({(r["network"], r["scale"]) for r in results})
    figure = Figure(figsize=(11, 3.3 * len(groups)), layout="constrained")
    grid = figure.subplots(len(groups), 2, squeeze=False)
    for (network, scale), axes in zip(groups, grid, strict=True):
        group = [r for r in results if (r["network"], r["scale"]) == (network, scale)]
        for axis, (name, title) in zip(axes, MEASURED.items(), strict=True):
            axis.set(title=f"{network} x{scale}, {title}", xlabel="step", ylabel="PSNR-Y (dB)")
            _draw_rules(axis, config, group, name)
    grid[0][0].legend(fontsize=7, loc="lower right")
    return figure


def _draw_rules(axis: Axes, config: dict[str, Any], group: Results, name: str) -> None:
    drawn = [rule for rule in config["rule"] if rule.get("drawn")]
    lowest = []
    for rule in drawn:
        runs = [r[name] for r in group if r["rule"] == rule["name"]]
        if not runs:
            continue
        steps = group[0]["steps"]
        low, middle, high = zip(*band(runs), strict=True)
        style = {"color": "black", "linewidth": 1.8} if rule["name"] == "uniform" else {}
        (line,) = axis.plot(steps, middle, label=rule["title"], **style)
        axis.fill_between(steps, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
        lowest.append(middle[len(middle) // 5])
        if rule["name"] == "uniform":
            axis.axhline(middle[-1], color="black", linewidth=0.7, linestyle=":")
    if lowest:
        axis.set_ylim(bottom=min(lowest))
    axis.grid(alpha=0.3)


def draw_shares(config: dict[str, Any], rows: list[dict[str, Any]]) -> Figure:
    """Draw for each rule which share of uniform's steps it needed, averaged over the networks."""
    figure = Figure(figsize=(10, 0.42 * len(config["rule"]) + 1.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    collections = sorted({r["collection"] for r in rows})
    for axis, collection in zip(panels, collections, strict=False):
        for place, rule in enumerate(config["rule"]):
            found = [r for r in rows if r["collection"] == collection and r["rule"] == rule["name"]]
            for row in found:
                for name, mark in (("valid", "o"), ("set14", "s")):
                    axis.plot(
                        row[name]["share_of_steps"],
                        place,
                        mark,
                        color="C0" if row["network"] == "srcnn" else "C1",
                        fillstyle="full" if row["scale"] == 4 else "none",
                    )
        axis.axvline(0.6, color="green", linestyle="--", linewidth=1)
        axis.axvline(1.0, color="black", linewidth=1)
        axis.set(
            title=f"collection: {collection}",
            xlabel="share of uniform's steps",
            yticks=range(len(config["rule"])),
            yticklabels=[rule["title"] for rule in config["rule"]],
            xlim=(0, 1.05),
        )
        axis.grid(alpha=0.3)
    panels[0].invert_yaxis()
    return figure
