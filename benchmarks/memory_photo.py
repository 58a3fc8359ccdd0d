"""Draws the photo that benchmarks/memory.py enlarges.

In a process of its own: the system counts the memory of whoever starts a process as that process's.
Usage: python benchmarks/memory_photo.py MEGAPIXELS SCALE FILE.jpg
"""

import sys
from pathlib import Path

from PIL import Image

PHOTO = Path(__file__).parents[1] / "examples" / "great_hall.jpg"


def draw_photo(path: Path, *, megapixels: float, scale: int) -> None:
    """Lay a photo side by side until the result has that many pixels; 3 wide to 2 high."""
    with Image.open(PHOTO) as file:
        photo = file.convert("RGB")
    height = round((megapixels * 1e6 / scale**2 / 1.5) ** 0.5)
    sheet = Image.new("RGB", (round(1.5 * height), height))
    for top in range(0, sheet.height, photo.height):
        for left in range(0, sheet.width, photo.width):
            sheet.paste(photo, (left, top))
    sheet.save(path, quality=90)


if __name__ == "__main__":
    megapixels, scale, name = sys.argv[1:]
    draw_photo(Path(name), megapixels=float(megapixels), scale=int(scale))
