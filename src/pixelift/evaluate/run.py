"""A model on a set of pictures: its scores, and with them how they came about."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ConfigError, DatasetError, ImageReadError, OutOfMemoryError, ShapeError
from pixelift.evaluate.datasets import Source, find_sources, hash_sources, load_pair
from pixelift.image.depth import to_float
from pixelift.image.picture import Picture
from pixelift.image.resize import upscale
from pixelift.image.shown import quoted, told
from pixelift.infer.upscaler import Upscaler
from pixelift.metrics.gmsd import gmsd
from pixelift.metrics.haarpsi import haarpsi
from pixelift.metrics.protocol import Protocol
from pixelift.metrics.psnr import psnr
from pixelift.metrics.ssim import ssim
from pixelift.metrics.vif import vif
from pixelift.zoo.store import find_model

_INSTRUCTIONS = (
    ("amx_tile", "AMX"),
    ("avx512_bf16", "AVX-512, bf16"),
    ("avx512_vnni", "AVX-512, VNNI"),
    ("avx512f", "AVX-512"),
    ("avx_vnni", "AVX2, VNNI"),
    ("avx2", "AVX2"),
)
"""What networks gain most from, as Linux and people name it, the latest first."""

BICUBIC = "bicubic"
"""Name of the method that every model is measured against: MATLAB's bicubic interpolation."""


class ImageScore(TypedDict):
    """Scores of one picture; `psnr_y` is None where it is infinite, since JSON has no infinity."""

    name: str
    psnr_y: float | None
    ssim_y: float
    gmsd: NotRequired[float]
    haarpsi: NotRequired[float]
    vif: NotRequired[float]


class Failure(TypedDict):
    """A picture that could not be measured, and why."""

    name: str
    error: str


class Result(TypedDict):
    """Scores of a model on a set; ready for JSON.

    `psnr_y` is the mean over the pictures whose PSNR is finite; those that came out identical
    have None and are named in `identical`. `ssim_y` is the mean over all `n` pictures that were
    measured. Both are None where there is nothing to take a mean of. What follows `images` tells
    how the numbers came about.
    """

    model: str
    scale: int
    set: str
    n: int
    psnr_y: float | None
    ssim_y: float | None
    images: list[ImageScore]
    identical: list[str]
    failed: list[Failure]
    protocol: str
    lr: str
    set_sha256: str
    engine: str
    precision: str
    threads: int | None
    seconds: float
    machine: str
    gmsd: NotRequired[float | None]
    haarpsi: NotRequired[float | None]
    vif: NotRequired[float | None]
    version: NotRequired[str]
    command: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Method:
    """What is measured: a network or plain interpolation, ready to run."""

    name: str
    scale: int
    run: Callable[[NDArray[np.uint8]], NDArray[np.generic]]
    """LR (h, w, 3) uint8 to SR (h * scale, w * scale, 3), uint8 or float32 in [0, 1]."""
    engine: str = "numpy"
    precision: str = "u8"
    threads: int | None = None


def open_method(
    model: str,
    *,
    scale: int,
    engine: Literal["auto", "openvino", "onnxruntime"] = "auto",
    precision: Literal["auto", "f32", "bf16", "int8"] = "auto",
    tile: int | None = None,
    threads: int | None = None,
) -> Method:
    """Make a model ready to be measured.

    Args:
        model: "bicubic", a packaged name, or the path of an `.onnx` file.
        scale: HR pixels per LR pixel.
        engine: See `Upscaler`; without meaning for bicubic, as all that follow.
        precision: See `Upscaler`.
        tile: See `Upscaler`.
        threads: See `Upscaler`.

    Returns:
        The method, named after the model; a file by its file name without folders.

    Raises:
        UnknownNameError: There is no such model, or not for this scale.
        ConfigError: The scale is no factor.
        WeightsError: The model's file is damaged.
        EngineUnavailableError: The engine is not installed.
    """
    if scale < 1:
        raise ConfigError(f"scale {scale} is no factor to enlarge by. Give 2, 3 or 4: --scale 2")
    if model == BICUBIC:
        # uint8 in, uint8 out, rounded between the passes: what MATLAB's imresize makes.
        return Method(BICUBIC, scale, lambda lr_u8: upscale(lr_u8, scale))
    if not model.endswith(".onnx"):
        # The upscaler would reach any factor, by another scale and a resize: no score of a model.
        find_model(model, scale=scale)
    upscaler = Upscaler(
        model,
        scale=scale,
        consistent=False,  # a score is that of the network alone
        engine=engine,
        precision=precision,
        tile=tile,
        threads=threads,
    )

    def run(lr_u8: NDArray[np.uint8]) -> NDArray[np.float32]:
        return upscaler.picture(Picture(to_float(lr_u8))).pixels

    name = Path(model).name if model.endswith(".onnx") else model
    return Method(name, scale, run, upscaler.engine, upscaler.precision, threads)


