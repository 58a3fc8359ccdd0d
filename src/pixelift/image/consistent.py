"""Bringing an enlarged picture that passes by into agreement with the small one it was made of.

With H for bicubic downscaling, the SR picture becomes SR + H^T (H H^T)^-1 G (LR - H SR): the
smallest change after which it is downscaled to the LR picture. G is the identity, or a low-pass
filter that takes only slow differences, of colour and brightness, where LR has noise of its own.

H goes along rows and along columns in the same way, and mirrors the picture at its border. The
mirrored picture is periodic and H is symmetric, so that H^T and (H H^T)^-1 are convolutions of the
mirrored LR picture too, right up to the border, however small it is.

Paper: Y. Bahat and T. Michaeli, "Explorable Super Resolution", CVPR 2020, section 3, equation 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.image.depth import to_float
from pixelift.image.mirror import mirrored
from pixelift.image.resample import straight, weighed
from pixelift.image.resize import cubic
from pixelift.image.rows import Header, Rows, Samples, Window, as_type, share_bands

GAINS = (1.0, 1.9, 1.9)
"""A picture is projected and clipped so often, each time by so much of the difference: what is left
after the first time was clipped, and half of what makes up for it is clipped again."""

LOW_SIGMA = 2.0
"""Standard deviation of G in LR pixels, for pictures whose finest differences are noise: it keeps
the mean of 16 x 16 LR pixels within one level with something to spare, see docs/consistent.md."""

BLOCK = 16
"""LR rows, or columns, of one matrix product: few enough that most of the matrix is not zero."""

BLOCK_BYTES = 12 << 20
"""HR samples in float32 above which a block has fewer rows."""

PART = 512
"""HR columns of one matrix product along columns."""

NEGLIGIBLE = 2e-5
"""Share of the largest weight below which the tail of a filter is cut."""

LEAST_COVER = 1 / 32
"""Alpha below which a pixel has no colour to compare."""

REACH = 2
"""LR pixels on each side that bicubic downscaling sees."""

_PERIOD = 512
"""LR pixels of the circle that the inverse is derived on: its tail is zero long before."""

_FLOAT = np.dtype(np.float32)


def consistent_rows(
    sr: Rows, lr: Rows, *, scale: int, dtype: np.dtype[Any], sigma: float = 0.0
) -> Rows:
    """Change an SR picture as little as can be, so that downscaled it is the LR picture.

    Downscaling clips to [0, 1] after each axis, as that of 8-bit pictures does: where LR is white,
    SR may be brighter. Of transparent pictures the visible colours are compared and changed; alpha
    is left as it is.

    Args:
        sr: The enlarged picture; used up by what is returned.
        lr: The small picture, with the same channels; used up too, a few rows ahead.
        scale: HR pixels per LR pixel along each axis.
        dtype: Type of the result's samples: uint8, uint16 or float32.
        sigma: Standard deviation of the low-pass filter G in LR pixels; 0 is the whole projection.

    Returns:
        The changed picture. The same for any heights of the bands of either.

    Paper: See the module.
    """
    filters = derive_filters(scale, sigma)
    header = sr.header
    # 16 bits between two rounds are as good as floats, and take half of the memory.
    between = np.dtype(np.float32 if header.depth == 32 else np.uint16)
    gains = GAINS[:1] if sigma else GAINS
    for step, reference in enumerate(share_bands(lr.bands, len(gains))):
        kind = dtype if step == len(gains) - 1 else between
        sr = Rows(header, _projected(sr, Window(reference), filters, gains[step], kind))
    return sr


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """The two filters along an axis."""

    shrink: NDArray[np.float64]
    """(taps,): weights of the HR pixels from `scale` * (i - REACH) on, for LR pixel i: H."""

    grow: NDArray[np.float64]
    """(scale, taps): for each HR pixel of LR pixel i, weights of the LR pixels around i:
    H^T (H H^T)^-1 G."""

    @property
    def scale(self) -> int:
        """HR pixels per LR pixel."""
        return len(self.grow)

    @property
    def halo(self) -> int:
        """LR pixels on each side that `grow` sees."""
        return len(self.grow[0]) // 2


@lru_cache(maxsize=16)
def derive_filters(scale: int, sigma: float) -> Filters:
    """Derive the filters from the cubic kernel.

    Args:
        scale: HR pixels per LR pixel.
        sigma: Standard deviation of the low-pass filter in LR pixels; 0 is none.

    Returns:
        The filters; the tail of the second is cut where it is negligible.
    """
    place = np.arange(-REACH * scale, (REACH + 1) * scale)
    shrink = cubic((place - (scale - 1) / 2) / scale)
    shrink /= shrink.sum()
    # H H^T is the autocorrelation of the kernel at whole LR pixels; on a circle of LR pixels the
    # Fourier transform inverts it.
    middle = len(shrink) - 1
    auto = np.correlate(shrink, shrink, "full")[middle % scale :: scale]
    circle = np.zeros(_PERIOD)
    circle[np.arange(len(auto)) - middle // scale] = auto
    distance = np.minimum(np.arange(_PERIOD), _PERIOD - np.arange(_PERIOD))
    low = np.exp(-(distance**2) / (2 * sigma**2)) if sigma else (distance == 0) * 1.0
    inverse = np.fft.irfft(np.fft.rfft(low / low.sum()) / np.fft.rfft(circle), _PERIOD)
    radius = int(distance[np.abs(inverse) > NEGLIGIBLE * np.abs(inverse).max()].max())
    kept = inverse[np.arange(-radius, radius + 1)]
    # An even difference is to vanish, whatever was cut.
    kept /= kept.sum() * auto.sum()
    spaced = np.zeros(2 * radius * scale + 1)
    spaced[::scale] = kept
    # What one LR pixel gives to the HR pixels around it, as what one HR pixel gets of LR pixels.
    grow = np.convolve(spaced, shrink).reshape(-1, scale)[::-1].T
    return Filters(shrink, grow)


def _projected(
    sr: Rows, lr: Window, filters: Filters, gain: float, dtype: np.dtype[Any]
) -> Iterator[Samples]:
    header, scale = sr.header, filters.scale
    height, block = header.size.height // scale, _block_rows(header, scale)
    compared, changed = share_bands(sr.bands, 2)
    differences = Window(_differences(header, Window(compared), lr, filters))
    picture = Window(changed)
    for top in range(0, height, block):
        first, weights = _matrix(filters, height, top, block, grows=True)
        # Nothing of a band has a name here, or it would stay in memory while the next one is made.
        yield _changed(
            picture.rows(top * scale, top * scale + len(weights)),
            weights * np.float32(gain),
            to_float(differences.rows(first, first + weights.shape[1])),
            dtype,
        )


def _changed(
    band: Samples,
    weights: NDArray[np.float32],
    difference: NDArray[np.float32],
    dtype: np.dtype[Any],
) -> Samples:
    """Add what the differences of the rows around a band grow to; alpha has none."""
    result: Samples = np.empty(band.shape, dtype)
    colours = difference.shape[2]
    for columns in _parts(band.shape[1]):
        part = np.array(to_float(band[:, columns]))
        part[..., :colours] += _down(weights, difference[:, columns])
        result[:, columns] = as_type(np.clip(part, 0, 1, out=part), dtype)
    return result


def _differences(
    header: Header, sr: Window, lr: Window, filters: Filters
) -> Iterator[NDArray[np.float32]]:
    """Compare downscaled rows with LR; what they differ by is grown along the rows already."""
    height, block = header.size.height // filters.scale, _block_rows(header, filters.scale)
    for top in range(0, height, block):
        first, weights = _matrix(filters, height, top, block, grows=False)
        yield _difference(
            sr.rows(first, first + weights.shape[1]),
            weights,
            to_float(lr.rows(top, top + len(weights))),
            filters,
            has_alpha=header.has_alpha,
        )


def _difference(
    band: Samples,
    weights: NDArray[np.float32],
    expected: NDArray[np.float32],
    filters: Filters,
    *,
    has_alpha: bool,
) -> NDArray[np.float32]:
    narrow = np.empty((len(weights), *band.shape[1:]), np.float32)
    for columns in _parts(band.shape[1]):
        narrow[:, columns] = _down(weights, weighed(band[:, columns], has_alpha=has_alpha))
    small = _across(np.clip(narrow, 0, 1, out=narrow), filters, grows=False)
    difference = expected - straight(small, has_alpha=has_alpha)
    if has_alpha:
        cover = np.minimum(small[..., -1:], expected[..., -1:])
        difference = np.where(cover < LEAST_COVER, np.float32(0), difference)[..., :-1]
    return _across(difference, filters, grows=True)


def _block_rows(header: Header, scale: int) -> int:
    """Choose how many LR rows are made at once: fewer of a wide picture."""
    row_bytes = header.size.width * scale * header.bands * _FLOAT.itemsize
    return max(REACH, min(BLOCK, BLOCK_BYTES // row_bytes))


def _parts(width: int) -> Iterator[slice]:
    """Divide columns into parts that stay in a processor's cache."""
    return (slice(left, left + PART) for left in range(0, width, PART))


