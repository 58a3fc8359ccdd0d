"""From which share of its contrast that `photo` would change is a picture better left to it?

    python experiments/006-choice/run.py PHOTOS [--photos N]

Writes results.json and figures/limits.png.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray

from pixelift import Upscaler
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS, draw_plan
from pixelift.degrade.plan import Kernel, Plan, Resize
from pixelift.image.depth import to_float
from pixelift.image.find import find_pictures
from pixelift.infer.auto import changed_share
from pixelift.infer.network import Network
from pixelift.metrics.psnr import psnr
from pixelift.patches.condition import judge

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from kinds import middle_of
from stamp import stamp

HERE = Path(__file__).resolve().parent
SCALES = (2, 3, 4)
CLEAN: tuple[Kernel, ...] = ("cubic", "lanczos", "area", "cubic")
DRAWN = 3
"""Copies of each photo at each scale that the degradation `real` draws, beside a clean one."""

LEAST_SIDE = 300
NEARLY = 1.2
"""Of the limits that lose at most so many times what the best one does, the smallest is taken."""

LIMITS = np.round(np.arange(0.04, 0.3001, 0.005), 3)


def plan_of(scale: int, copy: int, rng: np.random.Generator) -> Plan:
    """Draw what became of a copy; the first one is clean."""
    if copy:
        return draw_plan(PRESETS["real"], scale=scale, rng=rng)
    kernel = CLEAN[int(rng.integers(len(CLEAN)))]
    return Plan(scale=scale, steps=(Resize(hr_per_px=float(scale), kernel=kernel),))


def measure(
    path: Path, number: int, scale: int, opened: dict[str, Upscaler]
) -> list[dict[str, Any]]:
    """Enlarge the copies of a photo by both networks, and ask the one for photos of each."""
    hr = middle_of(path, scale)
    if min(hr.shape[:2]) < LEAST_SIDE:
        return []
    network = opened["photo"].network
    if not isinstance(network, Network):
        raise TypeError("the network for photos is to be one network")
    rows = []
    for copy in range(1 + DRAWN):
        plan = plan_of(scale, copy, np.random.default_rng([number, scale, copy]))
        lr = apply_plan(hr, plan)
        scores = {name: psnr(u.upscale(lr), hr, shave=scale) for name, u in opened.items()}
        rows.append(
            {
                "photo": path.name,
                "scale": scale,
                "clean": copy == 0,
                "changed": round(changed_share(to_float(lr), network), 4),
                "seen": judge(to_float(lr)).is_degraded,
                "gain": round(scores["photo"] - scores["balanced"], 4),
            }
        )
    return rows


def lost_by(rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Say for each limit how many decibels are lost against the better network of each copy."""
    gain = np.array([row["gain"] for row in rows])
    changed = np.array([row["changed"] for row in rows])
    seen = np.array([row["seen"] for row in rows])
    best = np.maximum(gain, 0)
    taken = seen | (changed > LIMITS[:, None])
    return (best - np.where(taken, gain, 0)).mean(axis=1)


def draw(rows: list[dict[str, Any]], chosen: float) -> None:
    """Draw what each limit loses at each scale."""
    figure, axes = pyplot.subplots(figsize=(6.5, 3.5), layout="constrained")
    for scale in SCALES:
        axes.plot(
            LIMITS, lost_by([row for row in rows if row["scale"] == scale]), label=f"x{scale}"
        )
    axes.axvline(chosen, color="grey", linestyle=":")
    axes.set(
        xlabel="share of the contrast from which on photo is taken", ylabel="dB lost in the mean"
    )
    axes.set_ylim(bottom=0)
    axes.legend()
    (HERE / "figures").mkdir(exist_ok=True)
    figure.savefig(HERE / "figures" / "limits.png", dpi=110)


def main() -> None:
    """Measure all copies, and choose one limit for all scales."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--photos", dest="count", type=int, default=40, help="how many; default 40")
    chosen_options = parser.parse_args()
    paths = find_pictures(chosen_options.photos)
    order = np.random.default_rng(6).permutation(len(paths))[: chosen_options.count]
    rows: list[dict[str, Any]] = []
    for scale in SCALES:
        opened = {name: Upscaler(name, scale=scale) for name in ("balanced", "photo")}
        for number in order:
            rows += measure(paths[number], int(number), scale, opened)
        print(f"x{scale}: {len(rows)} copies so far", flush=True)
    lost = lost_by(rows)
    # The burden of proof lies with clean: hatches are worse to look at than softness.
    chosen = float(LIMITS[int(np.argmax(lost <= NEARLY * lost.min()))])
    gain = np.array([row["gain"] for row in rows])
    best = np.maximum(gain, 0)
    known = np.array([row["seen"] for row in rows])
    result = {
        "made_by": stamp(),
        "copies": len(rows),
        "chosen": chosen,
        "lost_db": {
            "by the chosen limit": round(float(lost[chosen == LIMITS][0]), 4),
            "by what has a name alone": round(float((best - np.where(known, gain, 0)).mean()), 4),
            "always photo": round(float((best - gain).mean()), 4),
            "always balanced": round(float(best.mean()), 4),
        },
        "clean_taken_for_damaged": round(
            float(np.mean([r["seen"] or r["changed"] > chosen for r in rows if r["clean"]])), 4
        ),
        "lost_by_limit": dict(zip(LIMITS.tolist(), lost.round(4).tolist(), strict=True)),
    }
    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(rows, chosen)
    print(result["lost_db"], chosen, result["clean_taken_for_damaged"])


if __name__ == "__main__":
    main()
