"""Latency of the packaged models by engine and precision, and what the precision costs in PSNR-Y.

480x270 to 1920x1080 at x4, the network alone and the whole library call; everything in one run,
so that the ratios hold whatever the machine. Usage: python benchmarks/engines.py ../shared/bench
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pixelift import Upscaler
from pixelift.errors import ConfigError
from pixelift.evaluate.run import evaluate, open_method
from pixelift.image.geometry import Size
from pixelift.image.resize import upscale
from pixelift.infer.engine import open_engine
from pixelift.zoo.store import find_model
from stamp import save

CASES = (
    ("openvino", "int8"),
    ("openvino", "bf16"),
    ("openvino", "f32"),
    ("onnxruntime", "f32"),
)
LR = Size(270, 480)
REPEATS = 15


def median_ms(call: Callable[[], object]) -> float:
    """Time a call: the median of repeats after two to warm up, in milliseconds."""
    seconds = []
    for repeat in range(REPEATS + 2):
        started = time.perf_counter()
        call()
        if repeat >= 2:
            seconds.append(time.perf_counter() - started)
    return round(1000 * statistics.median(seconds), 2)


def main(bench: Path) -> None:
    """Measure every case and write results/engines.json."""
    rng = np.random.default_rng(0)
    lr = rng.random((LR.height, LR.width, 3), dtype=np.float32)
    lr_u8 = rng.integers(0, 256, lr.shape, dtype=np.uint8)
    lr_nchw = np.ascontiguousarray(lr.transpose(2, 0, 1)[None])
    rows = []
    reference: dict[int, float] = {}
    for scale in (2, 3, 4):
        card, path = find_model("balanced", scale=scale)
        for engine, precision in sorted(CASES, key=lambda case: case[1] != "f32"):
            try:
                bare = open_engine(card, path, provider=engine, precision=precision)
            except ConfigError:
                continue  # this processor or network has no such precision
            started = time.perf_counter()
            bare(lr_nchw)
            first = time.perf_counter() - started
            method = open_method("balanced", scale=scale, engine=engine, precision=precision)
            psnr_y = evaluate(method, bench / "Set5" / "HR")["psnr_y"] or 0.0
            reference.setdefault(scale, psnr_y)
            library = Upscaler("balanced", scale=scale, engine=engine, precision=precision)
            rows.append(
                {
                    "model": "balanced",
                    "scale": scale,
                    "engine": engine,
                    "precision": precision,
                    "first_call_ms": round(1000 * first, 1),
                    "network_ms": median_ms(lambda bare=bare: bare(lr_nchw)),
                    "library_ms": median_ms(lambda library=library: library.upscale(lr_u8)),
                    "set5_psnr_y": psnr_y,
                    "set5_loss_against_f32": round(reference[scale] - psnr_y, 5),
                }
            )
            print(rows[-1])
    bicubic = median_ms(lambda: upscale(lr_u8, 4))
    save("engines", {"lr": str(LR), "repeats": REPEATS, "bicubic_x4_ms": bicubic, "results": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
