"""Shrinking 8-bit pictures by 2, 3 and 4: bit for bit `resize_bicubic`, many times as fast.

The weights of these scales are whole numbers divided by 256, 81 and 4096. For 2 and 4 the 12-bit
arithmetic of libvips is therefore exact. For 3 it is not; there the sums are made in 16-bit
integers, a band of rows at a time, so that they stay in the processor's cache.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pixelift.image.geometry import Box, Margins, Size
from pixelift.image.mirror import cut_mirrored, mirrored

FAST_SCALES = (2, 3, 4)
"""What `shrink` can divide by."""

WEIGHTS = {
    2: (-3, -9, 29, 111, 111, 29, -9, -3),
    3: (-1, -2, 0, 9, 21, 27, 21, 9, 0, -2, -1),
    4: (-7, -45, -75, -49, 93, 399, 745, 987, 987, 745, 399, 93, -49, -75, -45, -7),
}
"""Weights of the antialiased cubic kernel with a = -1/2, times their sum: whole numbers."""

_BAND_SAMPLES = 1 << 17
_MARGIN = 2
"""Results on each side whose kernel reaches beyond the border."""


def shrink(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink by 2, 3 or 4 as MATLAB's imresize does.

    Rows first, then columns, rounded to 8 bits after each; the border is mirrored.

    Args:
        image: (H, W) or (H, W, C), not empty.
        scale: One of `FAST_SCALES`.

    Returns:
        uint8 array, sides divided by the scale and rounded up.

    Paper: R. Keys 1981, equation 15 (see `pixelift.image.resize.cubic`); the weights are its
        values at a distance of (k + 1/2) / scale or k / scale, stretched by the scale.
    """
    planes = image.reshape(*image.shape[:2], -1)
    if scale == 3:
        small = _by_three(_Framed.of(planes, scale))
    elif libvips_is_exact():
        small = _by_libvips(_Framed.of(planes, scale), scale)
    else:
        small = _by_tap(planes, scale)
    return small.reshape(*small.shape[:2], *image.shape[2:])


