"""Drawing plans: how often and how strongly each thing happens to a picture."""

import math
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
    Sharpen,
    clean_plan,
)
from pixelift.errors import ConfigError

Share = Annotated[float, Meta(ge=0, le=1)]
Length = Annotated[float, Meta(ge=0, le=4)]
Level = Annotated[float, Meta(ge=0, le=128)]
Quality = Annotated[int, Meta(ge=1, le=100)]
Amount = Annotated[float, Meta(ge=0, le=2)]
Factor = Annotated[float, Meta(ge=0.25, le=4)]

_SAVED_AGAIN = 0.5
"""How many of the pictures that were resized once more may be compressed again after it."""
_NOISE_FIRST = 0.8
"""How often noise comes before compression: sensors are noisy, and files are saved after that."""


_RANGES = (
    "blur_lr_px",
    "motion_lr_px",
    "noise_sigma_255",
    "sharpen_lr_px",
    "sharpen_amount",
    "quality",
    "resized_factor",
)


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
    chroma_share: Share = 0.0
    """How much of the noise is of colour alone."""
    sharpen_share: Share = 0.0
    """How often a picture is sharpened after it was shrunk, before it is compressed."""
    sharpen_lr_px: tuple[Length, Length] = (0.5, 1.5)
    """Sigma of the unsharp mask in LR pixels."""
    sharpen_amount: tuple[Amount, Amount] = (0.3, 2.0)
    """How strongly."""
    compress_share: Share = 0.0
    """How often a picture is compressed."""
    quality: tuple[Quality, Quality] = (40, 95)
    """Quality of JPEG, WebP and AVIF."""
    webp_share: Share = 0.0
    """How much is compressed as WebP."""
    avif_share: Share = 0.0
    """How much is compressed as AVIF; the rest is JPEG."""
    full_colour_share: Share = 0.0
    """How much of the JPEG keeps the colour of every pixel (4:4:4)."""
    twice_share: Share = 0.0
    """How often all of it happened once before, at a size between HR and LR."""
    resized_share: Share = 0.0
    """How often the small picture had another size before: noise and compression happen there, and
    are resized with it, so that neither grain nor grid is what it was."""
    resized_factor: tuple[Factor, Factor] = (0.5, 2.0)
    """How many times the side of LR it had, a half as often as double."""

    def __post_init__(self) -> None:
        """Refuse ranges that end before they begin, and no kernel at all."""
        if not self.kernels:
            raise ValueError("kernels is empty; name at least one, as cubic")
        for name in _RANGES:
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
    "real": Degradation(
        kernels=(
            *(("cubic",) * 8),
            *(("lanczos",) * 4),
            *("area", "area", "area", "linear", "stride", "bare-cubic", "nearest"),
        ),
        blur_share=0.3,
        blur_lr_px=(0.1, 0.6),
        oblong_share=0.3,
        motion_share=0.08,
        noise_share=0.6,
        noise_sigma_255=(1.0, 25.0),
        poisson_share=0.3,
        grey_share=0.3,
        chroma_share=0.15,
        sharpen_share=0.15,
        compress_share=0.7,
        quality=(30, 95),
        webp_share=0.12,
        avif_share=0.06,
        full_colour_share=0.2,
        twice_share=0.1,
        resized_share=0.3,
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
and a messenger do; `real` what pictures on people's discs went through: fewer things at a time than
in `photo`, but more kinds of them; `heavy` what several phones and messengers do one after the
other."""


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

    Blur and shrinking, sharpening, then noise and compression in either order; some of the pictures
    have another size until then and are resized once more; and to some, blur, shrinking, noise and
    compression happened once before, in any order, at a size in between.

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
    is_resized = _happens(degradation.resized_share, rng)
    at = _earlier(degradation, scale, rng) if is_resized else float(scale)
    steps.append(Resize(hr_per_px=at, kernel=_kernel(degradation, rng)))
    steps += _sharpen(degradation, scale / at, rng)
    noise, compress = _noise(degradation, rng), _compress(degradation, rng)
    steps += [*noise, *compress] if rng.random() < _NOISE_FIRST else [*compress, *noise]
    if is_resized:
        steps.append(Resize(hr_per_px=float(scale), kernel=_kernel(degradation, rng)))
        if rng.random() < _SAVED_AGAIN:
            steps += _compress(degradation, rng)
    return Plan(scale=scale, steps=tuple(steps))


def _happens(share: float, rng: np.random.Generator) -> bool:
    # What never happens draws no number: degradations of before this was thought of draw the same.
    return bool(share and rng.random() < share)


def _earlier(degradation: Degradation, scale: int, rng: np.random.Generator) -> float:
    """Draw the HR pixels that a pixel of the earlier size stands for."""
    low, high = degradation.resized_factor
    factor = math.exp(rng.uniform(math.log(low), math.log(high)))
    return float(round(min(max(scale / factor, 0.25), 16.0), 3))


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
    noise = Noise(
        kind="poisson" if rng.random() < degradation.poisson_share else "gaussian",
        sigma_255=_between(degradation.noise_sigma_255, rng),
        is_grey=bool(rng.random() < degradation.grey_share),
        seed=int(rng.integers(1 << 32)),
    )
    if _happens(degradation.chroma_share, rng):
        noise = msgspec.structs.replace(noise, is_grey=False, is_chroma=True)
    return [noise]


def _sharpen(degradation: Degradation, px_per_lr: float, rng: np.random.Generator) -> list[AnyStep]:
    if not _happens(degradation.sharpen_share, rng):
        return []
    sigma = round(_between(degradation.sharpen_lr_px, rng) * px_per_lr, 3)
    return [Sharpen(sigma_px=sigma, amount=_between(degradation.sharpen_amount, rng))]


def _compress(degradation: Degradation, rng: np.random.Generator) -> list[AnyStep]:
    if rng.random() >= degradation.compress_share:
        return []
    low, high = degradation.quality
    quality = int(rng.integers(low, high + 1))
    kind = rng.random()
    if kind < degradation.webp_share:
        return [Compress(format="webp", quality=quality)]
    if kind < degradation.webp_share + degradation.avif_share:
        return [Compress(format="avif", quality=quality)]
    halves = bool(rng.random() >= degradation.full_colour_share)
    return [Compress(format="jpeg", quality=quality, halves_colour=halves)]
