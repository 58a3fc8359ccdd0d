"""Write the tables of README and docs from the results files, between markers; --check compares.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pixelift import list_models
from pixelift.evaluate.table import render_results, render_table
from tools import peer_tables
from tools.effort_tables import EFFORT_TABLES
from tools.study_tables import STUDY_TABLES, source

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (
    "README.md",
    "docs/measurements.md",
    "docs/sampling.md",
    "docs/architectures.md",
    "docs/effort.md",
)
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    """Read a results file."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


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


def peers(scale: int) -> str:
    """Our tiers beside everybody else at one scale."""
    result = load("peers")
    note = (
        f"PSNR-Y (dB) / SSIM-Y; milliseconds from an 8-bit colour picture of {result['lr']} to the "
        f"enlarged one, median of {result['rounds']} rounds in turns, {result['threads']} threads; "
        "peak memory of the whole process"
    )
    return peer_tables.side_by_side(result, scale) + source(result, note)


def peers_beaten() -> str:
    """Who is beaten by whom."""
    result = load("peers")
    note = "Beaten means a higher PSNR-Y and SSIM-Y on each of the three sets, in less time"
    return peer_tables.beaten(result) + source(result, note)


TABLES: dict[str, Callable[[], str]] = {
    "preparing": preparing,
    "preparing_growth": preparing_growth,
    "loader": loader,
    "quality": quality,
    "models": models,
    "speed": speed,
    "engines": engines,
    "peers_x2": lambda: peers(2),
    "peers_x3": lambda: peers(3),
    "peers_x4": lambda: peers(4),
    "peers_beaten": peers_beaten,
    **STUDY_TABLES,
    **EFFORT_TABLES,
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