@dataclass(frozen=True, slots=True)
class _Framed:
    """A picture with its mirror image around it: no kernel then reaches beyond the border."""

    pixels: NDArray[np.uint8]
    small: tuple[int, int]
    """Height and width of the result."""

    @classmethod
    def of(cls, image: NDArray[np.uint8], scale: int) -> "_Framed":
        height, width = image.shape[:2]
        margin = _MARGIN * scale
        # At the far end there is room for sides that are no multiple of the scale.
        frame = Margins(margin, margin, margin + scale, margin + scale)
        small = -(-height // scale), -(-width // scale)
        return cls(cut_mirrored(image, Box.whole(Size(height, width)).grown(frame)), small)


@lru_cache(maxsize=1)
def libvips_is_exact() -> bool:
    """Find out, once a process, whether libvips here shrinks without an error of its own.

    It is so for those releases that were tried; another one may trade exactness for speed. Where
    there is no libvips, as on machines that only train, it is not.
    """
    try:
        import pyvips  # noqa: F401, PLC0415 - see above
    except ImportError:
        return False
    noise = np.random.default_rng(4).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    noise[:8] = noise[:8] // 128 * 255  # steps overshoot, and must be clipped
    return all(
        np.array_equal(_by_libvips(_Framed.of(image, scale), scale), _by_tap(image, scale))
        for scale in (2, 4)
        for image in (noise, noise[..., :1].copy())
    )


def _by_libvips(framed: _Framed, scale: int) -> NDArray[np.uint8]:
    import pyvips  # noqa: PLC0415 - see `libvips_is_exact`

    from pixelift.image.vips import operate  # noqa: PLC0415

    height, width = framed.small
    rows, columns, channels = framed.pixels.shape
    picture = pyvips.Image.new_from_memory(framed.pixels, columns, rows, channels, "uchar")
    # libvips repeats the border where MATLAB mirrors it, hence the frame, which is cut off again.
    sides = ((n + 2 * _MARGIN) * scale for n in (width, height))
    framed_small = operate(
        "reduce", operate("crop", picture, 0, 0, *sides), scale, scale, kernel="cubic"
    )
    small = operate("crop", framed_small, _MARGIN, _MARGIN, width, height)
    flat: NDArray[np.uint8] = np.frombuffer(small.write_to_memory(), np.uint8)
    return flat.reshape(height, width, channels)


def _by_tap(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink in plain integers: slow, and right on every machine."""
    weights = WEIGHTS[scale]
    whole = sum(weights)
    for _ in range(2):
        length = image.shape[0]
        centre = scale * np.arange(-(-length // scale)) + scale // 2
        total = np.zeros((len(centre), *image.shape[1:]), np.int32)
        for tap, weight in enumerate(weights):
            index = mirrored(centre + tap - len(weights) // 2, length)
            total += weight * image[index].astype(np.int32)
        rounded = np.clip((2 * total + whole) // (2 * whole), 0, 255)
        image = rounded.astype(np.uint8).swapaxes(0, 1)
    return np.ascontiguousarray(image)


def _by_three(framed: _Framed) -> NDArray[np.uint8]:
    height, width = framed.small
    channels = framed.pixels.shape[2]
    lines = framed.pixels.reshape(len(framed.pixels), -1)
    small = np.empty((height, width, channels), np.uint8)
    rows = max(1, min(height, _BAND_SAMPLES // lines.shape[1]))
    band = np.empty((3 * rows + 8, lines.shape[1]), np.int16)
    total, term = np.empty((2, rows, lines.shape[1]), np.int16)
    across = _Across(rows, width, channels)
    for top in range(0, height, rows):
        count = min(rows, height - top)
        first = 3 * (top + _MARGIN) - 4
        np.copyto(band[: 3 * count + 8], lines[first : first + 3 * count + 8])
        windows = [band[at : at + 3 * count - 2 : 3] for at in range(11)]
        _weigh(windows, total[:count], term[:count])
        shrunk = total[:count].reshape(count, -1, channels)
        across.shrink(shrunk, small[top : top + count])
    return small


class _Across:
    """Shrinks lines by 3: columns 0, 3, 6... are put together, and 1, 4, 7..., and 2, 5, 8..."""

    def __init__(self, rows: int, width: int, channels: int) -> None:
        self._width = width
        padded = width + 2 * _MARGIN
        self._thirds = np.empty((3, rows, channels, padded), np.int16)
        self._total, self._term = np.empty((2, rows, channels, width), np.int16)

    def shrink(self, lines: NDArray[np.int16], small: NDArray[np.uint8]) -> None:
        """Shrink (rows, columns, channels) that begin 6 columns before the picture."""
        count, _, channels = lines.shape
        padded = self._thirds.shape[3]
        thirds = self._thirds[:, :count]
        grouped = lines[:, : 3 * padded].reshape(count, padded, 3, channels)
        np.copyto(thirds, grouped.transpose(2, 0, 3, 1))
        # The middle of a kernel is column 1 of its three.
        places = (divmod(1 + at, 3) for at in range(-5, 6))
        windows = [
            thirds[third, ..., _MARGIN + shift : _MARGIN + shift + self._width]
            for shift, third in places
        ]
        total = self._total[:count]
        _weigh(windows, total, self._term[:count])
        np.copyto(small, total.transpose(0, 2, 1), casting="unsafe")


def _weigh(
    windows: list[NDArray[np.int16]], total: NDArray[np.int16], term: NDArray[np.int16]
) -> None:
    """Apply the weights of scale 3 and round to 0...255; no sum leaves the 16 bits.

    Args:
        windows: For each of the 11 taps the samples that it weighs.
        total: Where the result goes.
        term: Room for what is added, of the same shape.
    """
    np.add(windows[4], windows[6], out=total)
    total *= 21
    np.multiply(windows[5], 27, out=term)
    total += term
    np.add(windows[3], windows[7], out=term)
    term *= 9
    total += term
    np.add(windows[1], windows[9], out=term)
    term += term
    total -= term
    total -= windows[0]
    total -= windows[10]
    total += 40  # a half of 81, rounded down: there are no ties, since 81 is odd
    np.clip(total, 0, 255 * 81, out=total)
    unsigned = total.view(np.uint16)
    np.floor_divide(unsigned, np.uint16(81), out=unsigned)
