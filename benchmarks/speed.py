"""The whole process from the shell: x4 of a 512x512 photo, beside Pillow's bicubic.

Each case is a fresh process; its wall time and its largest resident memory are taken from the
system. Usage: python benchmarks/speed.py
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pixelift import Picture, read_picture, write_picture
from stamp import ROOT, save

REPEATS = 7
PILLOW = """
import sys
from PIL import Image
with Image.open(sys.argv[1]) as lr:
    lr.resize((lr.width * 4, lr.height * 4), Image.Resampling.BICUBIC).save(sys.argv[2])
"""


def measure(command: list[str], output: Path) -> dict[str, float]:
    """Run a command several times; median seconds and largest resident memory in MiB."""
    seconds, peak = [], 0
    for _ in range(REPEATS):
        output.unlink(missing_ok=True)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - started)
        if status or not output.is_file():
            raise SystemExit(f"{command[:3]} failed")
        peak = max(peak, usage.ru_maxrss)
    return {
        "seconds": round(statistics.median(seconds), 3),
        "seconds_all": [round(s, 3) for s in seconds],
        "peak_mib": round(peak / 1024, 1),
    }


def main() -> None:
    """Measure every case and write results/speed.json."""
    photo = read_picture(ROOT / "examples" / "great_hall.jpg")
    with tempfile.TemporaryDirectory() as folder:
        lr, output = Path(folder) / "lr.png", Path(folder) / "sr.png"
        write_picture(Picture(photo.pixels[200:712, 300:812]), lr)
        pixelift = [str(Path(sys.executable).with_name("pixelift")), "upscale", str(lr)]
        pixelift += ["-o", str(output), "--overwrite"]
        cases = {
            "pixelift (default)": pixelift,
            "pixelift, float32": [*pixelift, "--precision", "f32"],
            "pixelift, ONNX Runtime": [*pixelift, "--engine", "onnxruntime"],
            "Pillow bicubic": [sys.executable, "-c", PILLOW, str(lr), str(output)],
        }
        results = {name: measure(command, output) for name, command in cases.items()}
    for name, result in results.items():
        print(f"{name}: {result['seconds']} s, {result['peak_mib']} MiB")
    save("speed", {"input": "512x512", "scale": 4, "repeats": REPEATS, "results": results})


if __name__ == "__main__":
    main()
