"""The gallery of the docs: what a phone did to a photo, and what each model makes of it.

Usage: python tools/make_gallery.py ../shared/photos

Writes docs/gallery/*.jpg and docs/gallery.md. The photos are of photos/valid: none was trained on.
What was done to them is drawn from a fixed seed, so that everybody gets the same pictures.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelift import Picture, Upscaler, list_models, psnr, read_picture, write_picture
from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import PRESETS
from pixelift.degrade.folder import Drawn
from pixelift.degrade.plan import Blur, Compress, Motion, Noise, Plan
from pixelift.image.depth import to_float, to_u8
from pixelift.image.resize import modcrop, upscale

ROOT = Path(__file__).parents[1]
SCALE = 4
SIDE = 248
"""Side of a detail in HR pixels."""
CONTEXT = 512
"""Side of what is degraded and enlarged around it."""
GAP = 6
QUALITY = 85
MODELS = ("balanced", "photo", "vivid")


@dataclass(frozen=True)
class Detail:
    """One strip: a photo, where its middle lies as shares of height and width, and a seed."""

    photo: str
    down: float
    right: float
    preset: str
    seed: int


DETAILS = (
    Detail("azure-samples__Thailand.jpg", 0.40, 0.55, "photo", 3),
    Detail("nextcloud-example-files__Library.jpg", 0.50, 0.50, "photo", 1),
    Detail("aosc-community-wallpapers__People_Crossing_the_Road.jpg", 0.60, 0.55, "photo", 2),
    Detail("metadata-extractor__Panasonic FZ20.jpg", 0.50, 0.50, "photo", 4),
    Detail("openseadragon__highsmith_L14_half.jpg", 0.50, 0.50, "heavy", 5),
    Detail(
        "bloopletech-akc__Cathedral_of_Saint_Cecilia_of_Albi_-_7095_-_Altar_and_choir.jpg",
        0.50,
        0.50,
        "clean",
        0,
    ),
)


def tell(plan: Plan) -> str:
    """Say in words what a plan does."""
    words = []
    for step in plan.steps:
        match step:
            case Blur():
                words.append(f"blur of {step.sigma_px / SCALE:.2f} small pixels")
            case Motion():
                words.append(f"motion of {step.length_px / SCALE:.1f} small pixels")
            case Noise():
                words.append(f"{step.kind} noise of {step.sigma_255:.0f} levels")
            case Compress():
                words.append(f"{step.format.upper()} of quality {step.quality}")
    return ", ".join(words) or "only shrunk"


def find(folder: Path, name: str) -> Path:
    """Find a photo in any folder of photos/valid."""
    return next(path for path in sorted((folder / "valid").rglob("*")) if path.name == name)


def cut(hr: NDArray[np.uint8], detail: Detail) -> NDArray[np.uint8]:
    """Cut the surroundings of a detail out, on the grid of the scale."""
    height, width = hr.shape[:2]
    side = min(CONTEXT, height, width) // SCALE * SCALE
    top = min(max(0, int(detail.down * height) - side // 2), height - side) // SCALE * SCALE
    left = min(max(0, int(detail.right * width) - side // 2), width - side) // SCALE * SCALE
    return np.ascontiguousarray(hr[top : top + side, left : left + side])


def middle(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the shown detail out of its surroundings."""
    top = (picture.shape[0] - SIDE) // 2 // SCALE * SCALE
    return picture[top : top + SIDE, top : top + SIDE]


def draw_strip(detail: Detail, photos: Path, upscalers: dict[str, Upscaler]) -> tuple[str, ...]:
    """Draw one strip; returns its row of the table."""
    read = to_u8(read_picture(find(photos, detail.photo)).pixels)
    rgb = np.repeat(read, 3, axis=2) if read.shape[2] == 1 else read
    hr_u8 = modcrop(cut(rgb, detail), SCALE)
    drawn = Drawn(PRESETS[detail.preset], SCALE, detail.seed, detail.preset)
    plan = drawn.plan(detail.photo)
    lr = to_float(apply_plan(hr_u8, plan))
    hr = to_float(hr_u8)
    shown = {"bicubic": np.clip(upscale(lr, SCALE), 0, 1)}
    shown |= {name: up.picture(Picture(lr)).pixels for name, up in upscalers.items()}
    scores = [f"{psnr(sr, hr, shave=SCALE):.2f}" for sr in shown.values()]
    squares = lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
    gap = np.ones((SIDE, GAP, 3), np.float32)
    parts = [part for sr in (squares, *shown.values(), hr) for part in (gap, middle(sr))][1:]
    name = f"{Path(detail.photo).stem.split('__')[-1].replace(' ', '-').lower()}_{detail.preset}"
    path = ROOT / "docs" / "gallery" / f"{name}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    strip = Picture(np.concatenate(parts, axis=1).astype(np.float32))
    write_picture(strip, path, quality=QUALITY, overwrite=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB, {tell(plan)}")
    return (f"gallery/{path.name}", tell(plan), " / ".join(scores))


def credits(photos: Path) -> dict[str, str]:
    """Look up author and licence of each photo."""
    with (photos / "SOURCES.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return {Path(row["file"]).name: f"{row['author']}, {row['licence']}" for row in rows}


def main(photos: Path) -> None:
    """Draw all strips and write the page."""
    packaged = {card.name for card in list_models() if card.scale == SCALE}
    upscalers = {n: Upscaler(n, scale=SCALE, precision="f32") for n in MODELS if n in packaged}
    columns = ["the small picture", "bicubic", *upscalers, "the original"]
    lines = [
        "# Gallery",
        "",
        "Made by `python tools/make_gallery.py ../shared/photos`. Details of photos that no model",
        "was trained on, degraded as told and enlarged four times. Each strip, from left to right:",
        ", ".join(columns) + ".",
        "Below it: what was done, and PSNR-Y in dB of " + ", ".join(columns[1:-1]) + ".",
    ]
    lines += (
        ["", "`vivid` invents: what looks like detail in it was not in the small picture."]
        if "vivid" in upscalers
        else []
    )
    names = credits(photos)
    for detail in DETAILS:
        path, told, scores = draw_strip(detail, photos, upscalers)
        lines += ["", f"![{', '.join(columns)}]({path})", "", f"{told}: {scores}.  "]
        lines += [
            f"Photo: {Path(detail.photo).stem}, {names.get(detail.photo, 'see SOURCES.tsv')}."
        ]
    (ROOT / "docs" / "gallery.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
