"""The luma of 8-bit pictures, fast: what all measures begin with."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pixelift.image.color import STUDIO_MATRIX, STUDIO_OFFSET
from pixelift.image.mirror import mirrored

# In steps of 1/85000 of a level the weights are whole (BT.601: 65.481, 128.553 and 24.966 levels
# for R, G and B in [0, 1]). With R, G and B from -128 to 127 so are all sums, and below 2^24:
# float32 adds them up without any error. Zero is then at 125.5 levels less 36500 steps.
_STEPS = 85_000
_WEIGHTS = np.array([21827, 42851, 8322], np.float32)
_SHIFT = np.float32(36_500)
_MIDDLE = np.float32(125.5)
# A matrix product over four pixels at a time is far faster than one over single pixels.
_GROUP = 4
_BAND_PIXELS = 1 << 15


def framed_luma(rgb: NDArray[np.uint8], *, margin: int) -> NDArray[np.float32]:
    """Take the BT.601 studio luma, with its mirror image around it.

    Args:
        rgb: (H, W, 3) uint8 RGB.
        margin: Pixels on each side, at least 1.

    Returns:
        (H + 2 margin, W + 2 margin) float32 in 8-bit levels: 16 to 235, not rounded.

    Example:
        >>> framed_luma(np.full((1, 1, 3), 255, np.uint8), margin=1).round(3)[:1]
        array([[235., 235., 235.]], dtype=float32)
    """
    height, width = rgb.shape[:2]
    luma = np.empty((height + 2 * margin, width + 2 * margin), np.float32)
    black = np.float32(STUDIO_OFFSET[0])
    inner = luma[margin:-margin, margin:-margin]
    for top, band in _weighed(rgb, _WEIGHTS / np.float32(_STEPS)):
        np.add(band, black, out=inner[top : top + len(band)])
    before = np.arange(-margin, 0)
    for lines in (luma[:, margin:-margin], luma.T):
        length = len(lines) - 2 * margin
        lines[:margin] = lines[margin + mirrored(before, length)]
        lines[-margin:] = lines[margin + mirrored(before + margin + length, length)]
    return luma


def luma_u8(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the BT.601 studio luma, rounded once, halves up.

    Args:
        rgb: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 1) uint8, from 16 to 235.

    Example:
        >>> luma_u8(np.full((1, 1, 3), 128, np.uint8))
        array([[[126]]], dtype=uint8)
    """
    luma = np.empty(rgb.shape[:2], np.uint8)
    for top, band in _weighed(rgb, _WEIGHTS, centred=True):
        # The quotient is exact enough: none is nearer to a whole number than 1/85000, unless it
        # is one, and float32 errs by 1/250000 at most.
        band += _SHIFT
        band /= np.float32(_STEPS)
        np.floor(band, out=band)
        band += _MIDDLE + np.float32(0.5)
        np.copyto(luma[top : top + len(band)], band, casting="unsafe")
    return luma[..., None]


class LumaPicture:
    """The luma of an RGB picture, made where it is cut out: what a set of luma keeps of it."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        """Take a picture.

        Args:
            rgb: (H, W, 3) uint8 RGB; memory-mapped ones are read only where they are cut.
        """
        # A plain array on the same memory: a memmap is slower to slice by far.
        self._rgb = np.asarray(rgb)

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, 1)."""
        return (*self._rgb.shape[:2], 1)

    def __getitem__(self, place: tuple[slice, slice], /) -> NDArray[np.uint8]:
        """Cut rows and columns out: `luma_u8` of the whole picture at that place."""
        return luma_u8(self._rgb[place])


def luma_of_floats(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the BT.601 studio luma of what a network gives, not rounded.

    Args:
        rgb: (H, W, 3) RGB in [0, 1].

    Returns:
        (H, W) float32 in 8-bit levels.
    """
    luma: NDArray[np.float32] = rgb @ STUDIO_MATRIX[0].astype(np.float32)
    luma += np.float32(STUDIO_OFFSET[0])
    return luma


def _weighed(
    rgb: NDArray[np.uint8], weights: NDArray[np.float32], *, centred: bool = False
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Go through a picture in bands: number of the first row, and sums of R, G and B weighed.

    Where it is centred, 128 is first taken off R, G and B.
    """
    height, width = rgb.shape[:2]
    rows = max(1, min(height, _BAND_PIXELS // width))
    levels, luma = np.empty((rows * width, 3), np.float32), np.empty(rows * width, np.float32)
    grouped = np.kron(np.eye(_GROUP, dtype=np.float32), weights[:, None])
    for top in range(0, height, rows):
        band = rgb[top : top + rows]
        count = band.shape[0] * width
        whole = count - count % _GROUP
        pixels = (band ^ np.uint8(128)).view(np.int8) if centred else band
        np.copyto(levels[:count].reshape(band.shape), pixels)
        groups = levels[:whole].reshape(-1, 3 * _GROUP)
        np.matmul(groups, grouped, out=luma[:whole].reshape(-1, _GROUP))
        luma[whole:count] = levels[whole:count] @ weights
        yield top, luma[:count].reshape(band.shape[:2])
