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
DOCUMENTS = ("README.md", "docs/measurements.md")
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


TABLES: dict[str, Callable[[], str]] = {
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
