"""A path or bytes become rows: the same pixels as `read_picture` gives, a band at a time."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelift.image import decode
from pixelift.image.carried import carried
from pixelift.image.geometry import MAX_PIXELS, Size
from pixelift.image.rows import Header, Rows, Samples
from pixelift.image.source import PictureFile, Source, open_picture
from pixelift.image.vips import operate
from pixelift.image.vips_errors import Tries, own_errors

# As many rows as JPEG decodes at once; more of them take longer.
_BAND_ROWS = 16


@contextmanager
def open_rows(source: Source, *, max_pixels: int = MAX_PIXELS) -> Iterator[Rows]:
    """Open one photo and decode it while its rows are taken, upright; see `read_picture`.

    What can not be decoded from top to bottom (AVIF, WebP, GIF, a photo that lies on its side) is
    decoded at once: into memory up to 100 MB, beyond that into a temporary file.

    Args:
        source: A path, or the bytes of a file.
        max_pixels: Refuse larger pictures before any pixel is decoded.

    Yields:
        The header, and rows of uint8, uint16 or float32; damage further down is found when those
        rows are taken.

    Raises:
        ImageReadError: See `read_picture`; also while rows are taken.
    """
    with open_picture(source) as file:
        reader = _Reader(file, max_pixels)
        yield Rows(reader.header, reader.bands())


class _Reader:
    """A file that is being decoded, and how far it has got."""

    def __init__(self, file: PictureFile, max_pixels: int) -> None:
        self._file = file
        self._max_pixels = max_pixels
        self._tries = Tries(file.format.name)
        self._row = 0
        self._region: pyvips.Region | None = None
        self._is_neutral = False
        self._open_next(None)
        self.header = self._find_header()

    def bands(self) -> Iterator[Samples]:
        """Take all rows, from top to bottom."""
        # A region belongs to the thread that makes it, which may now be another.
        self._region = None
        height = self.header.size.height
        for top in range(0, height, _BAND_ROWS):
            yield self._fetch(top, min(_BAND_ROWS, height - top))

    def _open_next(self, problem: pyvips.Error | None) -> None:
        """Open the file; after a problem the next less strict way, if there is one."""
        while (fail_on := self._tries.after(problem)) is not None:
            try:
                self._open(fail_on)
            except pyvips.Error as err:
                problem = err
            else:
                return
        raise decode.undecodable(self._file, problem or pyvips.Error("no try")) from problem

    def _open(self, fail_on: str) -> None:
        file = self._file
        self._notes: list[str] = []
        stored = decode.load(file, fail_on, notes=self._notes)
        decode.check_header(stored, file, self._max_pixels, decode.larger_limit)
        turn = decode.turn_of(stored)
        if turn or decode.says_no_grey(stored, file):
            stored = decode.load(file, fail_on, notes=self._notes, access="random")
        self._stored = stored
        self._bits = decode.field(stored, "bits-per-sample", 8)
        self._image = _turned(decode.to_grey_or_rgb(stored, file), turn)
        self._row = 0
        self._region = None

    def _find_header(self) -> Header:
        stored, image, file = self._stored, self._image, self._file
        size = Size(image.height, image.width)
        channels = 1 if image.bands < 3 else 3
        has_alpha = image.bands > channels
        with _place_kept(file.stream):
            icc = decode.fitting_icc(stored, file, channels)
        if channels == 3 and icc is None and decode.says_no_grey(stored, file):
            # Such files are decoded as a whole, so that rows can be taken twice.
            tops = range(0, size.height, _BAND_ROWS)
            bands = (self._fetch(top, min(_BAND_ROWS, size.height - top)) for top in tops)
            self._is_neutral = all(decode.is_neutral(band[..., :3]) for band in bands)
        with _place_kept(file.stream):
            along = carried(stored, file, size=size, turn=decode.turn_of(stored))
        return Header(
            size=size,
            channels=1 if self._is_neutral else channels,
            has_alpha=has_alpha,
            depth=decode.SAMPLES[image.format][1],
            icc=icc,
            format=file.format.name,
            **along,
        )

    def _fetch(self, top: int, height: int) -> Samples:
        while True:
            try:
                # After a second start the rows that were handed out already come first again.
                while self._row < top:
                    skipped = min(_BAND_ROWS, top - self._row)
                    self._decoded(self._row, skipped)
                samples = self._decoded(top, height)
                break
            except pyvips.Error as err:
                self._open_next(err)
        samples = decode.white_at_top(samples, self._bits, self._file)
        if np.issubdtype(samples.dtype, np.floating):
            samples = decode.checked_floats(samples, self._file)  # type: ignore[arg-type]
        if self._is_neutral:
            samples = np.ascontiguousarray(samples[..., [0, *range(3, samples.shape[2])]])
        return samples

    def _decoded(self, top: int, height: int) -> NDArray[np.generic]:
        image = self._image
        if self._region is None:
            self._region = pyvips.Region.new(image)
        with own_errors(self._notes):
            band = self._region.fetch(0, top, image.width, height)
        self._row = top + height
        dtype, _ = decode.SAMPLES[image.format]
        return np.frombuffer(band, dtype).reshape(height, image.width, image.bands)


def _turned(image: pyvips.Image, code: int) -> pyvips.Image:
    # The same as `dihedral.transform`: rows, columns, then the two axes change places.
    if code & 1:
        image = operate("flip", image, "vertical")
    if code & 2:
        image = operate("flip", image, "horizontal")
    if code & 4:
        image = operate("flip", operate("rot", image, "d90"), "horizontal")
    return image


@contextmanager
def _place_kept(stream: BinaryIO) -> Iterator[None]:
    """Let a stream be read while libvips reads it too: they share the place in the file."""
    if isinstance(stream, io.BytesIO):
        yield
        return
    place = os.lseek(stream.fileno(), 0, os.SEEK_CUR)
    try:
        yield
    finally:
        os.lseek(stream.fileno(), place, os.SEEK_SET)
