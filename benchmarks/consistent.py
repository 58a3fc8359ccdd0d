"""What --consistent brings: results downscaled again and compared with LR, and their PSNR-Y.

Each HR picture is downscaled, enlarged with and without the projection, and downscaled again.
Usage: python benchmarks/consistent.py ../shared/bench [SET...]
"""

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift import Upscaler
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from pixelift.image.resize import downscale, modcrop
from pixelift.metrics.psnr import psnr
from stamp import save

SETS = ("Set14", "B100")
MODELS = (("balanced", 2), ("balanced", 4), ("fine", 2), ("fine", 4), ("vivid", 4))
BLOCK = 16
"""Side in LR pixels of the areas whose means are compared."""

LEVEL = 1
"""How far samples and means may be off to count."""


def measure(sr: NDArray[np.uint8], lr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> dict[str, Any]:
    """Compare a result with the picture that it was made of, and with the original."""
    scale = len(hr) // len(lr)
    off = downscale(sr, scale).astype(np.int64) - lr
    height, width = (n - n % BLOCK for n in lr.shape[:2])
    cut = off[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, -1)
    return {
        "share": 100 * (np.abs(off) <= LEVEL).mean(),
        "blocks": 100 * (np.abs(cut.mean(axis=(1, 3))) <= LEVEL).mean(),
        "psnr_y": psnr(sr, hr, shave=scale),
    }


def main() -> None:
    """Measure all sets and write results/consistent.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bench", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    options = parser.parse_args()
    results = []
    for model, scale in MODELS:
        ways = {
            name: Upscaler(model, scale=scale, consistent=consistent, precision="f32")
            for name, consistent in (("before", False), ("after", True))
        }
        for test_set in options.sets:
            measured: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
            for path in find_pictures(options.bench / test_set / "HR"):
                hr = modcrop(read_u8(path), scale)
                lr = downscale(hr, scale)
                for name, upscaler in ways.items():
                    measured[name].append(measure(upscaler.upscale(lr), lr, hr))
            row: dict[str, Any] = {"model": model, "scale": scale, "set": test_set}
            row["pictures"] = len(measured["after"])
            for key in measured["after"][0]:
                row[key] = {
                    name: round(float(mean(one[key] for one in ones)), 4)
                    for name, ones in measured.items()
                }
            row["least_share"] = round(float(min(one["share"] for one in measured["after"])), 4)
            results.append(row)
            print(row, flush=True)
    save("consistent", {"results": results})


if __name__ == "__main__":
    main()
