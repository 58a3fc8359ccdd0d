"""What is compared by peers.py: each way from an LR picture to an HR picture, opened by its name.

As a program it is one of the processes whose calls peers.py times in turns: it opens the method
that its only argument describes, and makes the picture once for each line that it is sent.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]

Image = NDArray[np.uint8]
Enlarge = Callable[[Image], Image]

WARM_UP = 2

DNN = ("FSRCNN", "FSRCNN-small", "ESPCN", "LapSRN")
"""Networks of OpenCV's dnn_superres, by the names of their files."""

RESIZERS = ("Pillow bicubic", "Pillow Lanczos", "OpenCV bicubic", "OpenCV Lanczos")


@dataclass(frozen=True)
class Spec:
    """One way of enlarging, small enough to be sent to another process."""

    name: str
    kind: str
    """ "tier" for a packaged model, "run" for an exported network of ours that is there to be
    compared with, "dnn" for a network of OpenCV's, "resizer" for interpolation."""
    scale: int
    precision: str
    """ "f32", "bf16" or "int8"; "u8" for interpolation, which computes in integers."""
    threads: int
    file: str = ""
    """The network's file, where it is not packaged."""


def open_method(spec: Spec) -> Enlarge:
    """Make a method ready: LR (h, w, 3) uint8 RGB to (h * scale, w * scale, 3) uint8 RGB.

    OpenCV's pictures are BGR. They are turned around here only by a view, which costs nothing: what
    is timed is the library's own work on a picture as it has them.
    """
    opened = {"tier": _pixelift, "run": _pixelift, "dnn": _dnn, "resizer": _resizer}[spec.kind]
    return opened(spec)


def _pixelift(spec: Spec) -> Enlarge:
    from pixelift import Upscaler  # noqa: PLC0415 - one library a process: its memory is measured

    return Upscaler(
        spec.file or spec.name, scale=spec.scale, precision=spec.precision, threads=spec.threads
    ).upscale


def _dnn(spec: Spec) -> Enlarge:
    import cv2  # noqa: PLC0415 - see _pixelift

    cv2.setNumThreads(spec.threads)
    network = cv2.dnn_superres.DnnSuperResImpl_create()
    network.readModel(spec.file)
    network.setModel(spec.name.removeprefix("OpenCV ").partition("-")[0].lower(), spec.scale)

    def enlarge(lr: Image) -> Image:
        # Takes luma through the network and chroma through its own bicubic interpolation.
        sr: Image = network.upsample(_in_memory(lr[..., ::-1]))[..., ::-1]
        return sr

    return enlarge


def _in_memory(bgr: Image) -> Image:
    return bgr if bgr.flags.c_contiguous else np.ascontiguousarray(bgr)


def _resizer(spec: Spec) -> Enlarge:
    if spec.name.startswith("Pillow"):
        return _pillow(spec)
    import cv2  # noqa: PLC0415 - see _pixelift

    cv2.setNumThreads(spec.threads)
    way = cv2.INTER_CUBIC if spec.name.endswith("bicubic") else cv2.INTER_LANCZOS4

    def enlarge(lr: Image) -> Image:
        size = (lr.shape[1] * spec.scale, lr.shape[0] * spec.scale)
        sr: Image = cv2.resize(lr, size, interpolation=way)
        return sr

    return enlarge


def _pillow(spec: Spec) -> Enlarge:
    from PIL import Image as Pillow  # noqa: PLC0415 - see _pixelift

    bicubic = spec.name.endswith("bicubic")
    way = Pillow.Resampling.BICUBIC if bicubic else Pillow.Resampling.LANCZOS

    def enlarge(lr: Image) -> Image:
        picture = Pillow.fromarray(lr)
        size = (picture.width * spec.scale, picture.height * spec.scale)
        return np.asarray(picture.resize(size, way))

    return enlarge


def example(width: int, height: int) -> Image:
    """Cut the LR picture of the time measurements out of the bundled photo."""
    from pixelift import read_picture  # noqa: PLC0415 - see _pixelift
    from pixelift.image.depth import to_u8  # noqa: PLC0415 - see _pixelift

    pixels = read_picture(ROOT / "examples" / "great_hall.jpg").pixels
    return to_u8(pixels[300 : 300 + height, 200 : 200 + width])


def main(argument: str) -> None:
    """Open a method, and answer each line with the milliseconds that a call took."""
    told = json.loads(argument)
    lr_path = told.pop("lr")
    spec = Spec(**told)
    lr = np.load(lr_path)
    if spec.kind == "dnn":
        # A caller of OpenCV has BGR in memory.
        lr = np.ascontiguousarray(lr[..., ::-1])[..., ::-1]
    enlarge = open_method(spec)
    for _ in range(WARM_UP):
        enlarge(lr)
    answer({"ready": True})
    for line in sys.stdin:
        if line.strip() == "memory":
            answer({"peak_mib": _peak_mib()})
            continue
        started = time.perf_counter()
        enlarge(lr)
        answer({"ms": 1000 * (time.perf_counter() - started)})


def answer(told: dict[str, Any]) -> None:
    """Send a line to the process that asked."""
    print(json.dumps(told), flush=True)


def _peak_mib() -> float:
    # Not getrusage: that counts what the parent held when it started this process.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main(sys.argv[1])
