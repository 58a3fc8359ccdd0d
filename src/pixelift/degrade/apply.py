"""Carrying a plan out: the same plan and the same pixels give the same bytes."""

import numpy as np
from numpy.typing import NDArray

from pixelift.degrade.filters import SHARP, filter_picture, pick_nearest
from pixelift.degrade.jpeg import compress_jpeg
from pixelift.degrade.kernels import blur_terms, sharpen_terms
from pixelift.degrade.noise import add_noise
from pixelift.degrade.plan import Blur, Compress, Motion, Noise, Plan, Resize, Sharpen
from pixelift.errors import ShapeError
from pixelift.image.crops import downscale_crops
from pixelift.image.geometry import Box, Size
from pixelift.image.resize import downscale
from pixelift.image.shrink import WEIGHTS


def apply_plan(image: NDArray[np.uint8], plan: Plan) -> NDArray[np.uint8]:
    """Make LR of HR.

    Args:
        image: (H, W, C) HR, C 1 or 3; sides are multiples of the plan's scale.
        plan: What happens.

    Returns:
        (H / scale, W / scale, C).

    Raises:
        ShapeError: The array is no 8-bit picture, or its sides are no multiples of the scale.

    Paper: BSRGAN and Real-ESRGAN (see `pixelift.degrade.kernels.gaussian_plane`); the order of the
        steps is the plan's.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ShapeError(
            f"HR is {image.dtype} of shape {image.shape}; allowed is uint8 (H, W, 3) or (H, W, 1). "
            "Round it with pixelift.image.depth.to_u8."
        )
    if 0 in image.shape or any(n % plan.scale for n in image.shape[:2]):
        raise ShapeError(
            f"HR is {image.shape[1]}x{image.shape[0]}; its sides must be multiples of "
            f"{plan.scale}. Cut it with pixelift.image.resize.modcrop."
        )
    full = Size(*image.shape[:2])
    waiting: Blur | Motion | None = None
    for step in plan.steps:
        if waiting is not None and not isinstance(step, Resize):
            image, waiting = _blurred(image, waiting), None
        match step:
            case Blur() | Motion():
                waiting = step
            case Resize():
                image, waiting = _resized(image, full, step, waiting), None
            case Noise():
                image = add_noise(image, step)
            case Sharpen():
                terms = sharpen_terms(step)
                image = filter_picture(image, Size(*image.shape[:2]), kernel=None, terms=terms)
            case Compress():
                image = _compressed(image, step)
    return image if waiting is None else _blurred(image, waiting)


def _blurred(image: NDArray[np.uint8], blur: Blur | Motion) -> NDArray[np.uint8]:
    size = Size(*image.shape[:2])
    return filter_picture(image, size, kernel=None, terms=blur_terms(blur))


def _resized(
    image: NDArray[np.uint8], full: Size, step: Resize, blur: Blur | Motion | None
) -> NDArray[np.uint8]:
    height, width = (max(1, round(n / step.hr_per_px)) for n in (full.height, full.width))
    size = Size(height, width)
    if step.kernel == "cubic" and blur is None and full == Size(*image.shape[:2]):
        scale = int(step.hr_per_px)
        if scale == step.hr_per_px and size.scaled(scale) == full and scale > 1:
            return _shrunk(image, scale)
    if step.kernel == "nearest":
        return pick_nearest(image if blur is None else _blurred(image, blur), size)
    terms = (SHARP,) if blur is None else blur_terms(blur)
    return filter_picture(image, size, kernel=step.kernel, terms=terms)


def _shrunk(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Shrink as papers do: bit for bit what the networks without degradation are trained on."""
    if scale not in WEIGHTS or image.size > _SMALL:
        return downscale(image, scale)
    # Without libvips, which makes no sense for crops and had trouble in forked processes.
    (small,) = downscale_crops([image], [Box.whole(Size(*image.shape[:2]))], scale=scale)
    return np.asarray(small)


_SMALL = 1 << 20


def _compressed(image: NDArray[np.uint8], step: Compress) -> NDArray[np.uint8]:
    if step.format == "jpeg":
        return compress_jpeg(image, quality=step.quality, halves_colour=step.halves_colour)
    height, width, channels = image.shape
    rgb = np.repeat(image, 3, axis=2) if channels == 1 else np.ascontiguousarray(image)
    # Here, so that a training without WebP and AVIF needs no libvips.
    import pyvips  # noqa: PLC0415

    from pixelift.image.vips import operate  # noqa: PLC0415

    picture = pyvips.Image.new_from_memory(rgb, width, height, 3, "uchar")
    picture = operate("copy", picture, interpretation="srgb")
    if step.format == "webp":
        loaded = operate("webpload_buffer", operate("webpsave_buffer", picture, Q=step.quality))
    else:
        subsampling = "on" if step.halves_colour else "off"
        options = {"compression": "av1", "effort": 2, "subsample_mode": subsampling}
        coded = operate("heifsave_buffer", picture, Q=step.quality, **options)
        loaded = operate("heifload_buffer", coded)
    flat: NDArray[np.uint8] = np.frombuffer(loaded.write_to_memory(), np.uint8)
    return flat.reshape(height, width, 3)[..., :channels].copy()
