"""How large a result is to be, and by which trained scales it gets there."""

import itertools
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from pixelift.errors import ConfigError, ShapeError
from pixelift.image.geometry import Size

MAX_FACTOR = 16
"""Largest factor: two networks of x4 one after the other."""

_FACTOR = re.compile(r"[xX]?([0-9]{1,7}(?:\.[0-9]{0,20}|/0*[1-9][0-9]{0,5})?|\.[0-9]{1,20})")

MAX_SIDE = 1_000_000
MAX_MEGAPIXELS = 100_000


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for: a factor, one side or both, or a number of pixels; exactly one of these.

    The rounding rule: each side is what the factor makes of it, halves rounded up, and at least 1.
    The factor is `scale`; or the wanted side divided by the picture's; or the square root of the
    wanted pixels divided by the picture's. With both sides the picture is stretched to them.

    Raises:
        ConfigError: Nothing is asked for, or too much at once, or what no picture can have.

    Example:
        >>> str(Target(scale=Fraction(5, 2)).size_of(Size(3, 101)))
        '253x8'
        >>> str(Target(width=3840).size_of(Size(1000, 1500)))
        '3840x2560'
    """

    scale: Fraction | None = None
    width: int | None = None
    height: int | None = None
    megapixels: float | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense before any picture is opened."""
        has_side = self.width is not None or self.height is not None
        if (self.scale is not None) + has_side + (self.megapixels is not None) != 1:
            raise ConfigError(
                "the size of the result is to be given in one way; allowed are a scale, or a width "
                "and a height or one of these, or megapixels. Give one of them, as --scale 2.5"
            )
        if self.scale is not None and not 1 <= self.scale <= MAX_FACTOR:
            raise ConfigError(
                f"scale is {float(self.scale):g}; allowed is 1 to {MAX_FACTOR}, as --scale 2.5"
            )
        for name, side in (("width", self.width), ("height", self.height)):
            if side is not None and not 1 <= side <= MAX_SIDE:
                raise ConfigError(
                    f"{name} is {side}; allowed are 1 to {MAX_SIDE} pixels, as --{name} 3840"
                )
        # NaN fails the comparison.
        if self.megapixels is not None and not 0 < self.megapixels <= MAX_MEGAPIXELS:
            raise ConfigError(
                f"megapixels is {self.megapixels:g}; allowed is more than 0 up to "
                f"{MAX_MEGAPIXELS}, as --megapixels 24"
            )

    @property
    def label(self) -> str:
        """What names of results end in: x4, x2.5, 3840w, 2160h, 3840x2160 or 24mp."""
        if self.scale is not None:
            return f"x{float(self.scale):g}"
        if self.megapixels is not None:
            return f"{self.megapixels:g}mp"
        if self.width is None:
            return f"{self.height}h"
        return f"{self.width}w" if self.height is None else f"{self.width}x{self.height}"

    def size_of(self, size: Size) -> Size:
        """Tell the size of the result of a picture.

        Args:
            size: Size of the picture.

        Returns:
            Size of the result, exact.

        Raises:
            ShapeError: That would be smaller than the picture, or more than 16 times its sides.
        """
        if self.width is not None and self.height is not None:
            wanted = Size(self.height, self.width)
        else:
            factor = self._factor(size)
            wanted = Size(_rounded(size.height * factor), _rounded(size.width * factor))
        for name, was, now in (
            ("width", size.width, wanted.width),
            ("height", size.height, wanted.height),
        ):
            if not was <= now <= MAX_FACTOR * was:
                raise ShapeError(
                    f"a picture of {size} cannot become {wanted}: its {name} may become {was} to "
                    f"{MAX_FACTOR * was}. Ask for another size, or resize it with another program"
                )
        return wanted

    def _factor(self, size: Size) -> Fraction:
        if self.scale is not None:
            return self.scale
        if self.width is not None:
            return Fraction(self.width, size.width)
        if self.height is not None:
            return Fraction(self.height, size.height)
        return Fraction(math.sqrt((self.megapixels or 0) * 1e6 / size.pixels))


def parse_factor(word: str) -> Fraction | None:
    """Read a factor as people write it.

    Args:
        word: What was written; it may come from a stranger.

    Returns:
        The factor, exactly as it was written, whatever its size; None where it is none.

    Example:
        >>> parse_factor("2.5"), parse_factor("x2"), parse_factor("1e99")
        (Fraction(5, 2), Fraction(2, 1), None)
    """
    found = _FACTOR.fullmatch(word)
    return Fraction(found[1]) if found else None


def as_target(scale: "float | Fraction | Target") -> Target:
    """Take a plain factor for what it asks.

    Args:
        scale: A factor, or a target already.

    Returns:
        The target.

    Raises:
        ConfigError: The factor is not within 1 to 16.
    """
    if isinstance(scale, Target):
        return scale
    if isinstance(scale, Fraction):
        return Target(scale=scale)
    if not math.isfinite(scale):
        raise ConfigError(f"scale is {scale}; allowed is 1 to {MAX_FACTOR}, as --scale 2.5")
    # 2.3 is meant, or 7 / 3, and not the float next to it.
    near = Fraction(scale).limit_denominator(10_000)
    return Target(scale=near if float(near) == scale else Fraction(str(float(scale))))


def choose_chain(size: Size, wanted: Size, *, scales: Collection[int]) -> tuple[int, ...]:
    """Choose the trained scales that together reach a size; what is too much is resized away.

    One network where one reaches it, else two. The smaller scale of two goes first, since the
    second works on as many times more pixels as the first has made: x2 then x4 is 3.4 times as fast
    as x4 then x2, and no worse.

    Args:
        size: Size of the picture.
        wanted: Size of the result; not smaller.
        scales: Scales that there are networks for.

    Returns:
        One or two scales.

    Raises:
        ConfigError: Not even two of them reach that size.

    Example:
        >>> choose_chain(Size(10, 10), Size(25, 25), scales=(2, 3, 4))
        (3,)
        >>> choose_chain(Size(10, 10), Size(80, 80), scales=(2, 3, 4))
        (2, 4)
    """
    factor = max(Fraction(wanted.height, size.height), Fraction(wanted.width, size.width))
    # A side of few pixels may be rounded up to more than the factor that was asked for.
    pairs = itertools.combinations_with_replacement(sorted(scales), 2)
    chains = [*((scale,) for scale in scales), *pairs]
    reaching = [chain for chain in chains if math.prod(chain) >= factor]
    if not reaching:
        raise ConfigError(
            f"this model reaches a factor of {max(map(math.prod, chains))} at most, and "
            f"{float(factor):.4g} is needed. Ask for less, or take a model with more scales: "
            "pixelift models"
        )
    return min(reaching, key=lambda chain: (len(chain), math.prod(chain), chain))


def _rounded(length: Fraction) -> int:
    return max(1, math.floor(length + Fraction(1, 2)))
