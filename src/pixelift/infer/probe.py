"""What a network of unknown make takes, found out by running it on small made-up pictures.

Its scale, the sizes it takes, how far a pixel's surroundings are felt, and whether a tile gives
what the whole picture gives. What cannot be tiled exactly is refused with the reason.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import WeightsError
from pixelift.image.resize import downscale
from pixelift.infer.engine_foreign import Limits, Runner

SIDES = (65, 129, 257)
"""Sides of the pictures on which the receptive field is looked for, in LR pixels, until one is
large enough: the largest finds radii up to 124."""

SAME = 1e-4
"""Difference below which two results are the same, white being 1: a fortieth of an 8-bit level."""

LIKE = 0.1
"""Mean difference from a smooth picture below which a result is taken for one of it."""

MOST_SCALE = 16

Array = NDArray[np.float32]


def probe(runner: Runner, shapes: Any) -> Limits:  # noqa: ANN401  (shapes of unknown networks)
    """Find out what a network takes, on pictures of at most 257 x 257 pixels.

    Args:
        runner: The network.
        shapes: Shapes of its inputs, None where a length is open.

    Returns:
        What it takes.

    Raises:
        WeightsError: It is not of the usual kind, or cannot be tiled exactly.
    """
    planes, fixed = _shape_of(shapes)
    usual = fixed or (64, 64)
    scale = _scale_of(runner, planes, usual)
    top = _top_of(runner, planes, usual, scale)

    def run(lr: Array) -> Array:
        return runner(lr * np.float32(top)) / np.float32(top)

    if fixed:
        radius = _radius_within(run, planes, fixed, scale)
        if radius is None or 2 * radius >= min(fixed):
            raise WeightsError(
                f"the network takes only {fixed[1]}x{fixed[0]} pixels, and every pixel of it "
                "depends on all of them, so tiles would show seams. Export it with open height "
                "and width (dynamic axes)"
            )
        return Limits(
            scale=scale, channels=_named(planes), radius=radius, top=top, least=1, fixed=fixed
        )
    _refuse_multiples(runner, planes, scale)
    radius = _radius_of(run, planes, scale)
    _refuse_uneven(run, planes, scale, radius)
    least = next(side for side in (1, 2, 4, 8, 16, 32, 64) if _fits(runner, planes, side, scale))
    return Limits(
        scale=scale, channels=_named(planes), radius=radius, top=top, least=least, fixed=None
    )


def _named(planes: int) -> str:
    return "rgb" if planes == 3 else "y"


def _shape_of(shapes: Any) -> tuple[int, tuple[int, int] | None]:  # noqa: ANN401
    if len(shapes) != 1:
        raise WeightsError(
            f"the network takes {len(shapes)} inputs; allowed is one picture. "
            "Export it with its other inputs as constants"
        )
    shape = shapes[0]
    if shape is None or len(shape) != 4 or shape[1] not in (1, 3) or shape[0] not in (None, 1):
        raise WeightsError(
            f"the network takes an input of {_told(shape)}; allowed is (1, C, height, width) with "
            "C of 3 for RGB or 1 for luma. Export it in that order (NCHW)"
        )
    height, width = shape[2:]
    if (height is None) != (width is None):
        raise WeightsError(
            f"the network takes an input of {_told(shape)}; height and width must both be open or "
            "both be fixed. Export it with both as dynamic axes"
        )
    if height is None:
        return shape[1], None
    if not 8 <= min(height, width) <= max(height, width) <= 1024:
        raise WeightsError(
            f"the network takes only {width}x{height} pixels; allowed are 8 to 1024 a side. "
            "Export it with open height and width (dynamic axes)"
        )
    return shape[1], (height, width)


def _told(shape: Any) -> str:  # noqa: ANN401
    if shape is None:
        return "unknown shape"
    return f"({', '.join('?' if length is None else str(length) for length in shape)})"


def _scale_of(runner: Runner, planes: int, size: tuple[int, int]) -> int:
    try:
        sr = runner(_picture(planes, *size, seed=0))
    except (RuntimeError, MemoryError) as err:
        raise WeightsError(
            f"the network fails on a picture of {size[1]}x{size[0]}: {_first_line(err)}. "
            "Export it again, in float32"
        ) from err
    if sr.ndim != 4 or sr.shape[:2] != (1, planes) or sr.dtype != np.float32:
        raise WeightsError(
            f"the network makes {sr.dtype} of {sr.shape} from {planes} channels; allowed is "
            "float32 with as many channels. Give a network that makes pictures"
        )
    scale = int(sr.shape[2] // size[0])
    if sr.shape[2:] != (size[0] * scale, size[1] * scale) or not 2 <= scale <= MOST_SCALE:
        raise WeightsError(
            f"the network makes {sr.shape[3]}x{sr.shape[2]} from {size[1]}x{size[0]}; allowed is "
            f"2 to {MOST_SCALE} times each side. One that takes interpolated pictures, as SRCNN "
            "and VDSR, is not meant for -m"
        )
    return scale


def _top_of(runner: Runner, planes: int, size: tuple[int, int], scale: int) -> int:
    """Find out whether white is 1 or 255: with the right one a smooth picture is given back."""
    lr = _smooth_picture(planes, *size)
    errors = {}
    for top in (1, 255):
        sr = runner(lr * np.float32(top))[0].transpose(1, 2, 0) / np.float32(top)
        small = downscale(np.ascontiguousarray(sr), scale)
        errors[top] = float(np.abs(small - lr[0].transpose(1, 2, 0))[4:-4, 4:-4].mean())
    # One that takes 0 to 255 is off by whole levels where white is 1, and a level is all there is;
    # the other way round a wrong range may pass unnoticed, so that 1 is taken where it will do.
    best = 1 if errors[1] < LIKE else 255
    if not errors[best] < LIKE:
        raise WeightsError(
            f"the network does not give a smooth picture back, neither as 0 to 1 nor as 0 to 255: "
            f"it is off by {min(errors.values()):.2f}. It may want other values, or not be for "
            "super-resolution; build what it wants into the file"
        )
    return best


def _refuse_multiples(runner: Runner, planes: int, scale: int) -> None:
    if _fits(runner, planes, 61, scale):
        return
    multiple = next((m for m in (2, 4, 8, 16, 32, 64) if _fits(runner, planes, 64 - m, scale)), 64)
    raise WeightsError(
        f"the network takes only sides that are multiples of {multiple}, so its result depends on "
        "where a tile begins, and tiles would show seams. Take a network that only convolves at "
        "LR size, or enlarge whole pictures with the program that it came with"
    )


def _fits(runner: Runner, planes: int, side: int, scale: int) -> bool:
    if side < 1:
        return False
    try:
        sr = runner(_picture(planes, side, side + 2, seed=1))
    except (RuntimeError, MemoryError):
        return False
    return sr.shape == (1, planes, side * scale, (side + 2) * scale)


def _radius_of(run: Runner, planes: int, scale: int) -> int:
    for side in SIDES:
        radius = _radius_within(run, planes, (side, side), scale)
        if radius is not None:
            return radius
    raise WeightsError(
        f"a pixel of the result depends on pixels more than {SIDES[-1] // 2 - 4} away, as with "
        "global pooling or attention, so tiles would show seams. Take a network without them, or "
        "enlarge whole pictures with the program that it came with"
    )


def _radius_within(run: Runner, planes: int, size: tuple[int, int], scale: int) -> int | None:
    """Change one half of a picture and see how far into the other half the result changes.

    Returns:
        LR pixels; None where the change is felt to the end.
    """
    radius = 0
    for axis in (2, 3):
        length = size[axis - 2]
        half = length // 2
        for seed, is_first in ((2, True), (3, False)):
            one = _picture(planes, *size, seed=seed)
            other = one.copy()
            changed = [slice(None)] * 4
            changed[axis] = slice(0, half) if is_first else slice(half, None)
            other[tuple(changed)] = _picture(planes, *size, seed=seed + 10)[tuple(changed)]
            apart = np.abs(run(one) - run(other)).max(axis=tuple({0, 1, 2, 3} - {axis}))
            lines = apart.reshape(length, scale).max(axis=1)
            kept = lines[half:] if is_first else lines[:half][::-1]
            felt = np.flatnonzero(kept > SAME)
            reach = int(felt[-1]) + 1 if len(felt) else 0
            # To the end, but for a zero border's width of convolutions: not to be told from all.
            if reach >= len(kept) - 4:
                return None
            radius = max(radius, reach)
    return radius


def _refuse_uneven(run: Runner, planes: int, scale: int, radius: int) -> None:
    """Compare tiles at odd places with the same places of the whole."""
    core = 8
    side = core + 2 * radius
    whole = _picture(planes, side + 11, side + 11, seed=4)
    sr = run(whole)
    for top, left in ((1, 2), (5, 7), (11, 11)):
        tile = np.ascontiguousarray(whole[:, :, top : top + side, left : left + side])
        start, length = radius * scale, core * scale
        made = run(tile)[:, :, start : start + length, start : start + length]
        rows, columns = (radius + top) * scale, (radius + left) * scale
        apart = np.abs(made - sr[:, :, rows : rows + length, columns : columns + length]).max()
        if not apart <= 10 * SAME:
            raise WeightsError(
                f"a tile gives another result than the whole picture, by {255 * apart:.1f} 8-bit "
                "levels: the network looks at where in the picture it is. Take one that only "
                "convolves, or enlarge whole pictures with the program that it came with"
            )


def _picture(planes: int, height: int, width: int, *, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return rng.random((1, planes, height, width), dtype=np.float32)


def _smooth_picture(planes: int, height: int, width: int) -> Array:
    rows, columns = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    waves = [0.5 + 0.3 * np.sin(3 * rows + c) * np.cos(4 * columns - c) for c in range(planes)]
    return np.stack(waves)[None].astype(np.float32)


def _first_line(err: BaseException) -> str:
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no reason given"
