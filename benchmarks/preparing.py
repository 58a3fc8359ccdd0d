"""What preparing a training set costs: against decoding alone, and as photos grow in number.

Processor time of whole commands, all their processes together, so that it does not matter what
else the machine does or how many cores it has. Usage: python benchmarks/preparing.py PHOTOS
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pyvips

from pixelift.image.find import find_pictures
from pixelift.patches.dataset import read_manifest
from stamp import save

REPEATS = 4
GROWTH = (10, 100, 1000)
CROP = (480, 640)
CASES: dict[str, list[str]] = {
    "default": [],
    "luma": ["--channels", "y"],
}
DECODE = """
import sys
from pathlib import Path
import pyvips
from pixelift.image.find import find_pictures
for path in find_pictures(Path(sys.argv[1])):
    pyvips.Image.new_from_file(str(path)).numpy()
"""


def run(command: list[str]) -> dict[str, float]:
    """Run a command: processor and wall seconds, and the largest memory of all its processes."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            peak[0] = max(peak[0], tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    if status:
        raise SystemExit(f"{' '.join(command[:5])} failed")
    return {
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "wall_seconds": round(time.perf_counter() - started, 3),
        "peak_mib": round(peak[0] / 2**20, 1),
    }


def tree_memory(pid: int) -> int:
    """Add up the memory of a process and its descendants; what they share is counted once."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = int(line.split()[1]) * 1024
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return total  # it ended meanwhile, or this is not Linux
    return total + sum(tree_memory(int(child)) for child in children)


def prepare(photos: Path, options: list[str]) -> dict[str, float]:
    """Prepare the photos of a folder once; what was left out is counted."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "set"
        command = [sys.executable, "-m", "pixelift", "prepare", str(photos), "-o", str(output)]
        result = run([*command, *options])
        manifest = read_manifest(output)
        return result | {"kept": len(manifest.pictures), "left_out": len(manifest.rejected)}


def least(results: list[dict[str, float]]) -> dict[str, float]:
    """Take the run of the least processor time: others were disturbed."""
    return min(results, key=lambda r: r["cpu_seconds"])


def compare(photos: Path, alone: Path) -> dict[str, Any]:
    """Measure each case against decoding, in turns; `alone` holds one small photo."""
    megapixels = sum(
        image.width * image.height / 1e6
        for image in map(pyvips.Image.new_from_file, map(str, find_pictures(photos)))
    )
    decode = [sys.executable, "-c", DECODE]
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(REPEATS):
        runs.setdefault("decode", []).append(run([*decode, str(photos)]))
        runs.setdefault("decode, start", []).append(run([*decode, str(alone)]))
        for name, options in CASES.items():
            runs.setdefault(name, []).append(prepare(photos, options))
        runs.setdefault("start", []).append(prepare(alone, []))
    best = {name: least(results) for name, results in runs.items()}
    decoding = best["decode"]["cpu_seconds"]
    decoding_alone = decoding - best["decode, start"]["cpu_seconds"]
    cases = {}
    for name in CASES:
        seconds = best[name]["cpu_seconds"]
        cases[name] = best[name] | {
            "ratio": round(seconds / decoding, 2),
            "ratio_without_start": round(
                (seconds - best["start"]["cpu_seconds"]) / decoding_alone, 2
            ),
            "mp_per_second_and_core": round(megapixels / seconds, 1),
        }
    return {
        "photos": len(find_pictures(photos)),
        "megapixels": round(megapixels, 1),
        "decode": best["decode"],
        "start_cpu_seconds": best["start"]["cpu_seconds"],
        "cases": cases,
    }


def make_crops(photos: Path, folder: Path, count: int) -> None:
    """Cut photos of one size out of others, each at a place of its own."""
    rng = random.Random(1)
    sources = [p for p in find_pictures(photos) if is_larger(p)]
    for number in range(count):
        image = pyvips.Image.new_from_file(str(sources[number % len(sources)]))
        top, left = (
            rng.randrange(n - m) for n, m in zip((image.height, image.width), CROP, strict=True)
        )
        image.crop(left, top, CROP[1], CROP[0]).jpegsave(str(folder / f"{number:05}.jpg"), Q=92)


def is_larger(path: Path) -> bool:
    """Say whether a crop fits into a photo."""
    image = pyvips.Image.new_from_file(str(path))
    return bool(image.height > CROP[0] and image.width > CROP[1] and image.bands == 3)


def grow(photos: Path, folder: Path) -> list[dict[str, float]]:
    """Prepare more and more photos of one size."""
    crops = folder / "crops"
    crops.mkdir()
    make_crops(photos, crops, max(GROWTH))
    results = []
    for count in GROWTH:
        part = folder / str(count)
        part.mkdir()
        for path in sorted(crops.iterdir())[:count]:
            (part / path.name).hardlink_to(path)
        results.append({"photos": count} | prepare(part, []))
        shutil.rmtree(part)
    return results


def main() -> None:
    """Measure and write results/preparing.json."""
    photos = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "alone").mkdir()
        make_crops(photos, folder / "alone", 1)
        growth = grow(photos, folder)
        compared = compare(photos, folder / "alone")
    for case, result in compared["cases"].items():
        print(
            f"{case}: {result['ratio']} times decoding ({result['ratio_without_start']} without "
            f"the start), {result['mp_per_second_and_core']} MP a second and core"
        )
    for result in growth:
        seconds, memory = result["cpu_seconds"], result["peak_mib"]
        print(f"{result['photos']} photos: {seconds} s, {memory} MiB at most")
    save("preparing", compared | {"repeats": REPEATS, "crop": list(CROP), "growth": growth})


if __name__ == "__main__":
    main()
