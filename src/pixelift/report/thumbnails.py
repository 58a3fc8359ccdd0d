"""The pictures of a report as data URIs: thumbnails, heat maps, patches in their surroundings."""

import io
from base64 import b64encode
from dataclasses import dataclass

import numpy as np
import pyvips
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from pixelift.image.vips import operate

THUMBNAIL_SIDES = (400, 400)
"""Width and height in pixels that a thumbnail is fitted into."""

HEAT_STEPS = 64
"""Colours of the heat map; more would make the files larger and look the same."""

_THUMBNAIL_QUALITY = 75
_PATCH_QUALITY = 82  # seen closely, and small
_MAX_CELLS = 128  # cells along the longer side of a heat map: a thumbnail shows no more
_CELL = 6  # pixels of the heat map for a cell, so that a hatch fits in
_TRANSPARENT, _HATCH, _HATCH_GROUND = HEAT_STEPS, HEAT_STEPS + 1, HEAT_STEPS + 2
_HATCH_RGBA = np.array([(126, 214, 255, 235), (10, 34, 54, 120)], np.uint8)

# Dark violet to pale yellow: lightness only rises, so the order survives every colour blindness
# and grey print; nothing in it is blue-green, which is left to the hatch.
_COLORS = "inferno"
_DARKEST = 0.1  # where in it to begin: black would look like a hole in the photo
_ALPHA = (0.55, 0.66)  # the photo stays visible below its numbers


@dataclass(frozen=True, slots=True)
class HeatScale:
    """From a restoration error to a step of the colour map, the same for all photos of a report."""

    low: float
    """Error in squared 8-bit levels at and below which the first colour stands."""
    high: float
    """Error at and above which the last colour stands; more than `low`."""

    @classmethod
    def of(cls, errors: NDArray[np.floating]) -> "HeatScale":
        """Fit the scale to the errors of a set, less the outermost of them.

        Args:
            errors: Restoration errors of the patches in squared 8-bit levels, (N,); may be empty.

        Returns:
            A scale that spans at least a factor of ten.
        """
        if errors.size == 0:
            return cls(1.0, 1000.0)
        low, high = (float(q) for q in np.percentile(errors, (2, 99.8)))
        low = max(low, 0.1)  # a tenth of a squared level is below what rounding to 8 bits leaves
        return cls(low, max(high, 10 * low))

    def steps(self, errors: NDArray[np.floating]) -> NDArray[np.intp]:
        """Look up the colours of errors.

        Args:
            errors: Squared 8-bit levels, any shape.

        Returns:
            Steps 0 to `HEAT_STEPS` - 1 on a logarithmic scale, the same shape.

        Example:
            >>> HeatScale(1, 100).steps(np.array([0, 1, 10, 100, 1000]))
            array([ 0,  0, 32, 63, 63])
        """
        share = np.log(np.maximum(errors, self.low) / self.low) / np.log(self.high / self.low)
        steps: NDArray[np.intp] = (share * HEAT_STEPS).astype(np.intp)
        return np.minimum(steps, HEAT_STEPS - 1)


