"""What softening brings: copies of photos/valid that are clean, aliased or sharpened, enlarged.

Each is enlarged by bicubic, by a network as it is, and softened by what `-m auto` sees in it.
Usage: python benchmarks/softening.py ../shared/photos/valid

The rule was set on photos/train; nothing here was tuned on photos/valid.
"""

import argparse
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift import Upscaler
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import Kernel, Plan, Resize
from pixelift.image.depth import to_float, to_u8
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from pixelift.image.resize import downscale, modcrop, upscale
from pixelift.metrics.psnr import psnr
from pixelift.patches.condition import judge
from stamp import save

SCALES = (2, 4)
MODELS = ("balanced", "fine")
SIDE = 768
"""HR pixels of each photo that are used, along each side, around the middle."""

KERNELS: dict[str, Kernel] = {
    "shrunk by area": "area",
    "shrunk without antialiasing": "bare-cubic",
}


def copies(hr: NDArray[np.uint8], scale: int) -> dict[str, NDArray[np.uint8]]:
    """Make the small copies of a photo: how each came about, and its pixels."""
    clean = to_u8(downscale(to_float(hr), scale))
    made = {"clean": clean}
    for name, kernel in KERNELS.items():
        steps = (Resize(hr_per_px=float(scale), kernel=kernel),)
        made[name] = apply_plan(hr, Plan(scale=scale, steps=steps))
    for amount in (0.5, 1.0):
        made[f"sharpened by {amount:.0%}"] = sharpened(clean, amount)
    return made


def sharpened(picture: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """Sharpen as cameras do: add what a Gaussian with a sigma of 1 pixel takes away."""
    place = np.arange(-3, 4)
    weights = np.exp(-(place**2) / 2) / np.exp(-(place**2) / 2).sum()
    values = picture.astype(np.float64)
    blurred = values
    for axis in (0, 1):
        padded = np.pad(blurred, [(3, 3) if n == axis else (0, 0) for n in range(3)], "symmetric")
        length = values.shape[axis]
        blurred = sum(
            weight * padded.take(range(n, n + length), axis) for n, weight in enumerate(weights)
        )
    result: NDArray[np.uint8] = np.clip(
        np.floor(values + amount * (values - blurred) + 0.5), 0, 255
    ).astype(np.uint8)
    return result


@lru_cache(maxsize=64)
def opened(model: str, scale: int, share: float) -> Upscaler:
    """Open a network; there are few shares, since they are rounded."""
    return Upscaler(model, scale=scale, soften=share)


def measure(path: Path, scale: int) -> list[dict[str, Any]]:
    """Enlarge the copies of a photo in every way."""
    hr = read_u8(path)
    top, left = (max(0, (n - SIDE) // 2) for n in hr.shape[:2])
    hr = modcrop(np.ascontiguousarray(hr[top : top + SIDE, left : left + SIDE]), scale)
    rows = []
    for name, lr in copies(hr, scale).items():
        condition = judge(to_float(lr))
        bicubic = np.clip(upscale(to_float(lr), scale), 0, 1)
        row = {"copy": name, "share": condition.soften, "is_degraded": condition.is_degraded}
        row["bicubic"] = psnr(bicubic, hr, shave=scale)
        for model in MODELS:
            for key, share in ((model, 0.0), (f"{model}, softened", condition.soften)):
                if key != model and not share:
                    row[key] = row[model]
                    continue
                sr = opened(model, scale, share).upscale(lr)
                row[key] = psnr(sr, hr, shave=scale)
        rows.append(row)
    return rows


def main() -> None:
    """Measure all copies and write results/softening.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path)
    photos = find_pictures(parser.parse_args().photos)
    results = []
    for scale in SCALES:
        measured = [row for path in photos for row in measure(path, scale)]
        for name in dict.fromkeys(row["copy"] for row in measured):
            rows = [row for row in measured if row["copy"] == name]
            values = [key for key in rows[0] if key not in ("copy", "share", "is_degraded")]
            result = {
                "copy": name,
                "scale": scale,
                "pictures": len(rows),
                "softened": sum(row["share"] > 0 for row in rows),
                "taken_for_degraded": sum(row["is_degraded"] for row in rows),
                "psnr_y": {key: round(mean(row[key] for row in rows), 4) for key in values},
            }
            results.append(result)
            print(result, flush=True)
    save("softening", {"results": results, "side": SIDE})


if __name__ == "__main__":
    main()
