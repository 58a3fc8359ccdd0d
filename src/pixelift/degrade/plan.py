"""A plan: the steps that make LR of HR, each with the numbers that were drawn, as JSON.

A plan holds everything: the same plan and the same pixels give the same bytes. Filters and JPEG are
calculated in whole numbers, so that neither the processor nor its libraries have a say; noise is
NumPy's, WebP and AVIF are libvips'.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pixelift.errors import ConfigError

Kernel = Literal["cubic", "bare-cubic", "linear", "area", "lanczos", "stride", "nearest"]
"""How pixels are averaged when a picture is resized; `pixelift.degrade.filters` explains each."""

Format = Literal["jpeg", "webp", "avif"]

Sigma = Annotated[float, Meta(ge=0, le=32)]
Angle = Annotated[float, Meta(ge=0, lt=180)]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="step"):
    """One thing that happens to a picture; pixels are those of the picture as it arrives there."""


class Blur(Step, frozen=True, tag="blur"):
    """Gaussian blur, the same in all directions or longer in one."""

    sigma_px: Sigma
    """Standard deviation along the longer axis."""
    across_px: Sigma
    """Standard deviation across it; equal to `sigma_px` for a round blur."""
    angle_deg: Angle = 0.0
    """Direction of the longer axis, from the x axis towards the y axis, which points down."""


class Motion(Step, frozen=True, tag="motion"):
    """Blur along a straight line, as of a camera that moved."""

    length_px: Annotated[float, Meta(ge=0, le=64)]
    angle_deg: Angle


class Resize(Step, frozen=True, tag="resize"):
    """Make the picture smaller, or larger again; a blur right before it is done along with it."""

    hr_per_px: Annotated[float, Meta(ge=0.25, le=16)]
    """HR pixels that a pixel stands for afterwards, along each axis; the last one is the scale."""
    kernel: Kernel


class Noise(Step, frozen=True, tag="noise", omit_defaults=True):
    """Noise of a sensor."""

    kind: Literal["gaussian", "poisson"]
    """"poisson" is the noise of counted light: strongest where it is bright."""
    sigma_255: Annotated[float, Meta(ge=0, le=128)]
    """Standard deviation in 8-bit levels; of "poisson" that at white."""
    is_grey: bool
    """Whether the three channels get the same noise."""
    seed: Annotated[int, Meta(ge=0, lt=1 << 53)]
    """Start of the random stream."""
    is_chroma: bool = False
    """Whether it leaves luma alone, as what is left where a camera mended luma only."""

    def __post_init__(self) -> None:
        """Refuse noise that is to be of all channels alike, and of colour."""
        if self.is_grey and self.is_chroma:
            raise ValueError("noise is both grey and chroma; set is_grey or is_chroma to false")


class Sharpen(Step, frozen=True, tag="sharpen"):
    """Unsharp mask: what a Gaussian blur takes away is added once more, which makes halos."""

    sigma_px: Annotated[float, Meta(ge=0, le=8)]
    """Standard deviation of the blur."""
    amount: Annotated[float, Meta(ge=0, le=2)]
    """How many times it is added."""


class Compress(Step, frozen=True, tag="compress"):
    """Saving to a file that loses something, and reading it again."""

    format: Format
    quality: Annotated[int, Meta(ge=1, le=100)]
    halves_colour: bool = True
    """Whether JPEG and AVIF keep one colour for four pixels (4:2:0); WebP always does."""


AnyStep = Blur | Motion | Resize | Noise | Sharpen | Compress


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The way from HR to LR."""

    scale: Annotated[int, Meta(ge=1, le=8)]
    """HR pixels per LR pixel along each axis."""
    steps: Annotated[tuple[AnyStep, ...], Meta(max_length=32)]
    """What happens, in order; the last `Resize` arrives at the scale."""

    def __post_init__(self) -> None:
        """Refuse plans that do not arrive at the scale."""
        arrivals = [step.hr_per_px for step in self.steps if isinstance(step, Resize)]
        arrived = arrivals[-1] if arrivals else 1
        if arrived != self.scale:
            raise ValueError(
                f"the steps arrive at {arrived:g} HR pixels per pixel, the scale is {self.scale}; "
                "end with a resize to the scale"
            )

    @property
    def is_clean(self) -> bool:
        """Whether nothing happens but the bicubic shrinking that papers use."""
        return self == clean_plan(self.scale)


def clean_plan(scale: int) -> Plan:
    """Plan what the field's benchmarks do: bicubic shrinking as MATLAB's, and nothing else."""
    return Plan(scale=scale, steps=(Resize(hr_per_px=float(scale), kernel="cubic"),))


def encode_plan(plan: Plan) -> str:
    """Write a plan as one line of JSON.

    Example:
        >>> encode_plan(clean_plan(2))
        '{"scale":2,"steps":[{"step":"resize","hr_per_px":2.0,"kernel":"cubic"}]}'
    """
    return msgspec.json.encode(plan).decode()


def decode_plan(text: str | bytes) -> Plan:
    """Read a plan that `encode_plan` wrote.

    Args:
        text: JSON.

    Returns:
        The plan, equal to what was written.

    Raises:
        ConfigError: It is no JSON, a field is unknown, missing or out of its range, or the steps do
            not arrive at the scale.
    """
    try:
        return msgspec.json.decode(text, type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"not a plan of a degradation: {error}. Use one that pixelift degrade wrote."
        ) from error
