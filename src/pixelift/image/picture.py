"""The picture that travels through the house: pixels, alpha, and what its file said about them."""

import dataclasses
from typing import Literal, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError
from pixelift.image.geometry import Size

Depth = Literal[8, 16, 32]
"""Bits per channel; 32 means float."""


class PictureChanges(TypedDict, total=False):
    """The fields that `Picture.replace` takes."""

    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32] | None
    depth: Depth
    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    iptc: bytes | None
    texts: tuple[bytes, ...]
    dpi: tuple[float, float] | None
    format: str | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture in memory: upright, straight (not premultiplied) alpha, values in [0, 1].

    Raises:
        ShapeError: An array has another shape or type than the fields say, or no pixels.

    Example:
        >>> picture = Picture(np.zeros((2, 3, 3), np.float32))
        >>> str(picture.size), picture.is_grey
        ('3x2', False)
    """

    pixels: NDArray[np.float32]
    """(H, W, C) in [0, 1]; C = 1 is grey, C = 3 is RGB, in the colour space of `icc`."""

    alpha: NDArray[np.float32] | None = None
    """(H, W) in [0, 1]; 0 is transparent. None: the picture has no transparency."""

    depth: Depth = 8
    """Bits per channel of the file the picture came from; what it is written with where it can."""

    icc: bytes | None = None
    """The colour profile; None means sRGB, or its grey."""

    exif: bytes | None = None
    """EXIF with its "Exif" prefix, as JPEG holds it. Its orientation is always 1: upright."""

    xmp: bytes | None = None
    """XMP: a packet of XML. What it says of orientation and size is that of the picture."""

    iptc: bytes | None = None
    """IPTC: captions and credits, without the wrapping of JPEG."""

    texts: tuple[bytes, ...] = ()
    """Texts of a PNG file: kind and data of each of its chunks, as they lie there."""

    dpi: tuple[float, float] | None = None
    """Dots per inch, across and down; None where the file does not say."""

    format: str | None = None
    """Format of the file the picture came from, such as "jpeg"; None for one made in memory."""

    def __post_init__(self) -> None:
        """Refuse arrays that no later step could work with."""
        shape = self.pixels.shape
        if len(shape) != 3 or shape[2] not in (1, 3) or not self.pixels.size:
            raise ShapeError(
                f"pixels have the shape {shape}; allowed is (height, width, 1) for grey or "
                "(height, width, 3) for RGB, with at least one pixel. Reshape the array first."
            )
        if self.alpha is not None and self.alpha.shape != shape[:2]:
            raise ShapeError(
                f"alpha has the shape {self.alpha.shape} beside pixels of {shape}; allowed is "
                f"{shape[:2]}. Give one value for each pixel."
            )
        for name, array in (("pixels", self.pixels), ("alpha", self.alpha)):
            if array is not None and array.dtype != np.float32:
                raise ShapeError(
                    f"{name} are {array.dtype}; allowed is float32 in [0, 1]. "
                    "Convert with pixelift.image.depth.to_float."
                )

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return Size(self.pixels.shape[0], self.pixels.shape[1])

    @property
    def is_grey(self) -> bool:
        """Whether the picture has one channel."""
        return bool(self.pixels.shape[2] == 1)

    def replace(self, **changes: Unpack[PictureChanges]) -> "Picture":
        """Make a copy with some fields changed; arrays that stay are shared, not copied."""
        return dataclasses.replace(self, **changes)
