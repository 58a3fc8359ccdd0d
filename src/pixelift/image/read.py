"""A path or bytes become a Picture: header first, pixels only when the header is acceptable."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelift.image import decode
from pixelift.image.carried import carried
from pixelift.image.depth import to_float, to_u8
from pixelift.image.dihedral import transform
from pixelift.image.geometry import MAX_PIXELS, Size
from pixelift.image.picture import Depth, Picture
from pixelift.image.source import PictureFile, Source, open_picture
from pixelift.image.vips_errors import Tries, own_errors

T = TypeVar("T")

_BAND_ROWS = 256


def read_picture(source: Source, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read one photo, upright and whole, or say in one line why not.

    The format is recognised by the content, and only by the loader of that format is it opened. A
    file that is cut short is refused, also where a viewer would show the missing part in grey.
    CMYK and Lab become sRGB; palettes become RGB; grey stays grey.

    Args:
        source: A path, or the bytes of a file.
        max_pixels: Refuse larger pictures before any pixel is decoded.

    Returns:
        The picture; `depth` is that of the file's format, never guessed from its values.

    Raises:
        TooManyPixelsError: It has more pixels than `max_pixels`.
        ImageReadError: It is missing, unreadable, empty, damaged, animated or no photo.
    """
    return _read(source, _picture, max_pixels=max_pixels, advice=decode.larger_limit)


def read_u8(source: Source, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read the colours of one photo alone, rounded to 8 bits: `to_u8` of what `read_picture` gives.

    Several times as fast for the usual photo, whose samples are handed out as they are.

    Args:
        source: A path, or the bytes of a file.
        max_pixels: Refuse larger pictures before any pixel is decoded.

    Returns:
        (H, W, 3) RGB or (H, W, 1) grey, contiguous; alpha is left out. A grey picture may come
        as RGB where the file's format has no grey.

    Raises:
        ImageReadError: See `read_picture`.
    """
    return _read(source, _colours, max_pixels=max_pixels, advice=lambda _: "Make it smaller.")


def read_size(source: Source) -> Size:
    """Read how large a photo is, upright; no pixel is decoded.

    Args:
        source: A path, or the bytes of a file.

    Returns:
        Its size, of any number of pixels.

    Raises:
        ImageReadError: It is missing, unreadable, animated or no photo, as far as its header tells.
    """
    with open_picture(source) as file:
        try:
            image = decode.load(file, "none", notes=[])
        except pyvips.Error as err:
            raise decode.undecodable(file, err) from err
        decode.refuse_several(image, file)
        turned = decode.turn_of(image) & 4
        return Size(image.width, image.height) if turned else Size(image.height, image.width)


def _read(
    source: Source,
    finish: Callable[[NDArray[np.generic], Depth, pyvips.Image, PictureFile], T],
    *,
    max_pixels: int,
    advice: Callable[[Size], str],
) -> T:
    with open_picture(source) as file:
        tries, problem = Tries(file.format.name), None
        while (fail_on := tries.after(problem)) is not None:
            try:
                notes: list[str] = []
                image = decode.load(file, fail_on, notes=notes)
                with own_errors(notes):
                    decode.check_header(image, file, max_pixels, advice)
                    samples, depth = _decode(image, file)
                return finish(samples, depth, image, file)
            except pyvips.Error as err:
                problem = err
        raise decode.undecodable(file, problem or pyvips.Error("no try")) from problem


def _decode(image: pyvips.Image, file: PictureFile) -> tuple[NDArray[np.generic], Depth]:
    bits = decode.field(image, "bits-per-sample", 8)
    image = decode.to_grey_or_rgb(image, file)
    dtype, depth = decode.SAMPLES[image.format]
    flat: NDArray[np.generic] = np.frombuffer(image.write_to_memory(), dtype)
    samples = flat.reshape(image.height, image.width, image.bands)
    return decode.white_at_top(samples, bits, file), depth


def _picture(
    samples: NDArray[np.generic], depth: Depth, image: pyvips.Image, file: PictureFile
) -> Picture:
    channels = 1 if samples.shape[2] < 3 else 3
    icc = decode.fitting_icc(image, file, channels)
    colours = samples[..., :channels]
    if channels == 3 and icc is None and decode.says_no_grey(image, file):
        colours = colours[..., :1] if decode.is_neutral(colours) else colours
    code = decode.turn_of(image)
    pixels = _floats(transform(colours, code), file)
    alpha = None
    if samples.shape[2] > channels:
        alpha = _floats(transform(samples[..., channels:], code), file)[..., 0]
    return Picture(
        pixels=pixels,
        alpha=alpha,
        depth=depth,
        icc=icc,
        format=file.format.name,
        **carried(image, file, size=Size(*pixels.shape[:2]), turn=code),
    )


def _colours(
    samples: NDArray[np.generic], _: Depth, image: pyvips.Image, file: PictureFile
) -> NDArray[np.uint8]:
    channels = 1 if samples.shape[2] < 3 else 3
    colours = transform(samples[..., :channels], decode.turn_of(image))
    if colours.dtype == np.uint8:
        return np.ascontiguousarray(colours, np.uint8)
    return to_u8(_floats(colours, file))


def _floats(samples: NDArray[np.generic], file: PictureFile) -> NDArray[np.float32]:
    result = np.empty(samples.shape, np.float32)
    for top in range(0, len(samples), _BAND_ROWS):
        band = samples[top : top + _BAND_ROWS]
        is_float = np.issubdtype(band.dtype, np.floating)
        result[top : top + _BAND_ROWS] = (
            decode.checked_floats(band, file) if is_float else to_float(band)  # type: ignore[arg-type]
        )
    return result
