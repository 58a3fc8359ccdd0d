"""Latency of the networks in OpenVINO: bf16, float32, and float32 on a processor with AVX2 alone.

Two processes take turns, one round each: one uses all that the processor has, the other was
started with oneDNN's own switch ONEDNN_MAX_CPU_ISA=AVX2, which OpenVINO's CPU plugin honours (the
names of the kernels that it chose are written down). Latency does not depend on the weights, so
fresh ones are taken, and no trained run is needed.
"""

import io
import os
import statistics
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from networks import Network, networks_of
from torch import nn

from pixelift.export.to_onnx import export_onnx
from pixelift.image.resize import upscale
from pixelift.infer.engine import open_engine
from pixelift.infer.engine_openvino import shared_core
from pixelift.zoo.card import Card, card_to_metadata
from pixelift.zoo.store import find_model
from study import stamp

SWITCH, AVX2 = "ONEDNN_MAX_CPU_ISA", "AVX2"
YARDSTICK = "yardstick"
CHROMA = "chroma"
CASES = ("bf16", "f32", "f32_avx2")

Call = Callable[[], object]

_calls: dict[tuple[str, str], Call] = {}
"""In each of the two processes: what is timed, by network and precision."""
_kernels: dict[str, list[str]] = {}


def measure_latency(config: dict[str, Any]) -> dict[str, Any]:
    """Measure every network in each case, in rounds that go through all of them.

    Args:
        config: The study's; `latency.lr` is the size of the input, `latency.rounds` how many.

    Returns:
        What goes into results.json: for each network the median of each case in milliseconds.
    """
    networks = networks_of(config)
    size, rounds = config["latency"]["lr"], config["latency"]["rounds"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for network in networks:
            export_fresh(network, folder / f"{network.name}.onnx")
        (folder / YARDSTICK).write_bytes(yardstick_of(config))
        names = [network.name for network in networks]
        pools = {}
        try:
            for case, limit in (("", None), ("_avx2", AVX2)):
                pools[case] = _start(limit)
                kernels = pools[case].submit(load, folder, names, size=size, scale=config["scale"])
                _kernels[limit or "all"] = kernels.result()
            times: dict[tuple[str, str], list[float]] = {}
            for done in range(rounds):
                for case, pool in pools.items():
                    for (network, precision), ms in pool.submit(time_round).result().items():
                        times.setdefault((network, precision + case), []).append(ms)
                print(f"round {done + 1} of {rounds}", flush=True)
        finally:
            for pool in pools.values():
                pool.shutdown()
    medians: dict[str, dict[str, float]] = {}
    for (network, case), ms in times.items():
        medians.setdefault(network, {})[case] = round(statistics.median(ms), 2)
    return {
        "made_by": stamp(),
        "lr": f"{size[1]}x{size[0]}",
        "rounds": rounds,
        "kernels": _kernels,
        "chroma_ms": medians.pop(CHROMA)["f32"],
        "rows": [{"network": network} | found for network, found in medians.items()],
    }


def _start(limit: str | None) -> ProcessPoolExecutor:
    """Start a process of its own, with oneDNN limited or not; the switch is read at its start."""
    before = os.environ.pop(SWITCH, None)
    if limit:
        os.environ[SWITCH] = limit
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    try:
        pool.submit(os.getpid).result()
    finally:
        os.environ.pop(SWITCH, None)
        if before is not None:
            os.environ[SWITCH] = before
    return pool


def load(folder: Path, names: list[str], *, size: list[int], scale: int) -> list[str]:
    """Make all networks ready in this process and run each once.

    Returns:
        The kernels that the plugin chose for the yardstick's convolutions in float32.
    """
    limited = SWITCH in os.environ
    # Where oneDNN is limited to AVX2, its bf16 is missing although the processor has it.
    precisions = ("f32",) if limited or not _has_bf16() else ("bf16", "f32")
    rng = np.random.default_rng(0)
    rgb = rng.random((1, 3, *size), dtype=np.float32)
    for name in names:
        card, path = find_model(folder / f"{name}.onnx", scale=scale)
        lr = np.ascontiguousarray(rgb[:, : card.planes])
        for precision in precisions:
            engine = open_engine(card, path, provider="openvino", precision=precision)
            _calls[name, precision] = lambda engine=engine, lr=lr: engine(lr)
    kernels: list[str] = []
    for precision in precisions:
        request = _compile((folder / YARDSTICK).read_bytes(), precision)
        _calls[YARDSTICK, precision] = lambda request=request: request.infer({0: rgb})
        if precision == "f32":
            kernels = _kernels_of(request)
    if not limited:
        chroma = np.ascontiguousarray(rgb[0, 1:].transpose(1, 2, 0))
        _calls[CHROMA, "f32"] = lambda: upscale(chroma, scale)
    for call in _calls.values():
        call()
    return kernels


def time_round() -> dict[tuple[str, str], float]:
    """Time each call of this process once, in milliseconds."""
    times = {}
    for key, call in _calls.items():
        started = time.perf_counter()
        call()
        times[key] = 1000 * (time.perf_counter() - started)
    return times


def export_fresh(network: Network, path: Path) -> None:
    """Write a network with fresh weights as the export does, card inside."""
    fused = network.fused
    card = Card(
        name=f"repnet-{network.name}",
        scale=network.scale,
        channels="y" if network.channels == 1 else "rgb",
        radius=int(fused.radius),
        parameters=network.parameters,
        macs_per_pixel=network.macs,
        base="bicubic",
        licence="MIT",
        architecture=f"repnet ({network.name})",
        recipe="none",
        dataset_sha256="0" * 64,
        training="fresh weights, for timing",
        scores={},
    )
    export_onnx(fused, path, card_json=card_to_metadata(card))


def yardstick_of(config: dict[str, Any]) -> bytes:
    """Write the plain stack as ONNX: 3x3 convolutions with PReLU, and a pixel shuffle."""
    width, scale = config["yardstick"]["width"], config["scale"]
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
    for _ in range(config["yardstick"]["middle"]):
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
    layers += [nn.Conv2d(width, 3 * scale**2, 3, padding=1), nn.PixelShuffle(scale)]
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that needs no further package is marked as the older of the two.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            nn.Sequential(*layers).eval(),
            (torch.zeros(1, 3, 16, 16),),
            stream,
            dynamo=False,
            opset_version=18,
            input_names=["lr"],
            dynamic_axes={"lr": {2: "height", 3: "width"}},
        )
    return stream.getvalue()


def _has_bf16() -> bool:
    core = shared_core()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _compile(data: bytes, precision: str) -> Any:  # noqa: ANN401 - the package has no type hints
    core = shared_core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(core.read_model(data), "CPU", settings).create_infer_request()


def _kernels_of(request: Any) -> list[str]:  # noqa: ANN401 - the package has no type hints
    found = set()
    for op in request.get_compiled_model().get_runtime_model().get_ops():
        info = op.get_rt_info()
        if "Convolution" in info["layerType"].astype(str):
            found.add(info["primitiveType"].astype(str))
    return sorted(found)
