"""What spoils a photo as an example: noise, JPEG blocks, and no detail where detail should be.

Each measure looks at up to 64 windows spread evenly over the picture, so its cost does not depend
on the picture's size, and it draws no random numbers: the same pixels give the same number.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError
from pixelift.image.color import STUDIO_MATRIX

WINDOW: Final = 48
"""Side of a window in pixels; a smaller picture cannot be measured."""

WINDOWS_PER_SIDE: Final = 8
"""Windows along each axis at most."""

JPEG_BLOCK: Final = 8
"""Side of a JPEG block in pixels; windows start at multiples of it and so share one phase."""

# The noise is looked for in blocks: two by two of 23 pixels are a window less its border.
_BLOCKS_PER_SIDE = 2
_BLOCK = (WINDOW - 2) // _BLOCKS_PER_SIDE
_FLATTEST_SHARE = 0.2  # of the blocks: those taken to hold nothing but noise
_DARKEST, _BRIGHTEST = 17.0, 234.0  # beyond these, clipping may have cut the noise off
_FEW_STEPS = 0.05  # added to both sides of the ratio, so that 0 : 0 is 1 and a lone edge is little
_FEW_WINDOWS = 16
_VISIBLE_STEP = 1.0  # levels; steps far below it are rounding and count for little
_DETAILED_WINDOWS = 8  # in which the sharpness is looked for
_MIDDLE = (0.08, 0.2)  # cycles per pixel
_FINEST = (0.38, 0.5)
_WEAKEST_DB = -40.0
# Luma variance that rounding R, G and B to 8 bits leaves, in squared levels.
_ROUNDING_VARIANCE = float(np.sum((STUDIO_MATRIX[0] / 255) ** 2)) / 12


def noise_sigma(luma: NDArray[np.floating]) -> float:
    """Measure the standard deviation of the noise.

    Texture is told from noise by a second look at the same blocks: white noise gives the same
    sigma by differences of neighbours as by the Laplacian, texture gives a larger one, and what
    it gives more is taken off. Noise that was smoothed or enlarged is therefore not seen, nor is
    noise that is weaker than a texture all over the picture.

    Args:
        luma: (H, W) BT.601 studio luma in 8-bit levels, 16 to 235.

    Returns:
        Levels of luma; independent noise of sigma 10 in R, G and B is 5.7. NaN where the picture
        is smaller than a window or has no place that is not clipped.

    Raises:
        ShapeError: The array does not have two axes.

    Paper: J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding
        64(2), 1996: the mask, its norm of 6, and the mean of absolute responses. We take it over
        the flattest fifth of the blocks instead of the whole picture.
    """
    return _noise_sigma(_windows(luma))


def blockiness(luma: NDArray[np.floating], *, block: int = JPEG_BLOCK) -> float:
    """Measure how much larger the steps at block borders are than those inside of blocks.

    The grid may start anywhere, as it does in photos that were cropped after compression. Each
    step is first set in relation to the steps around it, so that smooth places, where blocks are
    seen, count as much as busy ones, where they are not.

    Args:
        luma: (H, W) in 8-bit levels.
        block: Side of the blocks in pixels; 4 for a JPEG photo that was halved.

    Returns:
        A ratio: 1 is no blocks. Of both directions the one with less, since blocks have borders
        in both, and fences do not. NaN where the picture is smaller than a window.

    Raises:
        ShapeError: The array does not have two axes, or `block` does not divide 8.

    Paper: after Z. Wang, H. Sheikh and A. Bovik, "No-reference perceptual quality assessment of
        JPEG compressed images", ICIP 2002, section 2: differences across borders against those
        inside. They take means of plain differences of a grid that starts at the first pixel.
    """
    if block < 2 or JPEG_BLOCK % block:
        raise ShapeError(f"blocks of {block} pixels; allowed are 2, 4 and 8. Leave block out.")
    return _blockiness(_windows(luma), block)


def sharpness(luma: NDArray[np.floating]) -> float:
    """Measure the detail near Nyquist against what a natural photo would have there.

    Only the most detailed windows are looked at, so a sharp tree before a plain sky is enough.
    Blurred photos and photos that were enlarged before (by 2 and more; by 1.5 where the photo was
    not very sharp) lack this energy.

    Args:
        luma: (H, W) BT.601 studio luma in 8-bit levels.

    Returns:
        Decibels, at least -40: the power at 0.38 to 0.5 cycles per pixel, along either axis,
        against that at 0.08 to 0.2 continued as 1/f². 0 is a natural spectrum without any loss;
        photos as cameras save them lie at -17 to 3. NaN where the picture is smaller than a
        window, or too plain to tell.

    Raises:
        ShapeError: The array does not have two axes.

    Paper: D. Field, "Relations between the statistics of natural images and the response
        properties of cortical cells", Journal of the Optical Society of America A 4(12), 1987:
        the power of natural images falls as 1/f².
    """
    return _sharpness(_windows(luma))


def measure_artefacts(luma: NDArray[np.floating]) -> dict[str, float]:
    """Take all measures of a picture at once.

    Args:
        luma: (H, W) BT.601 studio luma in 8-bit levels.

    Returns:
        `noise_sigma`, `blockiness` and `sharpness`, see there. What cannot be told of this
        picture is left out: there is no NaN among the values, which JSON could not hold.

    Raises:
        ShapeError: The array does not have two axes.
    """
    windows = _windows(luma)
    measures = {
        "noise_sigma": _noise_sigma(windows),
        "blockiness": _blockiness(windows, JPEG_BLOCK),
        "sharpness": _sharpness(windows),
    }
    return {name: value for name, value in measures.items() if not math.isnan(value)}


def _windows(luma: NDArray[np.floating]) -> NDArray[np.float32]:
    """Copy the windows out: (N, 48, 48), N from 0 to 64."""
    if luma.ndim != 2:
        raise ShapeError(f"luma is {luma.shape}; allowed is (H, W). Take the luma of the picture.")
    tops, lefts = (_starts(length) for length in luma.shape)
    windows = np.empty((len(tops) * len(lefts), WINDOW, WINDOW), np.float32)
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            windows[row * len(lefts) + column] = luma[top : top + WINDOW, left : left + WINDOW]
    return windows


def _starts(length: int) -> list[int]:
    count = min(WINDOWS_PER_SIDE, length // WINDOW)
    last = length - WINDOW
    starts = [last * i // (count - 1) if count > 1 else last // 2 for i in range(count)]
    return [start - start % JPEG_BLOCK for start in starts]


def _noise_sigma(windows: NDArray[np.float32]) -> float:
    inner = windows[:, 1:-1, 1:-1]
    starts = np.arange(_BLOCKS_PER_SIDE) * _BLOCK
    low, high = (
        reduce.reduceat(reduce.reduceat(inner, starts, axis=1), starts, axis=2)
        for reduce in (np.minimum, np.maximum)
    )
    usable = (low > _DARKEST) & (high < _BRIGHTEST)
    if not usable.any():
        return math.nan
    responses = np.abs(_second_difference(_second_difference(windows).swapaxes(1, 2)))
    steps = np.abs(windows[:, 1:-1, 2:] - inner)
    steps += np.abs(windows[:, 2:, 1:-1] - inner)
    # Of normal noise, mean |response| = 6 sigma sqrt(2/pi) and mean |step| = sqrt(2) as much.
    by_laplacian = _block_means(responses.swapaxes(1, 2))[usable] * (math.sqrt(math.pi / 2) / 6)
    by_steps = _block_means(steps)[usable] * (math.sqrt(math.pi) / 2 / 2)
    flattest = np.argsort(by_steps, kind="stable")[: max(4, int(_FLATTEST_SHARE * by_steps.size))]
    fine, both = float(by_laplacian[flattest].mean()), float(by_steps[flattest].mean())
    # With noise n and texture t that is twice as strong in steps as in the Laplacian:
    # fine² = n² + t², both² = n² + 2 t².
    return math.sqrt(max(0.0, 2 * fine**2 - both**2))


def _second_difference(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply 1, -2, 1 along the second axis."""
    result = values[:, 2:] + values[:, :-2]
    result -= values[:, 1:-1]
    result -= values[:, 1:-1]
    return result


