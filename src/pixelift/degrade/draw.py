"""Drawing plans: how often and how strongly each thing happens to a picture."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from pixelift.degrade.plan import (
    AnyStep,
    Blur,
    Compress,
    Kernel,
    Motion,
    Noise,
    Plan,
    Resize,
    clean_plan,
)
from pixelift.errors import ConfigError

Share = Annotated[float, Meta(ge=0, le=1)]
Length = Annotated[float, Meta(ge=0, le=4)]
Level = Annotated[float, Meta(ge=0, le=128)]
Quality = Annotated[int, Meta(ge=1, le=100)]

_NOISE_FIRST = 0.8
"""How often noise comes before compression: sensors are noisy, and files are saved after that."""


class Degradation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may happen to a picture; ranges are drawn from evenly, both ends included."""

    kernels: tuple[Kernel, ...] = ("cubic",)
    """Kernels to shrink with, each as often as the others; name one twice and it comes twice as
    often."""
    blur_share: Share = 0.0
    """How often a picture is blurred before it is shrunk."""
    blur_lr_px: tuple[Length, Length] = (0.1, 0.5)
    """Sigma of the blur in LR pixels, so that it means the same at every scale."""
    oblong_share: Share = 0.0
    """How many of the blurs are longer in one direction."""
    motion_share: Share = 0.0
    """How many of the blurs are of a motion."""
    motion_lr_px: tuple[Length, Length] = (0.5, 1.5)
    """Length of the motion in LR pixels."""
    noise_share: Share = 0.0
    """How often there is noise."""
    noise_sigma_255: tuple[Level, Level] = (1.0, 10.0)
    """Its standard deviation in 8-bit levels; of Poisson noise that at white."""
    poisson_share: Share = 0.0
    """How much of the noise is that of counted light."""
    grey_share: Share = 0.0
    """How much of the noise is the same in all three channels."""
    compress_share: Share = 0.0
    """How often a picture is compressed."""
    quality: tuple[Quality, Quality] = (40, 95)
    """Quality of JPEG and WebP."""
    webp_share: Share = 0.0
    """How much is compressed as WebP; the rest is JPEG."""
    full_colour_share: Share = 0.0
    """How much of the JPEG keeps the colour of every pixel (4:4:4)."""
    twice_share: Share = 0.0
    """How often all of it happened once before, at a size between HR and LR."""

    def __post_init__(self) -> None:
        """Refuse ranges that end before they begin, and no kernel at all."""
        if not self.kernels:
            raise ValueError("kernels is empty; name at least one, as cubic")
        for name in ("blur_lr_px", "motion_lr_px", "noise_sigma_255", "quality"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} is [{low}, {high}]; the smaller one comes first")


PRESETS = {
    "clean": Degradation(),
    "photo": Degradation(
        kernels=("cubic", "cubic", "linear", "area", "lanczos", "stride"),
        blur_share=0.6,
        blur_lr_px=(0.1, 0.55),
        oblong_share=0.3,
        motion_share=0.08,
        noise_share=0.9,
        noise_sigma_255=(1.0, 30.0),
        poisson_share=0.3,
        grey_share=0.35,
        compress_share=0.9,
        quality=(30, 95),
        webp_share=0.08,
        full_colour_share=0.15,
        twice_share=0.15,
    ),
    "heavy": Degradation(
        kernels=("cubic", "linear", "area", "lanczos", "stride"),
        blur_share=0.8,
        blur_lr_px=(0.15, 0.9),
        oblong_share=0.4,
        motion_share=0.15,
        motion_lr_px=(0.5, 2.5),
        noise_share=0.9,
        noise_sigma_255=(2.0, 28.0),
        poisson_share=0.35,
        grey_share=0.4,
        compress_share=0.95,
        quality=(12, 75),
        webp_share=0.1,
        full_colour_share=0.1,
        twice_share=0.6,
    ),
}
"""Degradations by name: `clean` is the bicubic shrinking of the benchmarks; `photo` what a phone
and a messenger do; `heavy` what several of them do one after the other."""


