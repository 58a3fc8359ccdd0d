"""How fast networks run on this machine in each way there is, and which way to take."""

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import numpy as np

from pixelift.errors import ConfigError, EngineUnavailableError
from pixelift.image.geometry import Size
from pixelift.infer.auto import refuse_auto
from pixelift.infer.engine import ENGINES, PRECISIONS, EngineChoice
from pixelift.infer.upscaler import Upscaler
from pixelift.machine import usable_cores

LR = Size(270, 480)
"""Size of the picture that is enlarged: to 1920x1080 at x4."""

TILES = (128, 256)
"""Sides that are tried beside what is chosen without a flag, which is larger."""

WORTH = 1.1
"""Gain below which no flags are advised."""


class Setting(msgspec.Struct, frozen=True):
    """One way to run a network."""

    engine: str
    precision: str
    threads: int
    tile: int | None
    """None where it is chosen."""


class Timing(msgspec.Struct, frozen=True):
    """How fast a network ran in one way; ready for JSON."""

    model: str
    scale: int
    setting: Setting
    seconds: float
    """Median of the repeats, picture in to picture out."""
    first_seconds: float
    """Opening the network and the first picture."""
    megapixels_per_second: float
    """Of the result."""


def median_seconds(call: Callable[[], object], *, repeats: int) -> float:
    """Time a call.

    Args:
        call: What is timed; it should have been called before, to be warm.
        repeats: How often.

    Returns:
        The median.
    """
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(model: str, *, scale: int, setting: Setting, size: Size = LR, repeats: int) -> Timing:
    """Time a network in one way, through the public API: 8-bit picture in, 8-bit picture out.

    Args:
        model: Its name.
        scale: Its scale.
        setting: The way.
        size: Size of the small picture.
        repeats: How often; the median is taken.

    Returns:
        The timing.

    Raises:
        PixeliftError: See `Upscaler`.
    """
    rng = np.random.default_rng(0)
    lr = rng.integers(0, 256, (size.height, size.width, 3), dtype=np.uint8)
    started = time.perf_counter()
    upscaler = Upscaler(model, scale=scale, **msgspec.structs.asdict(setting))
    upscaler.upscale(lr)
    first = time.perf_counter() - started
    seconds = median_seconds(lambda: upscaler.upscale(lr), repeats=repeats)
    pixels = size.pixels * scale**2
    return Timing(
        model=model,
        scale=scale,
        setting=setting,
        seconds=round(seconds, 5),
        first_seconds=round(first, 4),
        megapixels_per_second=round(pixels / seconds / 1e6, 2),
    )


def usable(model: str, *, scale: int) -> list[tuple[str, str]]:
    """List engines and precisions that this machine has for a network.

    Args:
        model: Its name.
        scale: Its scale.

    Returns:
        Pairs of engine and precision, in the order of `ENGINES`.

    Raises:
        EngineUnavailableError: There is no engine.
    """
    refuse_auto(model, "a measurement")
    found: list[tuple[str, str]] = []
    for engine, precision in itertools.product(ENGINES, PRECISIONS[1:]):
        try:
            Upscaler(model, scale=scale, engine=cast("EngineChoice", engine), precision=precision)
        except (ConfigError, EngineUnavailableError):
            continue  # not installed, or not what this processor computes with
        found.append((engine, precision))
    if not found:
        raise EngineUnavailableError("no engine is installed. Run: pip install openvino")
    return found


def usual(model: str, *, scale: int) -> Setting:
    """Tell what runs without any flags.

    Args:
        model: Name of the network.
        scale: Its scale.

    Returns:
        The setting.

    Raises:
        PixeliftError: See `Upscaler`.
    """
    refuse_auto(model, "a measurement")
    upscaler = Upscaler(model, scale=scale)
    return Setting(upscaler.engine, upscaler.precision, usable_cores(), None)


def search(
    time_it: Callable[[Setting], Timing], *, pairs: Sequence[tuple[str, str]], cores: int
) -> list[Timing]:
    """Look for the fastest way: engine and precision first, then threads, then the tile.

    All combinations would take minutes; each step keeps the best of the one before. Those of the
    first step are timed twice, in turns, and the better run counts: what disturbs a run makes it
    slower, never quicker.

    Args:
        time_it: Times one setting.
        pairs: Engines and precisions, at least one.
        cores: Processor cores.

    Returns:
        All timings, in the order in which they were taken.
    """
    settings = [Setting(engine, precision, cores, None) for engine, precision in pairs]
    runs = [[time_it(setting) for setting in settings] for _ in range(2)]
    timings = [fastest(pair) for pair in zip(*runs, strict=True)]
    for threads in sorted({1, max(1, cores // 2)} - {cores}):
        timings.append(time_it(msgspec.structs.replace(fastest(timings).setting, threads=threads)))
    for tile in TILES:
        setting = msgspec.structs.replace(fastest(timings).setting, tile=tile)
        if all(timing.setting != setting for timing in timings):
            timings.append(time_it(setting))
    return timings


def fastest(timings: Sequence[Timing]) -> Timing:
    """Pick the timing with the fewest seconds; of equals the first.

    Args:
        timings: At least one.

    Returns:
        One of them.
    """
    return min(timings, key=lambda timing: timing.seconds)


def advice(timings: Sequence[Timing], *, without_flags: Setting) -> str:
    """Say which flags to use.

    Args:
        timings: What was measured, also that without any flags.
        without_flags: What runs without any.

    Returns:
        One line: flags, or that none are needed, since what differs by less than a tenth
        differs from run to run too.
    """
    best = fastest(timings)
    base = next(timing for timing in timings if timing.setting == without_flags)
    gain = base.seconds / best.seconds
    if gain < WORTH:
        return "what is chosen without any flags is as fast as any: nothing to type"
    changed = {
        name: value
        for name, value in msgspec.structs.asdict(best.setting).items()
        if value != getattr(without_flags, name)
    }
    flags = " ".join(f"--{name} {value}" for name, value in changed.items())
    return f"{gain:.2f} times as fast as without flags: pixelift upscale {flags}"
