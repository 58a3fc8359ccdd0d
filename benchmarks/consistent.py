"""What --consistent brings: results downscaled again and compared with LR, and their PSNR-Y.

Each HR picture is downscaled, enlarged with and without the projection, and downscaled again.
Degraded copies of Set14 show why `photo` and `vivid` take only the low frequencies of what is off.
Usage: python benchmarks/consistent.py ../shared/bench [SET...]
"""

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift import Upscaler
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import Compress, Noise, Plan, Resize
from pixelift.image.consistent import consistent_rows
from pixelift.image.depth import to_float, to_u8
from pixelift.image.find import find_pictures
from pixelift.image.geometry import Size
from pixelift.image.read import read_u8
from pixelift.image.resize import downscale, modcrop
from pixelift.image.rows import Header, Rows, gather
from pixelift.metrics.psnr import psnr
from stamp import save

SETS = ("Set14", "B100")
MODELS = (("balanced", 2), ("balanced", 4), ("fine", 2), ("fine", 4), ("vivid", 4))
BLOCK = 16
"""Side in LR pixels of the areas whose means are compared."""

DEGRADED_SET = "Set14"
DEGRADED = {
    "noise of 10 levels": (
        Resize(hr_per_px=4.0, kernel="cubic"),
        Noise(kind="gaussian", sigma_255=10.0, is_grey=False, seed=1),
    ),
    "JPEG, quality 50": (
        Resize(hr_per_px=4.0, kernel="cubic"),
        Compress(format="jpeg", quality=50),
    ),
}
DEGRADED_MODEL = ("photo", 4)
SIGMAS = (0.0, 1.0, 2.0, 3.0, 4.0)
"""Standard deviations of the low-pass filter that are tried, in LR pixels; 0 is none."""

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
        "most": np.abs(cut.mean(axis=(1, 3))).max(),
        "psnr_y": psnr(sr, hr, shave=scale),
    }


def project(
    sr: NDArray[np.float32], lr: NDArray[np.uint8], *, scale: int, sigma: float
) -> NDArray[np.uint8]:
    """Project a picture in memory with any low-pass filter."""
    small, large = (
        Rows(Header(Size(*x.shape[:2]), x.shape[2], depth=32), iter([to_float(x)]))
        for x in (lr, sr)
    )
    kind = np.dtype(np.uint8)
    return gather(consistent_rows(large, small, scale=scale, dtype=kind, sigma=sigma), kind)


def measure_degraded(folder: Path) -> list[dict[str, Any]]:
    """Enlarge degraded copies, and bring them into agreement with the copy in several ways."""
    model, scale = DEGRADED_MODEL
    upscaler = Upscaler(model, scale=scale, consistent=False, precision="f32")
    rows = []
    for copy, steps in DEGRADED.items():
        measured: dict[str, list[dict[str, Any]]] = {}
        for path in find_pictures(folder):
            hr = modcrop(read_u8(path), scale)
            lr = apply_plan(hr, Plan(scale=scale, steps=steps))
            sr = upscaler.upscale(to_float(lr))
            measured.setdefault("none", []).append(measure(to_u8(sr), lr, hr))
            for sigma in SIGMAS:
                result = project(sr, lr, scale=scale, sigma=sigma)
                measured.setdefault(f"{sigma:g}", []).append(measure(result, lr, hr))
        for sigma, ones in measured.items():
            row: dict[str, Any] = {"copy": copy, "sigma": sigma, "pictures": len(ones)}
            for key in ("share", "blocks", "psnr_y"):
                row[key] = round(float(mean(one[key] for one in ones)), 4)
            row["most"] = round(float(max(one["most"] for one in ones)), 2)
            rows.append(row)
            print(row, flush=True)
    return rows


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
            for key in ("share", "blocks", "psnr_y"):
                row[key] = {
                    name: round(float(mean(one[key] for one in ones)), 4)
                    for name, ones in measured.items()
                }
            row["least_share"] = round(float(min(one["share"] for one in measured["after"])), 4)
            results.append(row)
            print(row, flush=True)
    degraded = measure_degraded(options.bench / DEGRADED_SET / "HR")
    save("consistent", {"results": results, "degraded": degraded})


if __name__ == "__main__":
    main()
