"""The tables of the studies, from experiments/*/results.json; `gen_tables` writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixelift.evaluate.table import render_table

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "experiments"
COLLECTIONS = {
    "all": "a mixed collection, two in three rich in detail",
    "ordinary": "ordinary photos alone, much sky and walls",
}
LATENCIES = {"bf16": "bf16", "f32": "float32", "f32_avx2": "AVX2 alone"}


def source(result: dict[str, Any], *notes: str) -> str:
    """Say below a table where its numbers come from."""
    made = result["made_by"]
    told = [*notes, f"`{made['command']}` at {made['commit']}, {made['machine']}"]
    return "\n\n" + ". ".join(told) + "."


def study(name: str) -> dict[str, Any]:
    """Read the results of a study; empty where it has not been run."""
    path = STUDIES / name / "results.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def unmeasured(name: str, *words: str) -> str:
    """Say in place of a table how to make its numbers."""
    command = " ".join(["python", f"experiments/{name}/run.py", *words])
    return f"Not measured yet: `{command}`, then `make tables`."


def sampling(collection: str) -> str:
    """Steps to uniform's final PSNR by each rule of the study of the sampling."""
    result = study("001-sampling")
    kinds = sorted({(r["network"], r["scale"]) for r in result["rows"]}, reverse=True)
    rows = []
    for rule in result["config"]["rule"]:
        found = {
            (r["network"], r["scale"]): r
            for r in result["rows"]
            if r["collection"] == collection and r["rule"] == rule["name"]
        }
        if found:
            cells = [_share(found[kind]) for kind in kinds if kind in found]
            rows.append([rule["title"], *cells, _mean_share(list(found.values()))])
    header = ["crops drawn by", *(f"{network} x{scale}" for network, scale in kinds), "mean"]
    seeds = len(result["config"]["seeds"])
    note = (
        "Share of uniform's steps until its mean final PSNR-Y is reached, photos/valid · Set14: "
        f"mean of {seeds} seeds (least–most), + where a seed never got there and counts as all "
        "steps; behind it the final PSNR-Y less uniform's in dB"
    )
    return render_table(header, rows) + source(result, note)


def _share(row: dict[str, Any]) -> str:
    cells = []
    for name in ("valid", "set14"):
        part = row[name]
        more = "+" if part["not_reached"] else ""
        least, most = (f"{100 * end(part['shares']):.0f}" for end in (min, max))
        gain = part["final"] - part["target"]
        cells.append(f"{part['share_of_steps']:.0%}{more} ({least}–{most}) {gain:+.2f}")
    return " · ".join(cells)


def _mean_share(rows: list[dict[str, Any]]) -> str:
    shares = [row[name]["share_of_steps"] for row in rows for name in ("valid", "set14")]
    return f"{sum(shares) / len(shares):.0%}"


def sampling_summary() -> str:
    """The default rule in one line a collection: the worse of the two measurements."""
    result = study("001-sampling")
    kinds = sorted({(r["network"], r["scale"]) for r in result["rows"]}, reverse=True)
    rows = []
    for name, told in COLLECTIONS.items():
        found = {
            (r["network"], r["scale"]): max(r[n]["share_of_steps"] for n in ("valid", "set14"))
            for r in result["rows"]
            if r["collection"] == name and r["rule"] == _default(result)
        }
        rows.append([told, *(f"{found[kind]:.0%}" for kind in kinds)])
    header = ["steps needed, share of uniform's", *(f"{n} x{scale}" for n, scale in kinds)]
    return render_table(header, rows) + source(result)


def _default(result: dict[str, Any]) -> str:
    rules = result["config"]["rule"]
    return str(next(rule["name"] for rule in rules if rule.get("default")))


