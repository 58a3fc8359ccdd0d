"""Integer samples to floats and back: the one rounding rule of the house."""

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError

U8_MAX = 255
U16_MAX = 65535


def to_float(samples: NDArray[np.generic]) -> NDArray[np.float32]:
    """Bring samples of any depth to float32 in [0, 1]; floats are taken as being there already.

    Args:
        samples: uint8, uint16 or float array of any shape.

    Returns:
        float32 array of the same shape; the input itself where it is float32.

    Raises:
        ShapeError: The samples are of another type.

    Example:
        >>> to_float(np.array([0, 255], np.uint8))
        array([0., 1.], dtype=float32)
    """
    if samples.dtype == np.uint8:
        return samples.astype(np.float32) * np.float32(1 / U8_MAX)
    if samples.dtype == np.uint16:
        return samples.astype(np.float32) * np.float32(1 / U16_MAX)
    if np.issubdtype(samples.dtype, np.floating):
        return samples.astype(np.float32, copy=False)
    raise ShapeError(
        f"samples are {samples.dtype}; allowed are uint8, uint16 and float32. Convert them first."
    )


def to_u8(samples: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Round floats in [0, 1] to 8 bits: clipped, halves up, as a saved file holds them.

    Args:
        samples: Float array of any shape; values outside [0, 1] are clipped.

    Returns:
        uint8 array of the same shape.

    Example:
        >>> to_u8(np.array([-0.1, 0.5, 1.2], np.float32))
        array([  0, 128, 255], dtype=uint8)
    """
    return _quantise(samples, U8_MAX).astype(np.uint8)


def to_u16(samples: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Round floats in [0, 1] to 16 bits: clipped, halves up.

    Args:
        samples: Float array of any shape; values outside [0, 1] are clipped.

    Returns:
        uint16 array of the same shape.
    """
    return _quantise(samples, U16_MAX).astype(np.uint16)


def _quantise(samples: NDArray[np.floating], top: int) -> NDArray[np.floating]:
    # Adding a half and truncating (the cast that follows) is the floor for what is not negative.
    scaled: NDArray[np.floating] = samples * samples.dtype.type(top)
    scaled += samples.dtype.type(0.5)
    return np.clip(scaled, 0, top, out=scaled)
