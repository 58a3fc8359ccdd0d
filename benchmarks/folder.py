"""A folder of photos written as JPEG beside what the network alone takes for them.

The network alone: every photo decoded beforehand, its tiles through the opened upscaler, the result
dropped. Each is run several times in turn; the fastest of each counts.
Usage: python benchmarks/folder.py FOLDER_OF_PHOTOS [PHOTOS]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pixelift import Upscaler
from pixelift.batch.jobs import Settings
from pixelift.batch.plan import plan_jobs
from pixelift.batch.pool import run_jobs
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from stamp import save

PHOTOS = 40
ROUNDS = 3
SIDE = 1000
"""Photos are cut to squares of that side, so that all of them fit into memory at once."""


def main(words: list[str]) -> None:
    """Measure and write results/folder.json."""
    photos = find_pictures(Path(words[0]))
    count = int(words[1]) if len(words) > 1 else PHOTOS
    upscaler = Upscaler()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        for n in range(count):
            _cut(photos[n % len(photos)], folder / f"{n:03d}.jpg")
        pictures = [read_u8(path) for path in find_pictures(folder)]
        upscaler.upscale(pictures[0])
        alone, whole = [], []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for picture in pictures:
                upscaler.upscale(picture)
            alone.append(time.perf_counter() - started)
            jobs, _ = plan_jobs([folder], output=f"{name}/out", label="x4", format=None)
            started = time.perf_counter()
            for outcome in run_jobs(jobs, upscaler, settings=Settings(overwrite=True)):
                if not outcome.ok:
                    raise SystemExit(outcome.error)
            whole.append(time.perf_counter() - started)
    megapixels = sum(p.shape[0] * p.shape[1] for p in pictures) / 1e6
    result = {
        "photos": count,
        "lr_megapixels": round(megapixels, 2),
        "network_seconds": round(min(alone), 3),
        "folder_seconds": round(min(whole), 3),
        "ratio": round(min(whole) / min(alone), 3),
        "all": {"network": alone, "folder": whole},
    }
    print(result)
    save("folder", result)


def _cut(photo: Path, path: Path) -> None:
    code = (
        "import sys; from PIL import Image\n"
        "with Image.open(sys.argv[1]) as p:\n"
        f"    p.convert('RGB').crop((0, 0, min({SIDE}, p.width), min({SIDE}, p.height)))"
        ".save(sys.argv[2], quality=92)"
    )
    subprocess.run([sys.executable, "-c", code, str(photo), str(path)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
