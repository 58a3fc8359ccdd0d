"""A picture as rows that pass by, so that no more of it than a band needs to be in memory."""

import dataclasses
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError
from pixelift.image.depth import to_float, to_u8, to_u16
from pixelift.image.geometry import Size
from pixelift.image.picture import Depth, Picture

T = TypeVar("T", bound=np.generic)

Samples = NDArray[np.generic]
"""(h, W, C): uint8 or uint16 of the whole range, or float32 in [0, 1]."""

BAND_ROWS = 256
"""Rows of a picture in memory that are handed on at once."""


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What is known of a picture before its pixels: the fields are those of `Picture`."""

    size: Size
    channels: int
    """1 for grey, 3 for RGB; alpha is not counted."""

    has_alpha: bool = False
    depth: Depth = 8
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[bytes, ...] = ()
    dpi: tuple[float, float] | None = None
    format: str | None = None

    @classmethod
    def of(cls, picture: Picture) -> "Header":
        """Take the header of a picture in memory."""
        return cls(
            size=picture.size,
            channels=picture.pixels.shape[2],
            has_alpha=picture.alpha is not None,
            depth=picture.depth,
            icc=picture.icc,
            exif=picture.exif,
            xmp=picture.xmp,
            iptc=picture.iptc,
            texts=picture.texts,
            dpi=picture.dpi,
            format=picture.format,
        )

    @property
    def bands(self) -> int:
        """Channels and alpha together."""
        return self.channels + self.has_alpha

    def resized(self, size: Size) -> "Header":
        """Make the header of the same picture with another number of pixels."""
        return dataclasses.replace(self, size=size)


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """A picture that is read once, from top to bottom."""

    header: Header
    bands: Iterator[Samples]
    """(h, W, channels and alpha) of any heights; together they have all rows."""


def picture_rows(picture: Picture) -> Rows:
    """Hand a picture in memory on as rows.

    Args:
        picture: The picture.

    Returns:
        Its rows, float32.
    """
    return Rows(Header.of(picture), _bands(picture))


def _bands(picture: Picture) -> Iterator[NDArray[np.float32]]:
    for top in range(0, picture.size.height, BAND_ROWS):
        band = picture.pixels[top : top + BAND_ROWS]
        if picture.alpha is not None:
            alpha = picture.alpha[top : top + BAND_ROWS, :, None]
            band = np.concatenate([band, alpha], axis=2)
        yield band


def collect(rows: Rows) -> Picture:
    """Gather all rows into a picture in memory.

    Args:
        rows: The rows; used up by it.

    Returns:
        The picture.
    """
    header = rows.header
    samples = gather(rows, np.dtype(np.float32))
    return Picture(
        pixels=np.ascontiguousarray(samples[..., : header.channels]),
        alpha=np.ascontiguousarray(samples[..., -1]) if header.has_alpha else None,
        depth=header.depth,
        icc=header.icc,
        exif=header.exif,
        xmp=header.xmp,
        iptc=header.iptc,
        texts=header.texts,
        dpi=header.dpi,
        format=header.format,
    )


def gather(rows: Rows, dtype: np.dtype[T]) -> NDArray[T]:
    """Gather all rows into one array.

    Args:
        rows: The rows; used up by it.
        dtype: uint8, uint16 or float32.

    Returns:
        (H, W, channels and alpha); a band that is all of the picture, and no part of another
        array, is handed out as it is.
    """
    size = rows.header.size
    bands = iter(rows.bands)
    first = next(bands, None)
    if first is not None and len(first) == size.height and first.flags.owndata:
        return as_type(first, dtype)
    samples: NDArray[T] = np.empty((size.height, size.width, rows.header.bands), dtype)
    top = 0
    for band in itertools.chain(() if first is None else (first,), bands):
        samples[top : top + len(band)] = as_type(band, dtype)
        top += len(band)
    return samples


def as_type(samples: Samples, dtype: np.dtype[T]) -> NDArray[T]:
    """Bring samples to another depth by the rounding rule of the house.

    Args:
        samples: uint8, uint16 or float32 in [0, 1].
        dtype: One of these.

    Returns:
        Samples of that type; the input itself where it has it.

    Raises:
        ShapeError: The type is none of these.

    Example:
        >>> as_type(np.array([0.5], np.float32), np.dtype(np.uint8))
        array([128], dtype=uint8)
    """
    result: Samples
    if samples.dtype == dtype:
        result = samples
    elif dtype == np.float32:
        result = to_float(samples)
    elif dtype == np.uint8:
        result = to_u8(to_float(samples))
    elif dtype == np.uint16:
        result = to_u16(to_float(samples))
    else:
        raise ShapeError(f"samples of {dtype} are asked for; allowed are uint8, uint16, float32.")
    return result  # type: ignore[return-value]  # the branches above see to the type


def share_bands(bands: Iterable[Samples], count: int) -> list[Iterator[Samples]]:
    """Let several steps take the same bands; each waits only until all have taken it.

    `itertools.tee` would keep up to 57 bands longer than that.

    Args:
        bands: (h, W, C) each, in order.
        count: How many take them.

    Returns:
        As many iterators over the bands.
    """
    source = iter(bands)
    queues: list[deque[Samples]] = [deque() for _ in range(count)]

    def take(own: deque[Samples]) -> Iterator[Samples]:
        while own or _fill(source, queues):
            yield own.popleft()

    return [take(queue) for queue in queues]


def _fill(source: Iterator[Samples], queues: Iterable[deque[Samples]]) -> bool:
    for band in itertools.islice(source, 1):
        for queue in queues:
            queue.append(band)
        return True
    return False


class Window:
    """Lets overlapping stretches of rows be taken from a picture that passes by once."""

    def __init__(self, bands: Iterable[Samples]) -> None:
        """Begin at the top.

        Args:
            bands: (h, W, C) each, in order.
        """
        self._bands = iter(bands)
        self._held: list[Samples] = []
        self._top = 0
        self._bottom = 0

    def dtype(self) -> np.dtype[Any]:
        """Tell the type of the samples, by the first rows that come.

        Raises:
            ValueError: There are no rows.
        """
        if not self._held:
            self._take()
        return self._held[0].dtype

    def rows(self, top: int, bottom: int) -> Samples:
        """Take rows; those above `top` are forgotten.

        Args:
            top: First row; not above that of an earlier call.
            bottom: Row after the last one.

        Returns:
            (bottom - top, W, C); not to be written to.

        Raises:
            ValueError: The rows have passed by, or do not exist.
        """
        while self._bottom < bottom:
            self._take()
        if top < self._top:
            raise ValueError(f"row {top} is asked for and {self._top} rows have passed by")
        while self._held and self._top + len(self._held[0]) <= top:
            self._top += len(self._held.pop(0))
        inside = [
            band[max(0, top - at) : bottom - at]
            for at, band in zip(self._starts(), self._held, strict=True)
            if at < bottom
        ]
        return inside[0] if len(inside) == 1 else np.concatenate(inside)

    def _take(self) -> None:
        band = next(self._bands, None)
        if band is None:
            raise ValueError(f"more is asked for of a picture of {self._bottom} rows")
        self._held.append(band)
        self._bottom += len(band)

    def _starts(self) -> Iterator[int]:
        at = self._top
        for band in self._held:
            yield at
            at += len(band)