def resolve(given: str | Degradation) -> Degradation:
    """Take a preset's name or a degradation itself.

    Args:
        given: "photo", for instance.

    Returns:
        The degradation.

    Raises:
        ConfigError: There is no preset of that name.
    """
    if isinstance(given, Degradation):
        return given
    if given not in PRESETS:
        raise ConfigError(
            f'no degradation "{given}"; allowed are {", ".join(PRESETS)}, or a table of shares and '
            'ranges. Write degrade = "photo"'
        )
    return PRESETS[given]


def draw_plan(degradation: Degradation, *, scale: int, rng: np.random.Generator) -> Plan:
    """Draw what happens to one picture.

    Blur and shrinking, then noise and compression in either order; and in some of the pictures all
    four once before, in any order, at a size in between.

    Args:
        degradation: How often and how strongly.
        scale: HR pixels per LR pixel.
        rng: Where the numbers come from.

    Returns:
        The plan.

    Paper: BSRGAN (see `pixelift.degrade.kernels.gaussian_plane`), section 3.5, the shuffled order;
        Real-ESRGAN, section 3.2, the second round. We shuffle all four in the first round alone:
        what is done to a large picture is hardly seen after it is shrunk, and takes the longest.
    """
    if degradation == PRESETS["clean"]:
        return clean_plan(scale)
    steps: list[AnyStep] = []
    per_px = 1.0
    if scale > 1 and rng.random() < degradation.twice_share:
        between = float(round(rng.uniform(1 + (scale - 1) / 2, scale), 3))
        first = _blur(degradation, scale, per_px, rng)
        later = [*_noise(degradation, rng), *_compress(degradation, rng)]
        resize = [Resize(hr_per_px=between, kernel=_kernel(degradation, rng))]
        once = [*first, *resize, *later]
        steps += [once[n] for n in rng.permutation(len(once))]
        per_px = between
    steps += _blur(degradation, scale, per_px, rng)
    steps.append(Resize(hr_per_px=float(scale), kernel=_kernel(degradation, rng)))
    noise, compress = _noise(degradation, rng), _compress(degradation, rng)
    steps += [*noise, *compress] if rng.random() < _NOISE_FIRST else [*compress, *noise]
    return Plan(scale=scale, steps=tuple(steps))


def _between(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    # Rounded: a plan is read by people too, and a thousandth of a pixel or level changes nothing.
    return float(round(rng.uniform(*bounds), 3))


def _kernel(degradation: Degradation, rng: np.random.Generator) -> Kernel:
    return degradation.kernels[int(rng.integers(len(degradation.kernels)))]


def _blur(
    degradation: Degradation, scale: int, per_px: float, rng: np.random.Generator
) -> list[AnyStep]:
    if rng.random() >= degradation.blur_share:
        return []
    unit = scale / per_px
    angle = float(rng.integers(180))
    kind = rng.random()
    if kind < degradation.motion_share:
        length = _between(degradation.motion_lr_px, rng) * unit
        return [Motion(length_px=round(length, 3), angle_deg=angle)]
    sigma = round(_between(degradation.blur_lr_px, rng) * unit, 3)
    across = sigma
    if kind < degradation.motion_share + degradation.oblong_share:
        across = round(sigma * rng.uniform(0.3, 0.9), 3)
    return [Blur(sigma_px=sigma, across_px=across, angle_deg=0.0 if across == sigma else angle)]


def _noise(degradation: Degradation, rng: np.random.Generator) -> list[AnyStep]:
    if rng.random() >= degradation.noise_share:
        return []
    return [
        Noise(
            kind="poisson" if rng.random() < degradation.poisson_share else "gaussian",
            sigma_255=_between(degradation.noise_sigma_255, rng),
            is_grey=bool(rng.random() < degradation.grey_share),
            seed=int(rng.integers(1 << 32)),
        )
    ]


def _compress(degradation: Degradation, rng: np.random.Generator) -> list[AnyStep]:
    if rng.random() >= degradation.compress_share:
        return []
    low, high = degradation.quality
    quality = int(rng.integers(low, high + 1))
    if rng.random() < degradation.webp_share:
        return [Compress(format="webp", quality=quality)]
    halves = bool(rng.random() >= degradation.full_colour_share)
    return [Compress(format="jpeg", quality=quality, halves_colour=halves)]
