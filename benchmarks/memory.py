"""Memory of the whole process against the size of the result: flat, since rows pass by.

Each case is a fresh process that enlarges a drawn photo x4; the largest resident memory is the
system's count. Draws docs/images/memory.png. Usage: python benchmarks/memory.py [MEGAPIXELS]
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stamp import save

SCALE = 4
WIDE = (64, 16)
"""Width and depth of a network as large as `fine` may be."""

IN_MEMORY = """
import sys, pixelift
picture = pixelift.read_picture(sys.argv[1])
larger = pixelift.Upscaler("balanced", scale=4).picture(picture)
pixelift.write_picture(larger, sys.argv[2], overwrite=True)
"""


@dataclass(frozen=True)
class Case:
    """One curve: what is run, and up to which sizes."""

    name: str
    suffix: str
    options: tuple[str, ...]
    megapixels: tuple[float, ...]


CASES = (
    Case("balanced, JPEG", "jpg", ("-m", "balanced"), (1, 4, 16, 50, 100, 400, 1000)),
    Case("swift, JPEG", "jpg", ("-m", "swift"), (1, 16, 100, 1000)),
    Case("balanced, PNG", "png", ("-m", "balanced"), (1, 16, 100, 400)),
    Case("balanced, PNG, float32", "png", ("-m", "balanced", "--precision", "f32"), (16, 100)),
    Case(f"{WIDE[0]} channels, {WIDE[1]} layers, JPEG", "jpg", ("-m", "wide"), (16, 100)),
    Case("balanced, as an array in Python", "png", (), (1, 4, 16)),
)


def peak_mib(command: list[str]) -> float:
    """Run a command and tell its largest resident memory in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:3]} failed")
    return round(usage.ru_maxrss / 1024, 1)


def _command(case: Case, folder: Path) -> list[str]:
    lr, output = str(folder / "lr.jpg"), str(folder / f"sr.{case.suffix}")
    if not case.options:
        return [sys.executable, "-c", IN_MEMORY, lr, output]
    options = [str(folder / "wide.onnx") if word == "wide" else word for word in case.options]
    words = [lr, "-o", output, "--overwrite", "-s", str(SCALE), *options]
    return [sys.executable, "-m", "pixelift", "upscale", *words]


def _make(script: str, *words: object) -> None:
    path = str(Path(__file__).with_name(script))
    subprocess.run([sys.executable, path, *map(str, words)], check=True)


def main(words: list[str]) -> None:
    """Measure every case and write results/memory.json and the figure."""
    largest = float(words[0]) if words else 1e9
    sizes = sorted({n for case in CASES for n in case.megapixels if n <= largest})
    found: dict[str, dict[str, float]] = {case.name: {} for case in CASES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make("wide_network.py", *WIDE, SCALE, folder / "wide.onnx")
        for megapixels in sizes:
            _make("memory_photo.py", megapixels, SCALE, folder / "lr.jpg")
            for case in CASES:
                if megapixels in case.megapixels:
                    peak = peak_mib(_command(case, folder))
                    found[case.name][f"{megapixels:g}"] = peak
                    print(f"{megapixels:5g} MP, {case.name}: {peak:.0f} MiB", flush=True)
    save("memory", {"scale": SCALE, "megapixels": sizes, "results": found})
    _make("memory_figure.py")


if __name__ == "__main__":
    main(sys.argv[1:])
