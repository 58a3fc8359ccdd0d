"""`make demo`: shrink the bundled photo to a quarter, super-resolve it, and show what came back.

Needs the light package only. Writes the small photo, the bicubic and the super-resolved one, and
a detail of both beside the original, into demo/.
"""

import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from pixelift import Picture, Upscaler, psnr, read_picture, ssim, write_picture
from pixelift.image.depth import to_float, to_u8
from pixelift.image.geometry import Box
from pixelift.image.resize import downscale, modcrop, upscale

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "examples" / "great_hall.jpg"
SCALE = 4
DETAIL = Box(588, 388, 156, 320)
"""The part of the photo that the side-by-side picture shows, in HR pixels."""
ZOOM = 2
GAP = 8


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """Put the detail of several pictures next to each other, pixels enlarged as squares."""
    details = [p[DETAIL.slices].repeat(ZOOM, axis=0).repeat(ZOOM, axis=1) for p in pictures]
    gap = np.ones((details[0].shape[0], GAP, 3), np.float32)
    parts = [part for detail in details for part in (gap, detail)][1:]
    return np.concatenate(parts, axis=1)


def main(folder: Path) -> None:
    """Run the demo and write its pictures into a folder."""
    hr_u8 = modcrop(to_u8(read_picture(PHOTO).pixels), SCALE)
    lr_u8 = downscale(hr_u8, SCALE)
    hr, lr = to_float(hr_u8), Picture(to_float(lr_u8))

    started = time.perf_counter()
    bicubic = np.clip(upscale(lr.pixels, SCALE), 0, 1)
    bicubic_seconds = time.perf_counter() - started
    upscaler = Upscaler("balanced", scale=SCALE)
    started = time.perf_counter()
    restored = upscaler.picture(lr).pixels
    seconds = time.perf_counter() - started

    table = Table(title=f"{PHOTO.name}, {lr.size} to {hr.shape[1]}x{hr.shape[0]}")
    for column in ("", "PSNR-Y (dB)", "SSIM-Y", "seconds"):
        table.add_column(column, justify="right" if column else "left")
    rows = (
        ("bicubic", bicubic, bicubic_seconds),
        (f"Pixelift {upscaler.card.name}", restored, seconds),
    )
    for name, picture, spent in rows:
        quality = psnr(picture, hr, shave=SCALE), ssim(picture, hr, shave=SCALE)
        table.add_row(name, f"{quality[0]:.2f}", f"{quality[1]:.4f}", f"{spent:.2f}")
    Console().print(table)

    folder.mkdir(parents=True, exist_ok=True)
    outputs = {
        "small.png": lr.pixels,
        "bicubic.png": bicubic,
        "pixelift.png": restored,
        "side_by_side.png": side_by_side([bicubic, restored, hr]),
    }
    for name, pixels in outputs.items():
        write_picture(Picture(pixels), folder / name, overwrite=True)
    print(f"Written to {folder}: {', '.join(outputs)}")
    print("side_by_side.png shows, from left to right: bicubic, Pixelift, the original.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"))
