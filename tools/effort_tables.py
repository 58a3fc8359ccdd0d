"""The tables of docs/effort.md: what an effort loses and saves, and what the spread is worth."""

import json
from pathlib import Path
from typing import Any

from pixelift.evaluate.table import render_table
from tools.study_tables import source

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def load(name: str) -> dict[str, Any]:
    """Read a results file."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def effort() -> str:
    """Loss and speed by effort and set."""
    result = load("effort")
    rows = [
        [
            f"{name}, {row['effort']}",
            f"{row['psnr_y']:.2f}",
            f"{row['loss_db']:.3f}".replace("-0.000", "0.000"),
            f"{row['worst_loss_db']:.3f}".replace("-0.000", "0.000"),
            f"{row['times_as_fast']:.2f}",
            f"{100 * row['share_of_best']:.0f} %",
        ]
        for name, found in result["results"].items()
        for row in found
    ]
    header = [
        "set, effort",
        "PSNR-Y",
        "below high, dB",
        "worst picture",
        "times as fast",
        "of pixels",
    ]
    counts = ", ".join(
        f"{found[0]['pictures']} of {name}" for name, found in result["results"].items()
    )
    note = (
        f"{' and '.join(result['networks'])}, auto leaves {result['spared']:.0%} of the detail to "
        f"the first; pictures: {counts}; whole library calls, median of {result['rounds']} in "
        "turns. Of pixels: share that the best network makes"
    )
    return render_table(header, rows) + source(result, note)


def confidence() -> str:
    """Rank correlation of spread and true error, and the ends of the reliability curve."""
    result = load("confidence")
    found = result["spearman"]
    rows = [
        ["each pixel", f"{found['pixel']:.2f}", f"{found['mean_of_pictures_pixel']:.2f}"],
        [
            f"blocks of {result['block']} x {result['block']}",
            f"{found['block']:.2f}",
            f"{found['mean_of_pictures_block']:.2f}",
        ],
    ]
    header = [
        "rank correlation (Spearman) of spread and true error",
        "all pictures",
        "mean of each",
    ]
    curve = result["reliability"]
    least, most = curve[0], curve[-1]
    note = (
        f"{result['model']} x{result['scale']}, {result['pictures']} pictures. Of all pixels in "
        f"order of their spread, the first twentieth has a spread of {least['spread']:.2f} levels "
        f"and errs by {least['error']:.2f} (root mean square), the last of {most['spread']:.1f} "
        f"and {most['error']:.1f}"
    )
    return render_table(header, rows) + source(result, note)


EFFORT_TABLES = {"effort": effort, "confidence": confidence}
