"""The gallery of the docs: what happened to a photo, and what each model makes of it.

Usage: python tools/make_gallery.py ../shared/photos

Writes docs/gallery/*.jpg and docs/gallery.md: details of six photos by every model, and one photo
in the sixteen kinds of benchmarks/kinds.py by `-m auto`. The photos are of photos/valid: none was
trained on. What was done to them is drawn from a fixed seed, so that everybody gets the same
pictures.
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
from pixelift.image.write import encode_picture

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from kinds import kinds, seed_of

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


KINDS_PHOTO = Detail("nextcloud-example-files__Library.jpg", 0.50, 0.50, "", 0)
KINDS_SCALE = 2
"""The photo that is shown in all kinds, and by how much it was shrunk."""


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
    name = f"{Path(detail.photo).stem.split('__')[-1].replace(' ', '-').lower()}_{detail.preset}"
    path = ROOT / "docs" / "gallery" / f"{name}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    strip = strip_of([middle(sr) for sr in (squares, *shown.values(), hr)])
    write_picture(strip, path, quality=QUALITY, overwrite=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB, {tell(plan)}")
    return (f"gallery/{path.name}", tell(plan), " / ".join(scores))


def strip_of(parts: list[NDArray[np.float32]]) -> Picture:
    """Put details beside each other."""
    gap = np.ones((parts[0].shape[0], GAP, 3), np.float32)
    return Picture(np.concatenate([n for part in parts for n in (gap, part)][1:], axis=1))


def draw_kinds(photos: Path) -> list[str]:
    """Draw a strip for each kind of small picture; returns the lines of the page."""
    hr = modcrop(cut(to_u8(read_picture(find(photos, KINDS_PHOTO.photo)).pixels), KINDS_PHOTO), 4)
    folder = ROOT / "docs" / "gallery" / "kinds"
    folder.mkdir(parents=True, exist_ok=True)
    upscaler = Upscaler(scale=KINDS_SCALE, precision="f32")
    lines = []
    for number, (kind, plan) in enumerate(kinds(KINDS_SCALE, seed_of(KINDS_PHOTO.photo)).items()):
        lr = to_float(apply_plan(hr, plan))
        chosen, why = upscaler.choose(encode_picture(Picture(lr, depth=8), "png"))
        bicubic = np.clip(upscale(lr, KINDS_SCALE), 0, 1)
        sr = chosen.picture(Picture(lr)).pixels
        squares = lr.repeat(KINDS_SCALE, axis=0).repeat(KINDS_SCALE, axis=1)
        path = folder / f"{number + 1:02}.jpg"
        strip = strip_of([middle(picture) for picture in (squares, bicubic, sr, to_float(hr))])
        write_picture(strip, path, quality=QUALITY, overwrite=True)
        scores = " / ".join(f"{psnr(made, hr, shave=KINDS_SCALE):.2f}" for made in (bicubic, sr))
        lines += [
            f"**{kind}**: {scores}; `{chosen.card.name}`, {why}.",
            "",
            f"![{kind}: the small picture, bicubic, auto, the original](gallery/kinds/{path.name})",
            "",
        ]
    return lines


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
    lines += [
        "",
        "## Sixteen kinds of small pictures",
        "",
        f"One photo ({Path(KINDS_PHOTO.photo).stem}, as above), shrunk by {KINDS_SCALE} in",
        "all the ways that docs/degradation.md measures. From left to right: the small picture,",
        "bicubic, `-m auto`, the original. Above it: PSNR-Y in dB of bicubic and `-m auto`, what",
        "that took, and why.",
        "",
        *draw_kinds(photos)[:-1],
    ]
    (ROOT / "docs" / "gallery.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
