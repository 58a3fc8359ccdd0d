"""Whether a network's doubt means error: the spread of eight answers against the true error.

Rank correlation for each pixel and each block of 8 x 8, and the reliability curve, on B100, with a
figure. Usage: python benchmarks/confidence.py ../shared/bench/B100/HR
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pixelift import Upscaler
from pixelift.evaluate.datasets import find_sources, load_pair
from pixelift.image.color import luma
from pixelift.image.depth import to_float
from pixelift.infer.confidence import measure_spread
from stamp import ROOT, save

BLOCK = 8
BINS = 20
FIGURE = ROOT / "docs" / "images" / "confidence.png"

# Studio luma has 219 levels, the spread is in levels of the full range.
FULL_RANGE = 255 / 219

Map = NDArray[np.float64]


def maps(upscaler: Upscaler, lr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> tuple[Map, Map]:
    """Spread and true error of a picture, both in 8-bit levels; the border is shaved."""
    scale = upscaler.network.card.scale
    spread = measure_spread(to_float(lr), upscaler.network.engine)
    apart = luma(to_float(upscaler.upscale(lr))) - luma(to_float(hr))
    inner = np.s_[scale:-scale, scale:-scale]
    return spread[inner].astype(np.float64), np.abs(apart)[inner] * FULL_RANGE


def blocks(values: Map) -> Map:
    """Root of the mean square over blocks."""
    height, width = (n // BLOCK * BLOCK for n in values.shape)
    squares = values[:height, :width] ** 2
    return np.sqrt(squares.reshape(height // BLOCK, BLOCK, -1, BLOCK).mean(axis=(1, 3)))


def reliability(spread: Map, error: Map) -> list[dict[str, float]]:
    """Root mean square error of pixels, by equal shares of them ordered by their spread."""
    order = np.array_split(np.argsort(spread, kind="stable"), BINS)
    return [
        {
            "spread": round(float(spread[part].mean()), 4),
            "error": round(float(np.sqrt((error[part] ** 2).mean())), 4),
        }
        for part in order
    ]


def draw(curve: list[dict[str, float]], title: str) -> None:
    """Draw the reliability curve."""
    figure, axes = pyplot.subplots(figsize=(5, 4), layout="constrained")
    axes.plot([p["spread"] for p in curve], [p["error"] for p in curve], marker="o", color="C0")
    axes.set_xlabel("spread of the eight answers, 8-bit levels")
    axes.set_ylabel("true error (root mean square), 8-bit levels")
    axes.set_title(title)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    """Measure and write results/confidence.json and the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hr", type=Path, help="folder of true pictures, B100's")
    parser.add_argument("--model", default="balanced")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--most", type=int, default=1000, help="pictures")
    chosen = parser.parse_args()
    upscaler = Upscaler(chosen.model, scale=chosen.scale, ensemble=True, precision="f32")
    found: list[tuple[Map, Map]] = []
    rows: list[dict[str, Any]] = []
    for source in find_sources(chosen.hr, scale=chosen.scale, lr=None)[: chosen.most]:
        spread, error = maps(upscaler, *load_pair(source, scale=chosen.scale))
        found.append((spread, error))
        by_block = spearmanr(blocks(spread).ravel(), blocks(error).ravel()).statistic
        by_pixel = spearmanr(spread.ravel(), error.ravel()).statistic
        rows.append({"name": source.name, "pixel": round(by_pixel, 4), "block": round(by_block, 4)})
        print(rows[-1])
    spread, error = (np.concatenate([pair[i].ravel() for pair in found]) for i in (0, 1))
    in_blocks = [np.concatenate([blocks(pair[i]).ravel() for pair in found]) for i in (0, 1)]
    curve = reliability(spread, error)
    whole = {
        "pixel": round(float(spearmanr(spread, error).statistic), 4),
        "block": round(float(spearmanr(*in_blocks).statistic), 4),
        "mean_of_pictures_pixel": round(float(np.mean([row["pixel"] for row in rows])), 4),
        "mean_of_pictures_block": round(float(np.mean([row["block"] for row in rows])), 4),
    }
    print(whole)
    settled = {"model": chosen.model, "scale": chosen.scale, "block": BLOCK, "pictures": len(rows)}
    save("confidence", settled | {"spearman": whole, "reliability": curve, "by_picture": rows})
    # After the results, which name the commit that they were made from: the figure is tracked too.
    draw(curve, f"{chosen.model} x{chosen.scale}, {len(rows)} pictures")


if __name__ == "__main__":
    main()
