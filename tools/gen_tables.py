"""Write the tables of README and docs from the results files, between markers; --check compares.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixelift import list_models
from pixelift.evaluate.table import render_results, render_table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
STUDY = ROOT / "experiments" / "001-sampling" / "results.json"
COLLECTIONS = {
    "all": "a mixed collection, two in three rich in detail",
    "ordinary": "ordinary photos alone, much sky and walls",
}
DOCUMENTS = ("README.md", "docs/formats.md", "docs/measurements.md", "docs/sampling.md")
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    """Read a results file."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def source(result: dict[str, Any], *notes: str) -> str:
    """Say below a table where its numbers come from."""
    made = result["made_by"]
    told = [*notes, f"`{made['command']}` at {made['commit']}, {made['machine']}"]
    return "\n\n" + ". ".join(told) + "."


def quality() -> str:
    """PSNR-Y and SSIM-Y of bicubic and of every packaged model."""
    result = load("quality")
    rows = result["results"]
    protocol = re.sub(r"; \d+ pixels", "; as many pixels as the scale", rows[0]["protocol"])
    return render_results(rows) + source(result, f"PSNR-Y (dB) / SSIM-Y, float32. {protocol}")


def models() -> str:
    """What the cards say."""
    rows = [
        [
            card.name,
            f"x{card.scale}",
            f"{card.parameters / 1000:.0f}K",
            f"{card.macs_per_pixel / 1000:.0f}K",
            f"{card.bytes / 1024:.0f} KiB",
            card.licence,
            card.training,
        ]
        for card in list_models()
    ]
    header = ["model", "scale", "parameters", "MACs per LR pixel", "file", "licence", "training"]
    return render_table(header, rows)


def speed() -> str:
    """The whole process, beside Pillow."""
    result = load("speed")
    rows = [
        [name, f"{row['seconds']:.2f}", f"{row['peak_mib']:.0f}"]
        for name, row in result["results"].items()
    ]
    header = [f"{result['input']} to x{result['scale']}, whole process", "seconds", "peak MiB"]
    note = f"Median of {result['repeats']} fresh processes, {result['made_by']['threads']} threads"
    return render_table(header, rows) + source(result, note)


def engines() -> str:
    """Latency and loss by engine and precision."""
    result = load("engines")
    rows = [
        [
            f"{row['engine']} {row['precision']}",
            f"x{row['scale']}",
            f"{row['network_ms']:.0f}",
            f"{row['library_ms']:.0f}",
            f"{row['first_call_ms']:.0f}",
            f"{row['set5_loss_against_f32']:.3f}".replace("-0.000", "0.000"),
        ]
        for row in result["results"]
    ]
    header = ["balanced", "scale", "network ms", "library ms", "first call ms", "loss dB (Set5)"]
    note = (
        f"LR {result['lr']}, median of {result['repeats']}; our MATLAB-exact bicubic x4 takes "
        f"{result['bicubic_x4_ms']:.0f} ms in the same run"
    )
    return render_table(header, rows) + source(result, note)


def preparing() -> str:
    """What preparing a set costs beside decoding alone."""
    result = load("preparing")
    rows = [
        [
            name,
            f"{case['cpu_seconds']:.1f}",
            f"{case['ratio_without_start']:.2f}",
            f"{case['mp_per_second_and_core']:.0f}",
            f"{case['peak_mib']:.0f}",
        ]
        for name, case in result["cases"].items()
    ]
    header = ["pixelift prepare", "processor s", "times decoding", "MP/s and core", "peak MiB"]
    note = (
        f"{result['photos']} photos, {result['megapixels']:.0f} MP, processor time of all "
        f"processes together; decoding alone takes {result['decode']['cpu_seconds']:.1f} s. The "
        "third column leaves the start of the program out on both sides"
    )
    return render_table(header, rows) + source(result, note)


def preparing_growth() -> str:
    """How preparing grows with the number of photos."""
    result = load("preparing")
    rows = [
        [
            f"{row['photos']:,}",
            f"{row['cpu_seconds']:.1f}",
            f"{1000 * (row['cpu_seconds'] - result['start_cpu_seconds']) / row['photos']:.0f}",
            f"{row['peak_mib']:.0f}",
        ]
        for row in result["growth"]
    ]
    header = ["photos of 640x480", "processor s", "ms a photo after the start", "peak MiB"]
    return render_table(header, rows) + source(result)


def loader() -> str:
    """How fast crops are delivered beside what a training step takes."""
    result = load("loader")
    rows = []
    for ratio in result["ratios"]:
        kept = {
            row["case"]: row["processor_ms"]
            for row in result["results"]
            if row["scale"] == ratio["scale"]
        }
        workers = f"workers {ratio['workers']}"
        rows.append(
            [
                f"x{ratio['scale']}, {workers}",
                f"{kept[f'pixelift, {workers}']:.1f}",
                f"{kept[f'PNG, {workers}']:.0f}",
                *(f"{n:.1f}" for n in ratio["batches_per_step"].values()),
                f"{ratio['times_the_png_folder']:.0f}",
            ]
        )
    steps = [f"batches in a step of {name}" for name in result["ratios"][0]["batches_per_step"]]
    header = ["batches of crops", "ours ms", "PNG folder ms", *steps, "times the PNG folder"]
    note = (
        f"Batches of {result['batch']} crops of {result['lr_patch']} LR pixels, processor time of "
        f"one core, median of {result['rounds']}; PNG folder: sub-images of "
        f"{result['made_of']['png_side']} pixels, decoded by Pillow, in torch's DataLoader"
    )
    return render_table(header, rows) + source(result, note)


def sampling(collection: str) -> str:
    """Steps to uniform's final PSNR by each rule of the study of the sampling."""
    result = json.loads(STUDY.read_text(encoding="utf-8"))
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
    result = json.loads(STUDY.read_text(encoding="utf-8"))
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
    result = json.loads(STUDY.read_text(encoding="utf-8"))
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


def formats() -> str:
    """What is kept of each hard picture."""
    result = load("formats")
    names = [name for name in result["results"][0] if name not in ("name", "bits")]
    rows = [
        [row["name"], str(row["bits"]), *(row[name] for name in names)] for row in result["results"]
    ]
    note = f"x{result['scale']} of the corpus of tools/corpus.py, each in its own format"
    return render_table(["picture", "bits", *names], rows) + source(result, note)


TABLES: dict[str, Callable[[], str]] = {
    "formats": formats,
    "preparing": preparing,
    "preparing_growth": preparing_growth,
    "loader": loader,
    "sampling_all": lambda: sampling("all"),
    "sampling_ordinary": lambda: sampling("ordinary"),
    "sampling_summary": sampling_summary,
    "sampling_time": sampling_time,
    "quality": quality,
    "models": models,
    "speed": speed,
    "engines": engines,
}


def fill(text: str) -> str:
    """Put fresh tables between the markers of a document."""
    return MARKED.sub(lambda m: f"{m[1]}{TABLES[m[2]]()}\n{m[3]}", text)


def main(words: list[str]) -> int:
    """Write the documents, or with --check say which are out of date."""
    stale = []
    for name in DOCUMENTS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = fill(old)
        if new != old:
            stale.append(name)
            if "--check" not in words:
                path.write_text(new, encoding="utf-8")
    if "--check" in words and stale:
        print(f"out of date: {', '.join(stale)}. Run: make tables")
        return 1
    print(f"tables of {', '.join(DOCUMENTS)} are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