def evaluate(
    method: Method,
    hr: Path,
    *,
    lr: Path | None = None,
    perceptual: bool = False,
    on_start: Callable[[int], None] | None = None,
    on_image: Callable[[str | None], None] | None = None,
) -> Result:
    """Measure a method on a set of pictures by PSNR-Y and SSIM-Y.

    A picture that cannot be measured is listed under `failed`, and the others are still done.

    Args:
        method: What to measure.
        hr: Folder of true pictures; the set is named after it, or after the folder around it
            where it is called HR.
        lr: Folder of LR pictures; without it they are made by MATLAB's bicubic from HR.
        perceptual: Measure GMSD, HaarPSI and VIF as well.
        on_start: Called once with the number of pictures.
        on_image: Called after each picture, with what was wrong with it or None.

    Returns:
        The result.

    Raises:
        WrongDatasetError: A folder is missing or has no pictures.
    """
    sources = find_sources(hr, scale=method.scale, lr=lr)
    if on_start:
        on_start(len(sources))
    images: list[ImageScore] = []
    failed: list[Failure] = []
    seconds = 0.0
    for source in sources:
        try:
            score, took = _measure(method, source, perceptual=perceptual)
        except (ImageReadError, DatasetError) as error:
            problem: str | None = str(error)  # these name the file
        except (ShapeError, OutOfMemoryError) as error:
            problem = f"cannot measure {quoted(source.hr)}: {error}"
        except OSError as error:
            problem = f"cannot measure {quoted(source.hr)}: {told(error)}. Check the path"
        else:
            images.append(score)
            seconds += took
            problem = None
        if problem:
            failed.append({"name": source.name, "error": problem})
        if on_image:
            on_image(problem)
    finite = [image["psnr_y"] for image in images if image["psnr_y"] is not None]
    result: Result = {
        "model": method.name,
        "scale": method.scale,
        "set": name_of_set(hr),
        "n": len(images),
        "psnr_y": _mean(finite),
        "ssim_y": _mean([image["ssim_y"] for image in images]),
        "images": images,
        "identical": [image["name"] for image in images if image["psnr_y"] is None],
        "failed": failed,
        "protocol": str(Protocol(method.scale)),
        "lr": "MATLAB bicubic of HR, 8-bit" if lr is None else "given",
        "set_sha256": hash_sources(sources),
        "engine": method.engine,
        "precision": method.precision,
        "threads": method.threads,
        "seconds": round(seconds, 3),
        "machine": describe_machine(),
    }
    if perceptual:
        result["gmsd"] = _mean([image["gmsd"] for image in images])
        result["haarpsi"] = _mean([image["haarpsi"] for image in images])
        result["vif"] = _mean([image["vif"] for image in images])
    return result


def name_of_set(hr: Path) -> str:
    """Name a set after its folder, or after the folder around it where that is called HR.

    Args:
        hr: Folder of true pictures.

    Returns:
        The name.
    """
    folder = hr.resolve()
    return folder.parent.name if folder.name.upper() == "HR" else folder.name


def describe_machine() -> str:
    """Say what the numbers were taken on: processor, what it computes in, cores, and the system.

    Returns:
        One line of text.
    """
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
        flags = {word for line in lines if line.startswith("flags") for word in line.split()}
        known = [name for flag, name in _INSTRUCTIONS if flag in flags]
        processor += f" ({known[0]})" if known else ""
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}"


def _measure(method: Method, source: Source, *, perceptual: bool) -> tuple[ImageScore, float]:
    lr_u8, hr_u8 = load_pair(source, scale=method.scale)
    start = time.perf_counter()
    sr = method.run(lr_u8)
    took = time.perf_counter() - start
    psnr_y = psnr(sr, hr_u8, shave=method.scale)
    ssim_y = ssim(sr, hr_u8, shave=method.scale)
    # Six decimals: far below what can be told apart, and a result file stays readable.
    score: ImageScore = {
        "name": source.name,
        "psnr_y": None if np.isinf(psnr_y) else round(psnr_y, 6),
        "ssim_y": round(ssim_y, 6),
    }
    if perceptual:
        shave = method.scale
        score["gmsd"] = round(gmsd(sr, hr_u8, shave=shave), 6)
        score["haarpsi"] = round(haarpsi(sr, hr_u8, shave=shave), 6)
        score["vif"] = round(vif(sr, hr_u8, shave=shave), 6)
    return score, took


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None