def sampling_time() -> str:
    """Wall-clock time of the study's default rule, preparing included."""
    result = study("001-sampling")
    steps = {network["name"]: network["steps"] for network in result["config"]["network"]}
    default = _default(result)
    rows = []
    for row in result["rows"]:
        if row["rule"] != default:
            continue
        step = result["seconds_per_step"][f"{row['network']}_x{row['scale']}"]
        preparing = result["preparing"][row["collection"]]["seconds"]["measures"]
        whole = steps[row["network"]] * step
        needed = whole * max(row[n]["share_of_steps"] for n in ("valid", "set14"))
        rows.append(
            [
                row["collection"],
                f"{row['network']} x{row['scale']}",
                f"{whole:.0f}",
                f"{needed:.0f}",
                f"{preparing:.1f}",
            ]
        )
    header = ["collection", "network", "uniform s", "default s", "preparing s"]
    note = (
        "Seconds of one core until uniform's final PSNR-Y is reached on both sets; preparing is "
        "done once for all trainings of a collection, by two processes"
    )
    return render_table(header, rows) + source(result, note)


def residual() -> str:
    """Final numbers of the study of the residual."""
    result = study("002-residual")
    if not result:
        return unmeasured("002-residual", "PHOTOS", "BENCH")
    titles = {n["name"]: n["title"] for n in result["config"]["network"]}
    rows = []
    for scale, found in result["bicubic"].items():
        ends = [f"{found[name]:.2f}" for name in ("valid", "set14")]
        rows.append(["bicubic", f"x{scale}", "", "", "", *ends, "", ""])
        for row in (r for r in result["rows"] if r["scale"] == int(scale)):
            rows.append(
                [
                    titles[row["network"]],
                    f"x{scale}",
                    f"{row['parameters']:,}",
                    f"{row['macs_per_hr_pixel']:,}",
                    f"{row['rate']:g}",
                    *(_spread(row[name]["finals"]) for name in ("valid", "set14")),
                    " · ".join(_reached(row[name]) for name in ("valid", "set14")),
                    f"{1000 * row['seconds_per_step']:.0f}",
                ]
            )
    header = ["network", "scale", "parameters", "MACs per HR pixel", "rate", "photos/valid"]
    header += ["Set14", "steps to the first one's end", "ms a step"]
    config = result["config"]
    note = (
        f"PSNR-Y (dB) after {config['steps']:,} steps, mean of {len(config['seeds'])} seeds "
        "(least–most). Steps to the first network's final PSNR-Y: photos/valid · Set14, the "
        f"slowest seed, seen at validations {config['validate_every']} steps apart. Time: "
        "processor time of one core"
    )
    return render_table(header, rows) + source(result, note)


def _spread(values: list[float]) -> str:
    return f"{sum(values) / len(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _reached(part: dict[str, Any]) -> str:
    reached = part["steps_to_baseline"]
    return "not by all" if None in reached else f"{max(reached):,}"


def residual_sweep() -> str:
    """How the rates of the study of the residual were chosen."""
    result = study("002-residual")
    if not result:
        return unmeasured("002-residual", "PHOTOS", "BENCH")
    titles = {n["name"]: n["title"] for n in result["config"]["network"]}
    rows = []
    for row in result["rows"]:
        tried = [
            f"{run['rate']:g}: {run['valid']:.2f}"
            for run in result["sweep"]
            if (run["network"], run["scale"]) == (row["network"], row["scale"])
        ]
        rows.append(
            [titles[row["network"]], f"x{row['scale']}", " · ".join(tried), f"{row['rate']:g}"]
        )
    header = ["network", "scale", "rate: dB", "kept"]
    return render_table(header, rows) + source(result, "PSNR-Y on photos/valid, the first seed")


