"""The tables of docs/consistent.md."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixelift.evaluate.table import render_table
from tools.study_tables import source

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "consistent.json"


def load() -> dict[str, Any]:
    """Read what benchmarks/consistent.py measured."""
    loaded: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return loaded


def consistent() -> str:
    """How well results of downscaling give the picture back, and what that does to PSNR."""
    result = load()
    rows = [
        [
            f"{row['model']} x{row['scale']}, {row['set']}",
            *(
                f"{row[key][way]:.{digits}f}{unit}"
                for key, digits, unit in (
                    ("share", 2, " %"),
                    ("blocks", 2, " %"),
                    ("psnr_y", 3, ""),
                )
                for way in ("before", "after")
            ),
        ]
        for row in result["results"]
    ]
    note = (
        "Downscaled again: share of the 8-bit samples within one level of LR, and of the means of "
        "16 x 16 LR pixels; PSNR-Y in dB. Means over the pictures, 8 bits, networks in float32"
    )
    header = ["", "samples", "consistent", "areas", "consistent", "PSNR-Y", "consistent"]
    return render_table(header, rows) + source(result, note)


def consistent_degraded() -> str:
    """What the low-pass filter of the projection does to degraded pictures."""
    result = load()
    names = {"none": "not projected", "0": "no filter"}
    rows = [
        [
            row["copy"],
            names.get(row["sigma"], f"sigma {row['sigma']}"),
            f"{row['blocks']:.2f} %",
            f"{row['most']:.2f}",
            f"{row['psnr_y']:.2f}",
        ]
        for row in result["degraded"]
    ]
    note = (
        "`photo` x4 on Set14: share of the means of 16 x 16 LR pixels within one level, largest "
        "distance of one in levels, and PSNR-Y in dB"
    )
    header = ["copies", "low-pass filter", "areas", "farthest", "PSNR-Y"]
    return render_table(header, rows) + source(result, note)


CONSISTENT_TABLES: dict[str, Callable[[], str]] = {
    "consistent": consistent,
    "consistent_degraded": consistent_degraded,
}
