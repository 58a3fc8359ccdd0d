"""What `--effort auto` loses and saves beside the best network: photos and B100.

Whole library calls, 8-bit picture in and out; all efforts in turns on each picture, so that the
ratios hold on a busy machine too. Usage: python benchmarks/effort.py ../shared [--scale 4]
[--set photos/valid] [--precision f32] [--most N]; with an option the results are told and not kept.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from pixelift import Upscaler
from pixelift.evaluate.datasets import find_sources, load_pair
from pixelift.infer.cells import CELL
from pixelift.infer.effort import SPARED
from pixelift.infer.route import Router
from pixelift.metrics.psnr import psnr
from stamp import save

SETS = {"photos/valid": "photos/valid", "B100": "bench/B100/HR"}
EFFORTS = ("low", "0.25", "0.5", "auto", "2", "4", "high")
ROUNDS = 3


def measure(folder: Path, scale: int, precision: str, most: int) -> list[dict[str, Any]]:
    """Run every effort on every picture of a set."""
    upscalers = {e: Upscaler(scale=scale, effort=e, precision=precision) for e in EFFORTS}
    seconds: dict[str, list[float]] = {effort: [] for effort in EFFORTS}
    scores: dict[str, list[float]] = {effort: [] for effort in EFFORTS}
    shares: dict[str, list[tuple[float, int]]] = {effort: [] for effort in EFFORTS}
    for source in find_sources(folder, scale=scale, lr=None)[:most]:
        lr, hr = load_pair(source, scale=scale)
        for upscaler in upscalers.values():
            upscaler.upscale(lr)  # shapes that are new to an engine cost more the first time
        spent: dict[str, list[float]] = {effort: [] for effort in EFFORTS}
        for _ in range(ROUNDS):
            for effort, upscaler in upscalers.items():
                started = time.perf_counter()
                sr = upscaler.upscale(lr)
                spent[effort].append(time.perf_counter() - started)
                if len(spent[effort]) == 1:
                    scores[effort].append(psnr(sr, hr, shave=scale))
                    network = upscaler.network
                    is_routed = isinstance(network, Router)
                    share = network.decide(lr).share if is_routed else float(effort == "high")
                    shares[effort].append((share, lr.shape[0] * lr.shape[1]))
        for effort, found in spent.items():
            seconds[effort].append(statistics.median(found))
    best, whole = np.array(scores["high"]), sum(seconds["high"])
    return [
        {
            "effort": effort,
            "psnr_y": round(float(np.mean(scores[effort])), 4),
            "loss_db": round(float(np.mean(best - scores[effort])), 4),
            "worst_loss_db": round(float(np.max(best - scores[effort])), 4),
            "seconds": round(sum(seconds[effort]), 4),
            "times_as_fast": round(whole / sum(seconds[effort]), 3),
            "pictures": len(scores[effort]),
            "share_of_best": round(sum(s * n for s, n in found) / sum(n for _, n in found), 4),
        }
        for effort, found in shares.items()
    ]


def main() -> None:
    """Measure, and write results/effort.json where everything was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path, help="folder with photos/valid and bench/B100/HR")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--set", choices=[*SETS], action="append", help="by default both")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--most", type=int, default=1000, help="pictures of each set")
    chosen = parser.parse_args()
    results = {
        name: measure(chosen.shared / SETS[name], chosen.scale, chosen.precision, chosen.most)
        for name in chosen.set or SETS
    }
    for name, rows in results.items():
        for row in rows:
            print(
                f"{name} {row['effort']}: {row['psnr_y']:.3f} dB, {row['loss_db']:.3f} below high "
                f"(worst {row['worst_loss_db']:.3f}), {row['times_as_fast']:.2f} times as fast"
            )
    network = Upscaler(scale=chosen.scale, effort="auto").network
    names = (
        [network.cheap.card.key, network.best.card.key]
        if isinstance(network, Router)
        else [network.card.key]
    )
    if chosen != parser.parse_args([str(chosen.shared)]):
        print("not kept: only a run without options is written to results/effort.json")
        return
    settled = {"scale": chosen.scale, "rounds": ROUNDS, "spared": SPARED, "cell": CELL}
    save("effort", settled | {"networks": names, "results": results})


if __name__ == "__main__":
    main()