def _down(weights: NDArray[np.float32], band: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weigh rows: (n, m) and (m, W, C) to (n, W, C)."""
    result: NDArray[np.float32] = weights @ band.reshape(len(band), -1)
    return result.reshape(len(weights), *band.shape[1:])


def _across(band: NDArray[np.float32], filters: Filters, *, grows: bool) -> NDArray[np.float32]:
    """Weigh columns: (h, W, C) to (h, W * scale, C), or to (h, W / scale, C)."""
    rows, width, channels = band.shape
    lr_width = width if grows else width // filters.scale
    planar = np.ascontiguousarray(band.transpose(0, 2, 1)).reshape(rows * channels, width)
    parts = []
    for left in range(0, lr_width, BLOCK):
        first, weights = _matrix(filters, lr_width, left, BLOCK, grows=grows)
        parts.append(planar[:, first : first + weights.shape[1]] @ weights.T)
    planes = np.concatenate(parts, axis=1).reshape(rows, channels, -1)
    return np.ascontiguousarray(planes.transpose(0, 2, 1))


def _matrix(
    filters: Filters, length: int, start: int, count: int, *, grows: bool
) -> tuple[int, NDArray[np.float32]]:
    """Take a filter as a matrix for up to `count` LR pixels from `start` on, of `length`.

    Returns:
        The first sample that it weighs, and (results, samples).
    """
    halo = filters.halo if grows else REACH
    before = start - halo
    if before <= 0 or start + count + halo > length:
        return _mirroring(filters, length, start, count, grows=grows)
    # Far from the border all matrices are the same.
    first, weights = _mirroring(filters, count + 2 * halo, halo, count, grows=grows)
    return first + before * (1 if grows else filters.scale), weights


@lru_cache(maxsize=1024)
def _mirroring(
    filters: Filters, length: int, start: int, count: int, *, grows: bool
) -> tuple[int, NDArray[np.float32]]:
    scale = filters.scale
    lr = np.arange(start, min(start + count, length))
    if grows:
        taps = np.arange(-filters.halo, filters.halo + 1)
        index = mirrored(lr.repeat(scale)[:, None] + taps, length)
        weight = np.tile(filters.grow, (len(lr), 1))
    else:
        taps = np.arange(len(filters.shrink))
        index = mirrored(scale * (lr[:, None] - REACH) + taps, scale * length)
        weight = np.tile(filters.shrink, (len(lr), 1))
    first = int(index.min())
    matrix = np.zeros((len(index), int(index.max()) + 1 - first))
    np.add.at(matrix, (np.arange(len(index))[:, None], index - first), weight)
    result = matrix.astype(np.float32)
    result.flags.writeable = False
    return first, result
