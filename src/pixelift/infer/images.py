"""The images that Python programs hold, numpy arrays and PIL images, as samples and back."""

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

DEPTHS: dict[int, Depth] = {1: 8, 2: 16, 4: 32}
"""Depth by the bytes of a sample."""

OVERSHOOT = 1 / 255
"""How far floats may lie outside of [0, 1], as resizing leaves them; what is within is clipped."""

PIL_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}
"""Modes of PIL that are converted first; with CMYK, YCbCr and HSV, which become RGB."""

_SAMPLES = (np.uint8, np.uint16, np.float32, np.float64)
_WHITE = 65_535


def as_channels(array: NDArray[Any]) -> NDArray[Any]:
    """Check an array, and give it an axis for its channels and the machine's byte order.

    Args:
        array: Any array.

    Returns:
        (H, W, C) of uint8, uint16, float32 or float64.

    Raises:
        ShapeError: It has another shape or type.
    """
    view = array[..., None] if array.ndim == 2 else array
    if view.ndim != 3 or view.shape[2] not in (1, 2, 3, 4) or 0 in view.shape:
        raise ShapeError(
            f"the array has the shape {array.shape}; allowed are (H, W) and (H, W, C) with 1 to 4 "
            f"channels and at least one pixel. Put the channels last: numpy.moveaxis(a, 0, -1)."
        )
    if not array.dtype.isnative:
        view = view.astype(array.dtype.newbyteorder("="))
    if view.dtype not in _SAMPLES:
        raise ShapeError(
            f"the array is {array.dtype}; allowed are uint8, uint16, and float32 or float64 in "
            f"[0, 1]. {_advice(array.dtype)}"
        )
    return view


def _advice(dtype: np.dtype[Any]) -> str:
    match dtype.kind:
        case "b":
            return "Make true white: array.astype(numpy.uint8) * 255."
        case "f":
            return "Convert it: array.astype(numpy.float32)."
        case "i" | "u":
            return (
                "Convert it with array.astype(numpy.uint8) if its white is 255, with "
                "array.astype(numpy.uint16) if it is 65535, and else divide it by its white."
            )
        case _:
            return "Convert it to one of these."


def checked_floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Clip the overshoot of floats, and refuse another range than 0 to 1.

    Args:
        samples: Floats of any shape.

    Returns:
        float32 in [0, 1].

    Raises:
        ShapeError: They lie further outside, or are no numbers.
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
    """Find the module that an image of PIL belongs to.

    Args:
        image: Anything.

    Returns:
        `PIL.Image`; None for what is no image of PIL.
    """
    # Whoever has a PIL image has imported PIL; nobody else needs it.
    pil = sys.modules.get("PIL.Image")
    return pil if pil is not None and isinstance(image, pil.Image) else None


def array_of_pil(image: Any) -> NDArray[Any]:  # noqa: ANN401  (PIL is not imported)
    """Take the samples of a PIL image.

    Args:
        image: The image.

    Returns:
        (H, W) or (H, W, C) of uint8 or uint16, or float32 in [0, 1].

    Raises:
        ShapeError: Its mode or its values have no meaning as colours.
    """
    plain = _plain(image)
    array = np.asarray(plain)
    if plain.mode == "F":
        _check_range(array, image.mode, low=-OVERSHOOT, high=1 + OVERSHOOT)
    elif plain.mode == "I":
        _check_range(array, image.mode, low=0, high=_WHITE)
    return array.astype(np.uint16) if plain.mode.startswith("I") else array


def pil_of_array(array: NDArray[Any], mode: str, pil: ModuleType) -> Any:  # noqa: ANN401
    """Make a PIL image of samples.

    Args:
        array: What `array_of_pil` gives.
        mode: The mode that the image had which they come from.
        pil: `PIL.Image`.

    Returns:
        The image; its mode is "I" where it was.
    """
    return pil.fromarray(array.astype(np.int32) if mode == "I" else array)


def _plain(image: Any) -> Any:  # noqa: ANN401  (PIL is not imported)
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):
        return image.convert("LA" if mode in ("1", "L") else "RGBA")
    if mode in ("L", "LA", "RGB", "RGBA", "F", "I") or mode.startswith("I;16"):
        return image
    if mode in PIL_MODES:
        return image.convert(PIL_MODES[mode])
    if mode in ("CMYK", "YCbCr", "HSV"):
        return image.convert("RGB")
    raise ShapeError(
        f'the PIL image has mode "{mode}"; allowed are L, LA, RGB, RGBA, I;16, P, 1, CMYK, YCbCr '
        "and HSV, I from 0 to 65535 and F from 0 to 1. Convert it to RGB with PIL.ImageCms first."
    )


def _check_range(array: NDArray[Any], mode: str, *, low: float, high: float) -> None:
    least, most = float(array.min()), float(array.max())
    if not (low <= least and most <= high):
        white = round(high)
        raise ShapeError(
            f'the PIL image has mode "{mode}" and values from {least:g} to {most:g}; allowed are '
            f"finite values from 0 to {white}. Bring the value W of white there: "
            f"image.point(lambda value: value * ({white} / W))"
        )
