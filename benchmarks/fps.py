"""Pictures per second through the public API beside the bare engine, for every tier and scale.

480x270, 8-bit picture in and out. The bare engine runs the same file on the same pixels, from
float planes to float planes that it overwrites each time: nothing is read, rounded, kept or put
together. Both take turns, so that what else the machine does hurts both; a network of 64 channels
and 16 convolutions tells how fast the machine is. At x4 once more with the instructions held back
to AVX2, as on most processors that are some years old. Usage: python benchmarks/fps.py [NAME ...]
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pixelift import Upscaler, list_models
from pixelift.errors import ConfigError
from pixelift.image.geometry import Size
from pixelift.infer.engine_openvino import INSTRUCTIONS, import_openvino, shared_core
from pixelift.zoo.store import find_model, read_weights
from stamp import save

LR = Size(270, 480)
ROUNDS = 12
WARM = 3
"""Calls before the first that counts: the network is compiled for a size that comes again."""
DEFAULT_TIERS = ("swift", "balanced", "fine")
YARDSTICK_WIDTH, YARDSTICK_DEPTH, YARDSTICK_ROUNDS = 64, 16, 3

openvino = import_openvino()


def turns(calls: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Time calls in turns: the median of each, in milliseconds."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(WARM + rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if repeat >= WARM:
                seconds[name].append(time.perf_counter() - started)
    return {name: round(1000 * statistics.median(taken), 2) for name, taken in seconds.items()}


def bare_call(model: Any, precision: str) -> Callable[[], object]:  # noqa: ANN401
    """Compile a model for the size of the picture as OpenVINO's own documentation does."""
    model.reshape([1, 3, LR.height, LR.width])
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = shared_core().compile_model(model, "CPU", config).create_infer_request()
    planes = np.random.default_rng(0).random((1, 3, LR.height, LR.width), dtype=np.float32)
    request.set_input_tensor(openvino.Tensor(planes))
    return request.infer


def yardstick() -> Any:  # noqa: ANN401  (OpenVINO has no type hints)
    """Build a plain network of known size, to compare machines by."""
    ops = openvino.opset8
    rng = np.random.default_rng(0)
    lr = ops.parameter([1, 3, -1, -1], np.float32, name="lr")
    x, channels = lr, 3
    slope = ops.constant(np.full(YARDSTICK_WIDTH, 0.25, np.float32))
    for _ in range(YARDSTICK_DEPTH):
        weights = rng.normal(0, 0.05, (YARDSTICK_WIDTH, channels, 3, 3)).astype(np.float32)
        x = ops.convolution(x, ops.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1])
        x, channels = ops.prelu(x, slope), YARDSTICK_WIDTH
    return openvino.Model([ops.result(x)], [lr], "yardstick")


def measure(name: str, scale: int, precision: str) -> dict[str, Any]:
    """Time one network, bare and through the library."""
    card, path = find_model(name, scale=scale)
    lr = np.random.default_rng(0).integers(0, 256, (LR.height, LR.width, 3), dtype=np.uint8)
    library = Upscaler(name, scale=scale, engine="openvino", precision=precision)
    # There is no bare engine for int8: the file has no integers. It stands beside the best floats.
    floats = "bf16" if is_there(name, scale, "bf16") else "f32"
    plain = floats if precision == "int8" else precision
    bare = bare_call(shared_core().read_model(read_weights(card, path)), plain)
    found = turns({"bare_ms": bare, "library_ms": lambda: library.upscale(lr)}, rounds=ROUNDS)
    share = round(found["bare_ms"] / found["library_ms"], 3)
    row = {"model": name, "scale": scale, "precision": precision, **found, "share_of_bare": share}
    print(row, file=sys.stderr)
    return row


def is_there(name: str, scale: int, precision: str) -> bool:
    """Say whether this processor and this network have a precision."""
    try:
        Upscaler(name, scale=scale, engine="openvino", precision=precision)
    except ConfigError:
        return False
    return True


def measure_all(names: list[str], scales: tuple[int, ...]) -> list[dict[str, Any]]:
    """Measure each network that is packaged in each precision that is there."""
    packaged = {(card.name, card.scale) for card in list_models()}
    return [
        measure(name, scale, precision)
        for name in names
        for scale in scales
        for precision in ("int8", "bf16", "f32")
        if (name, scale) in packaged and is_there(name, scale, precision)
    ]


def avx2(names: list[str]) -> list[dict[str, Any]]:
    """Measure x4 in a process whose engine knows no newer instructions."""
    done = subprocess.run(
        [sys.executable, __file__, "--rows", *names],
        env={**os.environ, INSTRUCTIONS: "AVX2"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def main(words: list[str]) -> None:
    """Measure every tier and write results/fps.json."""
    names = [word for word in words if not word.startswith("-")] or list(DEFAULT_TIERS)
    if "--rows" in words:
        print(json.dumps(measure_all(names, (4,))))
        return
    stick = {
        precision: turns({"ms": bare_call(yardstick(), precision)}, rounds=YARDSTICK_ROUNDS)["ms"]
        for precision in ("bf16", "f32")
        if is_there("balanced", 4, precision)
    }
    save(
        "fps",
        {
            "lr": str(LR),
            "rounds": ROUNDS,
            "yardstick_ms": stick,
            "results": measure_all(names, (2, 3, 4)),
            "avx2": avx2(names),
        },
    )


if __name__ == "__main__":
    main(sys.argv[1:])
