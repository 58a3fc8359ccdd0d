"""What of each hard picture is kept when it is enlarged in its own format.

The corpus of tools/corpus.py goes through `Upscaler.upscale` as bytes; what went in and what came
out is compared. Usage: python benchmarks/formats.py
"""

import importlib
import io
import sys

import numpy as np
from PIL import Image, UnidentifiedImageError

from pixelift import Upscaler, read_picture
from pixelift.image.resize import downscale
from stamp import ROOT, save

SCALE = 2
CLOSE = 0.03
"""Mean difference of the shrunk result below which its colours count as kept."""


def told(data: bytes) -> tuple[object, ...] | None:
    """Look up camera, date and place in EXIF, as another program sees them."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            exif = image.getexif()
            taken, place = exif.get_ifd(0x8769).get(0x9003), exif.get_ifd(0x8825)
            found = exif.get(0x10F), taken, place.get(1), place.get(2)
    except UnidentifiedImageError:  # Pillow knows no colours of 16 bits
        return None
    return found if any(found) else None


def compare(data: bytes, result: bytes) -> dict[str, str]:
    """Say of each property whether it was kept; "-" where there was nothing to keep."""
    before, after = read_picture(data), read_picture(result)
    small = downscale(after.pixels, SCALE)
    shown = 1 if before.alpha is None else before.alpha[..., None]
    far = float(np.abs((small - before.pixels) * shown).mean())

    def kept(was: object, now: object) -> str:
        return "-" if was is None else "kept" if was == now else "lost"

    return {
        "size": kept(before.size.scaled(SCALE), after.size),
        "colours": "kept" if far < CLOSE else f"off by {far:.3f}",
        "grey": kept(before.is_grey or None, after.is_grey),
        "depth": f"{before.depth} to {after.depth}" if before.depth != after.depth else "kept",
        "alpha": kept(None if before.alpha is None else True, after.alpha is not None),
        "profile": kept(before.icc, after.icc),
        "EXIF": kept(told(data), told(result)),
        "resolution": kept(before.dpi, after.dpi),
    }


def main() -> None:
    """Enlarge the corpus and write results/formats.json."""
    sys.path.insert(0, str(ROOT))
    hard_pictures = importlib.import_module("tools.corpus").hard_pictures
    upscaler = Upscaler("balanced", scale=SCALE, precision="f32")
    rows = []
    for hard in hard_pictures():
        before = read_picture(hard.data)
        if before.format == "gif":
            continue
        compared = compare(hard.data, upscaler.upscale(hard.data))
        rows.append({"name": hard.name, "bits": before.depth, **compared})
    lost = [row for row in rows if "lost" in row.values()]
    print(f"{len(rows)} pictures; something is lost in {[row['name'] for row in lost]}")
    save("formats", {"scale": SCALE, "results": rows})


if __name__ == "__main__":
    main()
