"""How often -m auto takes the right network: clean and degraded copies of photos/valid.

Usage: python benchmarks/choice.py ../shared/photos/valid

The thresholds were set on photos/train; nothing here was tuned on photos/valid.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS
from pixelift.degrade.folder import Drawn
from pixelift.image.depth import to_float
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from pixelift.image.resize import modcrop
from pixelift.patches.condition import judge
from stamp import save

SCALES = (2, 3, 4)
SEEDS = (1, 2, 3)
SIDE = 1536
"""HR pixels of each photo that are used, along each side, around the middle."""


def judge_copies(path: Path, name: str) -> list[dict[str, Any]]:
    """Judge clean and degraded copies of one photo, and the photo as it is."""
    hr = read_u8(path)
    top, left = (max(0, (n - SIDE) // 2) // 24 * 24 for n in hr.shape[:2])
    hr = np.ascontiguousarray(hr[top : top + SIDE, left : left + SIDE])
    rows = [{"copy": "original", "scale": 1, "condition": judge(to_float(hr))}]
    for scale in SCALES:
        cut = modcrop(hr, scale)
        for preset, seeds in (("clean", SEEDS[:1]), ("photo", SEEDS), ("heavy", SEEDS[:1])):
            for seed in seeds:
                plan = Drawn(PRESETS[preset], scale, seed, preset).plan(name)
                condition = judge(to_float(apply_plan(cut, plan)))
                rows.append({"copy": preset, "scale": scale, "condition": condition})
    return rows


def main(folder: Path) -> None:
    """Judge all copies and write results/choice.json."""
    counts: dict[str, dict[str, int]] = {}
    for path in find_pictures(folder):
        for row in judge_copies(path, path.name):
            name = row["copy"] if row["scale"] == 1 else f"{row['copy']} x{row['scale']}"
            count = counts.setdefault(name, {"pictures": 0, "taken_for_degraded": 0})
            count["pictures"] += 1
            count["taken_for_degraded"] += row["condition"].is_degraded
            if row["condition"].is_degraded != (row["copy"] in ("photo", "heavy")):
                print(f"{path.name} {name}: {row['condition'].reason}")
    right = total = 0
    for name, count in counts.items():
        kind = name.split()[0]
        if kind in ("clean", "photo"):
            hits = count["taken_for_degraded"]
            right += hits if kind == "photo" else count["pictures"] - hits
            total += count["pictures"]
        print(f"{name}: {count['taken_for_degraded']} of {count['pictures']} taken for degraded")
    print(f"right: {right} of {total} clean and photo copies, {right / total:.1%}")
    save("choice", {"results": counts, "right": right, "total": total})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
