"""A folder of photos written as JPEG beside what the network alone takes for them.

The network alone: every photo decoded beforehand, its tiles through the opened upscaler, the result
dropped. Each is run several times in turn; the fastest of each counts. Processor time is told too:
on a machine whose cores are all busy, work beside the network costs time however well it overlaps.
Usage: python benchmarks/folder.py FOLDER_OF_PHOTOS [PHOTOS]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pixelift import Upscaler
from pixelift.batch.jobs import Settings
from pixelift.batch.plan import plan_jobs
from pixelift.batch.pool import run_jobs
from pixelift.image.find import find_pictures
from pixelift.image.read import read_u8
from stamp import save

PHOTOS = 40
ROUNDS = 5
SIDE = 400
"""Photos are cut to squares of that side, so that all of them fit into memory at once."""


MODEL, SCALE = "balanced", 4

PRECISIONS = ("f32", "bf16", "auto")
"""The faster the network, the more of the whole is left to files."""


def main(words: list[str]) -> None:
    """Measure and write results/folder.json."""
    photos = find_pictures(Path(words[0]))
    count = int(words[1]) if len(words) > 1 else PHOTOS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        for n in range(count):
            _cut(photos[n % len(photos)], folder / f"{n:03d}.jpg")
        results = [measure(folder, f"{name}/out", precision) for precision in PRECISIONS]
    save("folder", {"photos": count, "rounds": ROUNDS, "results": results})


def measure(folder: Path, output: str, precision: str) -> dict[str, Any]:
    """Enlarge the pictures by the network alone, and from files to files, in turns."""
    upscaler = Upscaler(MODEL, scale=SCALE, precision=precision)
    pictures = [read_u8(path) for path in find_pictures(folder)]
    upscaler.upscale(pictures[0])
    alone, whole = [], []
    for _ in range(ROUNDS):
        alone.append(_timed(lambda: _run_network(upscaler, pictures)))
        whole.append(_timed(lambda: _run_folder(upscaler, folder, output)))
    network, files = min(alone), min(whole)
    result = {
        "case": f"{MODEL} x{SCALE}, {upscaler.precision}, photos of up to {SIDE}x{SIDE}",
        "lr_megapixels": round(sum(p.shape[0] * p.shape[1] for p in pictures) / 1e6, 2),
        "network_seconds": round(network[0], 3),
        "folder_seconds": round(files[0], 3),
        "network_cpu_seconds": round(network[1], 3),
        "folder_cpu_seconds": round(files[1], 3),
        "ratio": round(files[0] / network[0], 3),
        "all": {"network": alone, "folder": whole},
    }
    print(result)
    return result


def _run_network(upscaler: Upscaler, pictures: list[NDArray[np.uint8]]) -> None:
    for picture in pictures:
        upscaler.upscale(picture)


def _run_folder(upscaler: Upscaler, folder: Path, output: str) -> None:
    plan = plan_jobs([folder], output=output, label=f"x{SCALE}", format=None)
    for outcome in run_jobs(plan.jobs, upscaler, settings=Settings(overwrite=True)):
        if not outcome.ok:
            raise SystemExit(outcome.error)


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and processor seconds of all threads."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def _cut(photo: Path, path: Path) -> None:
    with Image.open(photo) as file:
        box = (0, 0, min(SIDE, file.width), min(SIDE, file.height))
        file.convert("RGB").crop(box).save(path, quality=92)


if __name__ == "__main__":
    main(sys.argv[1:])