def _block_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (N, 46, 46) over the four blocks of each window: (N, 2, 2)."""
    # As two products of matrices: several times as fast as sums over axes this short.
    share = np.kron(np.eye(_BLOCKS_PER_SIDE), np.full((_BLOCK, 1), 1 / _BLOCK)).astype(np.float32)
    means: NDArray[np.float32] = share.T @ (values @ share)
    return means


def _blockiness(windows: NDArray[np.float32], block: int) -> float:
    if not len(windows):
        return math.nan
    # Every third line says as much as all of them, unless there are but few.
    lines = 3 if len(windows) > _FEW_WINDOWS else 1
    columns, rows = windows[:, :, ::lines], windows[:, ::lines].swapaxes(1, 2)
    down, right = (np.abs(along[:, 1:] - along[:, :-1]) for along in (columns, rows))
    return min(_border_ratio(down, block), _border_ratio(right, block))


def _border_ratio(steps: NDArray[np.float32], block: int) -> float:
    """Compare steps, (N, 47, lines), of one phase along their axis with those of the others."""
    half = JPEG_BLOCK // 2
    sums = np.zeros((steps.shape[0], steps.shape[1] + 1, steps.shape[2]), np.float32)
    np.cumsum(steps, axis=1, out=sums[:, 1:])
    # Two boxes of eight steps straddle each step: every grid phase weighs the same in their mean.
    boxes = sums[:, JPEG_BLOCK:] - sums[:, :-JPEG_BLOCK]
    around = (boxes[:, 1:] + boxes[:, :-1]) / (2 * JPEG_BLOCK)
    relative = steps[:, half : half + around.shape[1]] / (around + _VISIBLE_STEP)
    profile = relative.mean(axis=(0, 2), dtype=np.float64)
    phases = np.array([profile[phase::block].mean() for phase in range(block)])
    border = int(phases.argmax())
    inside = float(np.delete(phases, border).mean())
    return (float(phases[border]) + _FEW_STEPS) / (inside + _FEW_STEPS)


def _sharpness(windows: NDArray[np.float32]) -> float:
    if not len(windows):
        return math.nan
    detail = np.abs(windows[:, 4:, 4:] - windows[:, :-4, :-4]).mean(axis=(1, 2))
    chosen = windows[np.argsort(-detail, kind="stable")[:_DETAILED_WINDOWS]]
    taper, middle, finest, squared = _spectrum_masks()
    spectrum = np.fft.rfft2((chosen - chosen.mean(axis=(1, 2), keepdims=True)) * taper)
    energy: NDArray[np.floating] = spectrum.real**2 + spectrum.imag**2
    power: NDArray[np.float64] = energy.sum(axis=0, dtype=np.float64)
    rounding = _ROUNDING_VARIANCE * float(np.sum(taper**2, dtype=np.float64)) * len(chosen)
    if power[middle].mean() < 2 * rounding:
        return math.nan
    power = np.maximum(power - rounding, 0) * squared
    ratio = float(power[finest].mean() / power[middle].mean())
    return max(_WEAKEST_DB, 10 * math.log10(ratio)) if ratio > 0 else _WEAKEST_DB


@lru_cache(maxsize=1)
def _spectrum_masks() -> tuple[
    NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]
]:
    """Prepare the Hann taper, the two bands, and the squared frequency of each coefficient."""
    hann = np.hanning(WINDOW + 2)[1:-1]
    down = np.abs(np.fft.fftfreq(WINDOW)).reshape(-1, 1)
    right = np.fft.rfftfreq(WINDOW).reshape(1, -1)
    # The larger of both, not the distance: enlarging clears a square of the spectrum, not a disc.
    larger = np.maximum(down, right)
    middle, finest = ((larger > low) & (larger <= high) for low, high in (_MIDDLE, _FINEST))
    return np.outer(hann, hann).astype(np.float32), middle, finest, down**2 + right**2