def balance() -> str:
    """Every network of the study of width and depth."""
    result = study("003-balance")
    if not result.get("rows"):
        return unmeasured("003-balance", "PHOTOS", "BENCH")
    latency = result.get("latency", {"rows": []})
    ms = {row["network"]: row for row in latency["rows"]}
    fronts = result.get("fronts", {})

    def cell(network: str, case: str) -> str:
        value = ms.get(network, {}).get(case)
        mark = "*" if network in fronts.get(case, []) else ""
        return "–" if value is None else f"{value:.1f}{mark}"

    rows = [
        [
            row["network"],
            f"{row['parameters'] / 1000:.1f}K",
            f"{row['macs_per_lr_pixel'] / 1000:.1f}K",
            *(
                " / ".join(f"{value:.2f}" for value in [row[name], *row[f"{name}_again"]])
                for name in ("valid", "set14")
            ),
            *(cell(row["network"], case) for case in LATENCIES),
        ]
        for row in result["rows"]
    ]
    rows.append(["yardstick", "", "", "", "", *(cell("yardstick", case) for case in LATENCIES)])
    header = ["width x depth", "parameters", "MACs per LR pixel", "photos/valid", "Set14"]
    header += [f"{title} ms" for title in LATENCIES.values()]
    steps = result["config"]["steps"]
    notes = [f"PSNR-Y (dB) after {steps:,} steps, behind / with a second seed"]
    if not latency["rows"]:
        notes.append(unmeasured("003-balance", "--latency"))
        return render_table(header, rows) + source(result, *notes)
    made = latency["made_by"]
    notes.append(
        f"Latency: {latency['lr']} to x4 in OpenVINO, median of {latency['rounds']} rounds, * on "
        "the front of PSNR-Y on photos/valid; -y takes luma alone, and its chroma "
        f"{latency['chroma_ms']:.0f} ms more. `{made['command']}` at {made['commit']}"
    )
    return render_table(header, rows) + source(result, *notes)


def balance_tiers() -> str:
    """The largest network that fits each tier."""
    result = study("003-balance")
    if not result.get("tiers"):
        return unmeasured("003-balance", "--latency")
    found = {row["network"]: row for row in result["rows"]}
    ms = {row["network"]: row["f32"] for row in result["latency"]["rows"]}
    rows = []
    for tier, row in zip(result["config"]["tier"], result["tiers"], strict=True):
        best = found.get(row["chosen"])
        told = [best["network"], f"{best['parameters'] / 1000:.1f}K"] if best else ["none", ""]
        told += [f"{ms[best['network']]:.1f}", f"{best['valid']:.2f}"] if best else ["", ""]
        limit = f"{tier['share']:g} x {ms['yardstick']:.0f} = {row['limit_ms']:.0f}"
        rows.append([tier["name"], f"{tier['parameters'] / 1000:,.0f}K", limit, *told])
    header = ["tier", "parameters up to", "float32 ms up to", "best that fits", "parameters"]
    header += ["float32 ms", "photos/valid dB"]
    return render_table(header, rows) + source(result["latency"])


def choice() -> str:
    """Decibels lost by each way to choose between balanced and photo."""
    result = study("006-choice")
    if not result:
        return unmeasured("006-choice", "../shared/photos/train")
    chosen = f"photo where it would change more than {result['chosen']:.1%}, or damage has a name"
    names = {
        "by the chosen limit": chosen,
        "by what has a name alone": "photo where damage has a name (JPEG's steps, noise, blocks)",
        "always photo": "always photo",
        "always balanced": "always balanced",
    }
    rows = [[names[way], f"{lost:.3f}"] for way, lost in result["lost_db"].items()]
    note = (
        f"{result['copies']} copies of photos/train at x2, x3 and x4, a quarter of them clean; of "
        f"those {result['clean_taken_for_damaged']:.0%} are taken for damaged"
    )
    return render_table(["way", "dB lost"], rows) + source(result, note)


STUDY_TABLES: dict[str, Callable[[], str]] = {
    "choice": choice,
    "sampling_all": lambda: sampling("all"),
    "sampling_ordinary": lambda: sampling("ordinary"),
    "sampling_summary": sampling_summary,
    "sampling_time": sampling_time,
    "residual": residual,
    "residual_sweep": residual_sweep,
    "balance": balance,
    "balance_tiers": balance_tiers,
}
