"""The kinds of images that Python programs hold, and what is refused of each."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError
from pixelift.image.picture import Depth, Picture

if TYPE_CHECKING:
    import PIL.Image

Image = TypeVar("Image", bound="NDArray[Any] | bytes | bytearray | Picture | PIL.Image.Image")
"""What is enlarged into the same kind."""

KINDS = "a numpy array, a PIL image, the path or the bytes of a picture file, or a pixelift.Picture"

OVERSHOOT = 1 / 255
"""How far floats may lie outside of [0, 1], as resizing leaves them; what is within is clipped."""

PIL_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
"""Modes of PIL that are converted first; with CMYK, YCbCr and HSV, which become RGB."""

DEPTHS: dict[int, Depth] = {1: 8, 2: 16, 4: 32}
"""Depth by the bytes of a sample."""


def as_channels(array: NDArray[Any]) -> NDArray[Any]:
    """Bring an array to three axes.

    Args:
        array: (H, W) or (H, W, C).

    Returns:
        A view of it, (H, W, C).

    Raises:
        ShapeError: It has another shape, no pixels, or samples of a type that is not taken.
    """
    view = array[..., None] if array.ndim == 2 else array
    if view.ndim != 3 or view.shape[2] not in (1, 2, 3, 4) or 0 in view.shape:
        raise ShapeError(
            f"the array has the shape {array.shape}; allowed are (H, W) and (H, W, C) with 1 to 4 "
            f"channels and at least one pixel. Put the channels last: numpy.moveaxis(a, 0, -1)."
        )
    if array.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ShapeError(
            f"the array is {array.dtype}; allowed are uint8, uint16, and float32 or float64 in "
            f"[0, 1]. Convert it, for instance with array.astype(numpy.uint8)."
        )
    return view


def checked_floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Clip what overshoots a little, and refuse what is no picture.

    Args:
        samples: Floats.

    Returns:
        float32 in [0, 1].

    Raises:
        ShapeError: There are values further out, or some that are no numbers.
    """
    low, high = float(samples.min()), float(samples.max())
    # Comparisons with NaN are false, so that this refuses NaN too.
    if not (low >= -OVERSHOOT and high <= 1 + OVERSHOOT):
        raise ShapeError(
            f"the float array has values from {low:g} to {high:g}; allowed are finite values in "
            f"[0, 1]. Divide 8-bit values by 255, and replace NaN and infinity."
        )
    clipped: NDArray[np.float32] = np.clip(samples, 0, 1).astype(np.float32, copy=False)
    return clipped


def pil_of(image: object) -> ModuleType | None:
    """Hand out the module that an image of PIL belongs to.

    Args:
        image: Anything.

    Returns:
        PIL.Image; None for everything else.
    """
    # Whoever has a PIL image has imported PIL; nobody else needs it.
    pil = sys.modules.get("PIL.Image")
    return pil if pil is not None and isinstance(image, pil.Image) else None


def plain_pil(image: Any) -> Any:  # noqa: ANN401  (PIL is not imported)
    """Convert an image of PIL to a mode whose samples are those of a picture.

    Args:
        image: The image; not changed.

    Returns:
        An image of a mode L, LA, RGB, RGBA or I;16.

    Raises:
        ShapeError: Its mode has no meaning in pixels.
    """
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    if mode in ("L", "LA", "RGB", "RGBA") or mode.startswith("I;16"):
        return image
    if mode in PIL_MODES:
        return image.convert(PIL_MODES[mode])
    if mode in ("CMYK", "YCbCr", "HSV"):
        return image.convert("RGB")
    raise ShapeError(
        f'the PIL image has mode "{mode}"; allowed are L, LA, RGB, RGBA, I;16, P, 1, CMYK, YCbCr '
        f'and HSV. Convert it first: image.convert("RGB").'
    )
