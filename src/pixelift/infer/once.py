"""One call for one image."""

import os
from fractions import Fraction
from typing import overload

from pixelift.image.picture import Picture
from pixelift.image.source import FilePath
from pixelift.infer.auto import AUTO
from pixelift.infer.effort import Effort
from pixelift.infer.engine import EngineChoice, PrecisionChoice
from pixelift.infer.images import Image
from pixelift.infer.target import Target
from pixelift.infer.upscaler import Upscaler


@overload
def upscale(
    image: FilePath,
    *,
    model: str | os.PathLike[str] = AUTO,
    scale: float | Fraction | Target | None = None,
    effort: Effort | None = None,
    ensemble: bool = False,
    consistent: bool | None = None,
    engine: EngineChoice = "auto",
    precision: PrecisionChoice = "auto",
    tile: int | None = None,
    threads: int | None = None,
) -> Picture: ...


@overload
def upscale(
    image: Image,
    *,
    model: str | os.PathLike[str] = AUTO,
    scale: float | Fraction | Target | None = None,
    effort: Effort | None = None,
    ensemble: bool = False,
    consistent: bool | None = None,
    engine: EngineChoice = "auto",
    precision: PrecisionChoice = "auto",
    tile: int | None = None,
    threads: int | None = None,
) -> Image: ...


def upscale(  # noqa: PLR0913 - all that an Upscaler takes
    image: object,
    *,
    model: str | os.PathLike[str] = AUTO,
    scale: float | Fraction | Target | None = None,
    effort: Effort | None = None,
    ensemble: bool = False,
    consistent: bool | None = None,
    engine: EngineChoice = "auto",
    precision: PrecisionChoice = "auto",
    tile: int | None = None,
    threads: int | None = None,
) -> object:
    """Enlarge one image; for several, an `Upscaler` loads the network only once.

    Args:
        image: numpy array, PIL image, path or bytes of a picture file, or Picture: see
            `Upscaler.upscale`.
        model: See `Upscaler`, as all that follow: "auto" looks at the picture, as the command line
            does where nothing else is said.
        scale: See `Upscaler`.
        effort: See `Upscaler`.
        ensemble: See `Upscaler`.
        consistent: See `Upscaler`.
        engine: See `Upscaler`.
        precision: See `Upscaler`.
        tile: See `Upscaler`.
        threads: See `Upscaler`.

    Returns:
        The enlarged image, of the same kind; for a path a Picture.

    Raises:
        PixeliftError: See `Upscaler` and `Upscaler.upscale`.
    """
    upscaler = Upscaler(
        model,
        scale=scale,
        effort=effort,
        ensemble=ensemble,
        consistent=consistent,
        engine=engine,
        precision=precision,
        tile=tile,
        threads=threads,
    )
    # Each kind has its overload above; what is none is refused in there.
    return upscaler.upscale(image)  # type: ignore[call-overload]
