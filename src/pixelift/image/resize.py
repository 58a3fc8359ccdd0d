"""MATLAB-compatible bicubic resizing, and the crops that go with it."""

import math
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import ShapeError
from pixelift.image.geometry import Size
from pixelift.image.mirror import mirrored
from pixelift.image.shrink import FAST_SCALES, shrink

T = TypeVar("T", bound=np.generic)

CUBIC_A = -0.5
"""Keys' parameter. MATLAB and Pillow use -0.5; OpenCV and torch use -0.75."""


def cubic(x: NDArray[np.float64], a: float = CUBIC_A) -> NDArray[np.float64]:
    """Evaluate the cubic convolution kernel.

    Args:
        x: Distances in pixels, any shape.
        a: Its slope at a distance of 1: -1/2 in MATLAB and Pillow, -3/4 in OpenCV.

    Returns:
        Kernel values, zero beyond a distance of 2.

    Paper: R. Keys, "Cubic convolution interpolation for digital image processing", IEEE
        Transactions on Acoustics, Speech and Signal Processing 29(6), 1981, equation 15.
    """
    d = np.abs(x)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


@lru_cache(maxsize=64)
def bicubic_taps(
    in_length: int, out_length: int, scale: Fraction
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """List which input samples make each output sample of one axis, and with what weights.

    Down-scaling widens the kernel by 1 / scale (antialiasing); beyond the border the samples
    are mirrored, the border sample repeated, as MATLAB's imresize does.

    Args:
        in_length: Samples of the input along the axis.
        out_length: Samples of the output.
        scale: Output samples per input sample; not always `out_length / in_length`, since a
            given scale rounds the output length up.

    Returns:
        Indices and weights, both (out_length, taps); the weights of each output sum to 1.
    """
    stretch = min(float(scale), 1.0)
    support = 4.0 / stretch
    centre = np.arange(out_length) / float(scale) + 0.5 * (1 / float(scale) - 1)
    first = np.floor(centre - support / 2).astype(np.intp) + 1
    index = first[:, None] + np.arange(-1, math.ceil(support) + 1)
    weight = stretch * cubic(stretch * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    used = np.any(weight != 0, axis=0)
    index, weight = index[:, used], weight[:, used]
    index = mirrored(index, in_length)
    index.flags.writeable = weight.flags.writeable = False
    return index, weight


def resize_bicubic(
    image: NDArray[T], size: Size | None = None, *, scale: Fraction | float | None = None
) -> NDArray[T]:
    """Resize as MATLAB's `imresize(image, ..., 'bicubic')` does, antialiased when shrinking.

    uint8 pictures are rounded to 8 bits after each of the two passes, as MATLAB does; floats are
    neither rounded nor clipped. The axis with the smaller scale goes first, rows before columns
    when they are equal.

    Args:
        image: (H, W) or (H, W, C); uint8, float32 or float64, any range.
        size: Size of the result; give this or `scale`.
        scale: Result pixels per picture pixel along each axis; the size is rounded up.

    Returns:
        Array of the same type with the new height and width.

    Raises:
        ShapeError: The array has no two or three axes, no pixels, or an unknown type; the size
            is not positive; or not exactly one of `size` and `scale` was given.

    Paper: R. Keys 1981 (see `cubic`); checked against MATLAB's own output.
    """
    if image.ndim not in (2, 3) or 0 in image.shape:
        raise ShapeError(f"picture is {image.shape}; allowed are (H, W) and (H, W, C), not empty.")
    if image.dtype not in (np.uint8, np.float32, np.float64):
        raise ShapeError(f"picture is {image.dtype}; allowed are uint8, float32 and float64.")
    if (size is None) == (scale is None):
        raise ShapeError("resize_bicubic needs either a size or a scale, and not both.")
    lengths = image.shape[:2]
    if size is not None:
        targets = (size.height, size.width)
        if min(targets) < 1:
            raise ShapeError(f"cannot resize to {size}; both sides must be at least 1 pixel.")
        scales = [Fraction(t, n) for t, n in zip(targets, lengths, strict=True)]
    else:
        factor = Fraction(scale or 0).limit_denominator(1_000_000)
        if factor <= 0:
            raise ShapeError(f"cannot resize by {scale}; the scale must be positive.")
        targets = (math.ceil(lengths[0] * factor), math.ceil(lengths[1] * factor))
        scales = [factor, factor]
    for axis in sorted((0, 1), key=lambda a: scales[a]):
        if targets[axis] != lengths[axis] or scales[axis] != 1:
            image = _resize_axis(image, axis, targets[axis], scales[axis])
    return image


def _resize_axis(image: NDArray[T], axis: int, length: int, scale: Fraction) -> NDArray[T]:
    index, weight = bicubic_taps(image.shape[axis], length, scale)
    work = np.float32 if image.dtype == np.float32 else np.float64
    # Columns of a row-major picture are gathered far faster as rows of its transpose.
    source = np.ascontiguousarray(image.swapaxes(0, axis), dtype=work)
    total = np.zeros((length, *source.shape[1:]), work)
    shape = (length,) + (1,) * (source.ndim - 1)
    for tap in range(index.shape[1]):
        part = source[index[:, tap]]
        np.multiply(part, weight[:, tap].astype(work).reshape(shape), out=part)
        total += part
    if image.dtype == np.uint8:
        total += 0.5
        total = np.clip(np.floor(total, out=total), 0, 255, out=total)
    return np.ascontiguousarray(total.swapaxes(0, axis), dtype=image.dtype)


def downscale(image: NDArray[T], scale: int) -> NDArray[T]:
    """Shrink by an integer: the LR that the field trains on and measures with.

    The same as `resize_bicubic`; 8-bit pictures by 2, 3 and 4 take a much faster way to it.

    Args:
        image: (H, W) or (H, W, C); uint8 or float.
        scale: HR pixels per LR pixel along each axis.

    Returns:
        Array of the same type, sides divided by the scale and rounded up.

    Raises:
        ShapeError: See `resize_bicubic`.
    """
    is_picture = image.ndim in (2, 3) and 0 not in image.shape
    if image.dtype == np.uint8 and scale in FAST_SCALES and is_picture:
        return cast("NDArray[T]", shrink(cast("NDArray[np.uint8]", image), scale))
    return resize_bicubic(image, scale=Fraction(1, scale))


def upscale(image: NDArray[T], scale: int) -> NDArray[T]:
    """Enlarge by an integer: plain interpolation, what every network is measured against.

    Args:
        image: (H, W) or (H, W, C); uint8 or float.
        scale: HR pixels per LR pixel along each axis.

    Returns:
        Array of the same type, sides multiplied by the scale.

    Raises:
        ShapeError: See `resize_bicubic`.
    """
    return resize_bicubic(image, scale=scale)


def modcrop(image: NDArray[T], scale: int) -> NDArray[T]:
    """Cut the right and lower edge so that both sides are multiples of the scale.

    Args:
        image: (H, W, ...).
        scale: The scale, in HR pixels.

    Returns:
        A view of the picture.

    Raises:
        ShapeError: Nothing would be left.
    """
    height, width = (n - n % scale for n in image.shape[:2])
    if height == 0 or width == 0:
        raise ShapeError(
            f"a picture of {image.shape[1]}x{image.shape[0]} is too small for scale {scale}; "
            f"each side must be at least {scale} pixels."
        )
    return image[:height, :width]


def shave(image: NDArray[T], border: int) -> NDArray[T]:
    """Cut the same border from every edge, as is done before measuring.

    Args:
        image: (H, W, ...).
        border: Pixels to cut from each edge.

    Returns:
        A view of the picture.

    Raises:
        ShapeError: Nothing would be left.
    """
    if min(image.shape[:2]) <= 2 * border:
        raise ShapeError(
            f"shaving {border} pixels leaves nothing of {image.shape[1]}x{image.shape[0]}; "
            f"each side must be longer than {2 * border} pixels."
        )
    return image[border : image.shape[0] - border, border : image.shape[1] - border]
