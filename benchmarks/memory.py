"""Memory of the whole process against the size of the result: flat, since rows pass by.

Each case is a fresh process that enlarges a drawn photo x4 to JPEG or PNG; the largest resident
memory is the system's count. Usage: python benchmarks/memory.py [LARGEST_MEGAPIXELS]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from stamp import ROOT, save

MEGAPIXELS = (1, 4, 16, 50, 100, 400, 1000)
CASES = {
    "JPEG": ["--format", "jpeg"],
    "PNG": ["--format", "png"],
    "PNG, float32": ["--format", "png", "--precision", "f32"],
}
SCALE = 4
IN_MEMORY = """
import sys, pixelift
picture = pixelift.read_picture(sys.argv[1])
pixelift.write_picture(pixelift.Upscaler(scale=4).picture(picture), sys.argv[2], overwrite=True)
"""
MOST_IN_MEMORY = 100


def peak_mib(command: list[str]) -> float:
    """Run a command and tell its largest resident memory in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:3]} failed")
    return round(usage.ru_maxrss / 1024, 1)


def draw_photo(path: Path, megapixels: float) -> None:
    """Lay a photo side by side until the result has that many pixels; 3 wide to 2 high."""
    with Image.open(ROOT / "examples" / "great_hall.jpg") as file:
        photo = file.convert("RGB")
    height = round((megapixels * 1e6 / SCALE**2 / 1.5) ** 0.5)
    sheet = Image.new("RGB", (round(1.5 * height), height))
    for top in range(0, sheet.height, photo.height):
        for left in range(0, sheet.width, photo.width):
            sheet.paste(photo, (left, top))
    sheet.save(path, quality=90)


def main(words: list[str]) -> None:
    """Measure every size and write results/memory.json."""
    largest = float(words[0]) if words else MEGAPIXELS[-1]
    pixelift = [sys.executable, "-m", "pixelift", "upscale"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        lr, output = Path(folder) / "lr.jpg", Path(folder) / "sr"
        for megapixels in [n for n in MEGAPIXELS if n <= largest]:
            draw_photo(lr, megapixels)
            row: dict[str, float | None] = {"megapixels": megapixels}
            for name, options in CASES.items():
                suffix = f".{options[1]}"
                words = [str(lr), "-o", f"{output}{suffix}", "--overwrite", "-s", str(SCALE)]
                row[name] = peak_mib([*pixelift, *words, *options])
            row["in memory (Python)"] = None
            if megapixels <= MOST_IN_MEMORY:
                command = [sys.executable, "-c", IN_MEMORY, str(lr), f"{output}.png"]
                row["in memory (Python)"] = peak_mib(command)
            print(row)
            rows.append(row)
    save("memory", {"scale": SCALE, "results": rows})


if __name__ == "__main__":
    main(sys.argv[1:])