def heat_colors() -> NDArray[np.uint8]:
    """List the colours of the heat map, from calm to hot.

    Returns:
        (`HEAT_STEPS`, 4) RGBA.
    """
    colors: NDArray[np.uint8] = colormaps[_COLORS](
        np.linspace(_DARKEST, 1, HEAT_STEPS), np.linspace(*_ALPHA, HEAT_STEPS), bytes=True
    )
    return colors


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Which colour lies where over a photo."""

    cells: NDArray[np.uint8]
    """(rows, columns): a step of the colours; `HEAT_STEPS` where no patch is; one more where all
    patches are rejected."""
    cell_side: int
    """Side of a cell in HR pixels."""

    @classmethod
    def of(
        cls, rows: NDArray[np.void], shape: tuple[int, ...], *, side: int, scale: HeatScale
    ) -> "HeatMap":
        """Lay the patches of one photo out as a grid of colours.

        Where a photo has more patches than a thumbnail shows, some are averaged to one cell.

        Args:
            rows: Rows of `PATCH_DTYPE` of that photo.
            shape: Height and width of the photo in HR pixels.
            side: Side of a patch in HR pixels.
            scale: The colours.

        Returns:
            The map.
        """
        merged = -(-max(shape[:2]) // (side * _MAX_CELLS))
        cell_side = side * merged
        height, width = (-(-n // cell_side) for n in shape[:2])
        place = rows["top"] // cell_side * width + rows["left"] // cell_side
        kept = rows["reason"] == ""
        count = np.bincount(place, minlength=height * width)
        kept_count = np.bincount(place[kept], minlength=height * width)
        total = np.bincount(place[kept], rows["restoration_error"][kept], height * width)
        cells = np.full(height * width, _TRANSPARENT, np.uint8)
        cells[count > 0] = _HATCH
        shown = kept_count > 0
        cells[shown] = scale.steps(total[shown] / kept_count[shown])
        return cls(cells.reshape(height, width), cell_side)

    def data_uri(self) -> str:
        """Draw the map as a PNG with transparency, to lie over the photo.

        Returns:
            A `data:` URI; each cell is a square of a few pixels.
        """
        pixels = self.cells.repeat(_CELL, axis=0).repeat(_CELL, axis=1)
        y, x = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
        is_ground = (pixels == _HATCH) & ((x + y) % _CELL >= _CELL // 3)
        palette = np.vstack([heat_colors(), np.zeros((1, 4), np.uint8), _HATCH_RGBA])
        return _uri("png", _indexed_png(np.where(is_ground, _HATCH_GROUND, pixels), palette))


def thumbnail_uri(picture: NDArray[np.uint8]) -> str:
    """Shrink a photo to a JPEG that fits into `THUMBNAIL_SIDES`.

    Args:
        picture: (H, W, 3) RGB or (H, W, 1) grey; memory-mapped ones are read a strip at a time.

    Returns:
        A `data:` URI.
    """
    width, height = THUMBNAIL_SIDES
    small = operate("thumbnail_image", _vips_image(picture), width, height=height, size="down")
    return _uri("jpeg", _jpeg(small, _THUMBNAIL_QUALITY))


def window(place: tuple[int, int], shape: tuple[int, ...], *, side: int) -> tuple[int, int]:
    """Place a window of twice the patch around a patch, moved inwards at the border of the photo.

    Args:
        place: First row and column of the patch in HR pixels.
        shape: Height and width of the photo; less than the window is allowed.
        side: Side of the patch in HR pixels.

    Returns:
        First row and column of the window in HR pixels.

    Example:
        >>> window((0, 100), (300, 150), side=48)
        (0, 54)
    """
    top, left = (
        min(max(at - side // 2, 0), max(n - 2 * side, 0))
        for at, n in zip(place, shape, strict=False)
    )
    return top, left


def cutout_uri(picture: NDArray[np.uint8], place: tuple[int, int], side: int) -> str:
    """Cut a window of a photo out as a JPEG, pixel for pixel.

    Args:
        picture: (H, W, 3) RGB or (H, W, 1) grey.
        place: First row and column.
        side: Side of the window; less is cut out where the photo ends.

    Returns:
        A `data:` URI.
    """
    top, left = place
    cut = picture[top : top + side, left : left + side]
    return _uri("jpeg", _jpeg(_vips_image(cut), _PATCH_QUALITY))


def _jpeg(image: pyvips.Image, quality: int) -> bytes:
    data: bytes = operate("jpegsave_buffer", image, Q=quality, optimize_coding=True)
    return data


def _vips_image(picture: NDArray[np.uint8]) -> pyvips.Image:
    pixels = np.ascontiguousarray(picture)  # a mapped file is contiguous already: no copy
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
    return operate("copy", image, interpretation="b-w" if bands == 1 else "srgb")


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def _indexed_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write a palette PNG: a third of the bytes of RGBA, and libvips cannot be told its palette."""
    stream = io.BytesIO()
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes(), "RGBA")
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
