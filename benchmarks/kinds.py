"""What people really have: sixteen kinds of small pictures made of photos/valid, and enlarged.

Each kind is a plan of `pixelift.degrade` with the same numbers for every photo. Measured against
bicubic interpolation, which needs no network: whoever enlarges a picture should never get less.
Usage: python benchmarks/kinds.py ../shared/photos/valid [--scale 2] [--model auto] [--most 5]

Nothing is tuned on photos/valid, and no limit of `-m auto` was set on these kinds.
"""

import argparse
import hashlib
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift import Upscaler
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.plan import AnyStep, Compress, Kernel, Noise, Plan, Resize, Sharpen
from pixelift.image.depth import to_float
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from pixelift.image.resize import modcrop, upscale
from pixelift.metrics.protocol import Channel
from pixelift.metrics.psnr import psnr
from stamp import save

SCALES = (2, 3, 4)
MODELS = ("auto", "balanced", "photo")
SIDE = 768
"""HR pixels of each photo that are used, along each side, around the middle."""

COLOUR = "colour noise of 12 levels"
"""Luma has none of it, so that this kind is measured on RGB."""

Steps = list[AnyStep]


def kinds(scale: int, seed: int) -> dict[str, Plan]:
    """Write down the plan of each kind.

    Args:
        scale: HR pixels per LR pixel.
        seed: Of the noise; each photo has its own.

    Returns:
        Plans by name.
    """

    def shrunk(kernel: Kernel = "cubic", times: float = 1.0) -> Resize:
        return Resize(hr_per_px=scale / times, kernel=kernel)

    def noise(sigma: float, *, is_chroma: bool = False) -> Noise:
        return Noise(
            kind="gaussian", sigma_255=sigma, is_grey=False, seed=seed, is_chroma=is_chroma
        )

    def jpeg(quality: int) -> Compress:
        return Compress(format="jpeg", quality=quality)

    steps: dict[str, Steps] = {
        "MATLAB's bicubic": [shrunk()],
        "mean of each block": [shrunk("area")],
        "Lanczos with antialiasing": [shrunk("lanczos")],
        "every s-th pixel": [shrunk("nearest")],
        "bilinear without antialiasing": [shrunk("stride")],
        "sharpened": [shrunk(), Sharpen(sigma_px=0.8, amount=1.25)],
        "JPEG 85": [shrunk(), jpeg(85)],
        "JPEG 40": [shrunk(), jpeg(40)],
        "JPEG 40 at 1.4 times the size, then shrunk": [shrunk(times=1.4), jpeg(40), shrunk()],
        "JPEG 40 at 0.75 times the size, then enlarged": [shrunk(times=0.75), jpeg(40), shrunk()],
        "noise of 6 levels": [shrunk(), noise(6)],
        "noise of 10 at 1.4 times the size, then shrunk": [shrunk(times=1.4), noise(10), shrunk()],
        "noise of 10 at 0.75 times the size, then enlarged": [
            shrunk(times=0.75),
            noise(10),
            shrunk(),
        ],
        COLOUR: [shrunk(), noise(12, is_chroma=True)],
        "WebP 30": [shrunk(), Compress(format="webp", quality=30)],
        "halved and enlarged again": [shrunk(times=0.5), shrunk()],
    }
    return {name: Plan(scale=scale, steps=tuple(of)) for name, of in steps.items()}


def middle_of(path: Path, scale: int) -> NDArray[np.uint8]:
    """Read the middle of a photo, cut to the scale's grid."""
    hr = read_u8(path)
    top, left = (max(0, (n - SIDE) // 2) for n in hr.shape[:2])
    return modcrop(np.ascontiguousarray(hr[top : top + SIDE, left : left + SIDE]), scale)


def seed_of(name: str) -> int:
    """Derive the seed of a photo's noise from its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])


def measure(path: Path, upscalers: dict[str, Upscaler], scale: int) -> list[dict[str, Any]]:
    """Enlarge every kind of one photo in every way."""
    hr = middle_of(path, scale)
    rows = []
    for kind, plan in kinds(scale, seed_of(path.name)).items():
        lr = apply_plan(hr, plan)
        channel: Channel = "rgb" if kind == COLOUR else "y"
        row: dict[str, Any] = {"kind": kind}
        bicubic = np.clip(upscale(to_float(lr), scale), 0, 1)
        row["bicubic"] = psnr(bicubic, hr, shave=scale, channel=channel)
        for name, upscaler in upscalers.items():
            row[name] = psnr(upscaler.upscale(lr), hr, shave=scale, channel=channel)
        rows.append(row)
    return rows


def main() -> None:
    """Measure all kinds; with all scales, models and photos, write results/kinds.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--scale", type=int, action="append", help="2, 3 or 4; default: all")
    parser.add_argument("--model", action="append", help="a name or file; default: all three")
    parser.add_argument("--most", type=int, help="how many of the photos, evenly spread")
    chosen = parser.parse_args()
    photos = find_pictures(chosen.photos)
    if chosen.most:
        photos = photos[:: max(1, len(photos) // chosen.most)][: chosen.most]
    results = []
    for scale in chosen.scale or SCALES:
        upscalers = {name: Upscaler(name, scale=scale) for name in chosen.model or MODELS}
        measured = [row for path in photos for row in measure(path, upscalers, scale)]
        for kind in dict.fromkeys(row["kind"] for row in measured):
            rows = [row for row in measured if row["kind"] == kind]
            means = {
                name: round(mean(row[name] for row in rows), 3)
                for name in rows[0]
                if name != "kind"
            }
            worst = {
                name: round(min(row[name] - row["bicubic"] for row in rows), 3)
                for name in upscalers
            }
            results.append({"kind": kind, "scale": scale, "psnr": means, "worst": worst})
            gains = ", ".join(f"{name} {means[name] - means['bicubic']:+.2f}" for name in upscalers)
            print(f"x{scale} {kind}: bicubic {means['bicubic']:.2f}, {gains}", flush=True)
    if not (chosen.scale or chosen.model or chosen.most):
        save("kinds", {"results": results, "side": SIDE, "photos": len(photos)})


if __name__ == "__main__":
    main()
