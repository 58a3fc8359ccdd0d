"""Sizes, boxes and margins: the one place for crop and tile arithmetic, height first."""

from dataclasses import dataclass
from typing import Self

MAX_PIXELS = 300_000_000
"""Pixels of the largest picture that is read unless told otherwise: more than any camera's, less
than a bomb's."""


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """Height and width in pixels."""

    height: int
    width: int

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width

    def scaled(self, scale: int) -> "Size":
        """Multiply both sides by an integer."""
        return Size(self.height * scale, self.width * scale)

    def __str__(self) -> str:
        """Width x height, as people write picture sizes."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Margins:
    """Pixels on each of the four sides."""

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    @classmethod
    def around(cls, width: int) -> Self:
        """Make the same margin on every side."""
        return cls(width, width, width, width)

    def scaled(self, scale: int) -> "Margins":
        """Multiply every side by an integer."""
        return Margins(self.top * scale, self.left * scale, self.bottom * scale, self.right * scale)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels: its top left corner and its size."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def whole(cls, size: Size) -> Self:
        """Make the box that covers a picture of this size."""
        return cls(0, 0, size.height, size.width)

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """First column right of the box."""
        return self.left + self.width

    @property
    def size(self) -> Size:
        """Height and width of the box."""
        return Size(self.height, self.width)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box into an array whose first two axes are rows and columns.

        Raises:
            IndexError: The box starts outside of the picture, where a slice would wrap around.
        """
        if self.top < 0 or self.left < 0:
            raise IndexError(f"{self} starts outside of the picture")
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def scaled(self, scale: int) -> "Box":
        """Multiply place and size by an integer, as from LR to HR pixels."""
        return Box(self.top * scale, self.left * scale, self.height * scale, self.width * scale)

    def unscaled(self, scale: int) -> "Box":
        """Divide place and size by an integer, as from HR to LR pixels.

        Raises:
            ValueError: Place or size is no multiple of the scale.
        """
        values = (self.top, self.left, self.height, self.width)
        if any(v % scale for v in values):
            raise ValueError(f"{self} does not lie on the grid of scale {scale}")
        return Box(*(v // scale for v in values))

    def grown(self, margins: Margins) -> "Box":
        """Move every side outwards by its margin."""
        return Box(
            self.top - margins.top,
            self.left - margins.left,
            self.height + margins.top + margins.bottom,
            self.width + margins.left + margins.right,
        )

    def shrunk(self, margins: Margins) -> "Box":
        """Move every side inwards by its margin."""
        return self.grown(Margins(-margins.top, -margins.left, -margins.bottom, -margins.right))

    def shifted(self, rows: int, columns: int) -> "Box":
        """Move the box by whole pixels."""
        return Box(self.top + rows, self.left + columns, self.height, self.width)

    def intersect(self, other: "Box") -> "Box":
        """Keep what both boxes cover; of zero size where they do not meet."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Box(top, left, max(0, bottom - top), max(0, right - left))
