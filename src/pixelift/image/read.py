"""A path or bytes become a Picture: header first, pixels only when the header is acceptable."""

import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelift.errors import ImageReadError, TooManyPixelsError
from pixelift.image import metadata
from pixelift.image.depth import to_float, to_u8
from pixelift.image.dihedral import transform
from pixelift.image.geometry import MAX_PIXELS, Size
from pixelift.image.picture import Depth, Picture
from pixelift.image.source import PictureFile, damaged, open_picture, several

T = TypeVar("T")

_BAND_ROWS = 256
_SAMPLES: dict[str, tuple[type[np.generic], Depth]] = {
    "uchar": (np.uint8, 8),
    "ushort": (np.uint16, 16),
    "float": (np.float32, 32),
    "double": (np.float64, 32),
}
# "truncated" would let a cut TIFF through, and "error" a cut JPEG whose end was put back on: a
# warning is all that libjpeg gives. Oddities that lose no pixel are warnings too, hence the second
# try, and in the other formats a warning may be about anything.
_FAIL_ON = {"jpeg": ("warning", "error")}
_LOST_PIXELS = "premature end"
# The dihedral transform that sets a picture of each EXIF orientation, 1 to 8, upright.
_UPRIGHT = (0, 2, 3, 1, 4, 5, 7, 6)
_SUBTRACTIVE = "cmyk"
_ABSOLUTE = ("lab", "labq", "labs", "lch", "cmc", "xyz", "yxy")
# Float files hold [0, 1] with some overshoot at edges; what lies further out is another range.
_FLOAT_RANGE = (-1.0, 2.0)


def read_picture(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
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

    def advice(needed: Size) -> str:
        return (
            "Make it smaller, or allow it: pixelift upscale --max-megapixels "
            f"{math.ceil(needed.pixels / 1e6)} (in Python: max_pixels={needed.pixels})"
        )

    return _read(source, _picture, max_pixels=max_pixels, advice=advice)


def read_u8(source: Path | str | bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
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


def _read(
    source: Path | str | bytes,
    finish: Callable[[NDArray[np.generic], Depth, pyvips.Image, PictureFile], T],
    *,
    max_pixels: int,
    advice: Callable[[Size], str],
) -> T:
    with open_picture(source) as file:
        problem = None
        for fail_on in _FAIL_ON.get(file.format.name, ("error",)):
            try:
                image = _load(file, fail_on)
                _check_header(image, file, max_pixels, advice)
                samples, depth = _decode(image, file)
                return finish(samples, depth, image, file)
            except pyvips.Error as err:
                problem = err
                if _LOST_PIXELS in err.detail:
                    break
        raise _undecodable(file, problem) from problem


def _load(file: PictureFile, fail_on: str) -> pyvips.Image:
    # The loader is called by its name, so no other loader (SVG, PDF, raw numbers) ever sees a file.
    load = getattr(pyvips.Image, file.format.operation + "load_source")
    return load(_vips_source(file.stream), access="sequential", fail_on=fail_on)


def _check_header(
    image: pyvips.Image, file: PictureFile, max_pixels: int, advice: Callable[[Size], str]
) -> None:
    size = Size(image.height, image.width)
    if size.pixels > max_pixels:
        raise TooManyPixelsError(
            f"cannot read {file.name}: it is {size} = {math.ceil(size.pixels / 1e6)} megapixels; "
            f"allowed are {max_pixels / 1e6:g}. {advice(size)}"
        )
    pages = _field(image, "n-pages", 1)
    if pages > 1:
        raise ImageReadError(several(file, f"{pages} pages or frames"))


def _vips_source(stream: BinaryIO) -> pyvips.Source:
    if isinstance(stream, io.BytesIO):
        return pyvips.Source.new_from_memory(stream.getvalue())
    # By descriptor: libvips then sees the very file that was examined, and never parses its name.
    os.lseek(stream.fileno(), 0, os.SEEK_SET)
    return pyvips.Source.new_from_descriptor(stream.fileno())


def _decode(image: pyvips.Image, file: PictureFile) -> tuple[NDArray[np.generic], Depth]:
    bits = _field(image, "bits-per-sample", 8)
    image = _to_grey_or_rgb(image)
    if image.format not in _SAMPLES or image.bands > 4:
        raise ImageReadError(
            f"cannot read {file.name}: it has {image.bands} channels of type {image.format}; "
            "allowed are grey or RGB, with or without alpha, of 8 or 16 bits or float. "
            "Convert it first."
        )
    dtype, depth = _SAMPLES[image.format]
    flat: NDArray[np.generic] = np.frombuffer(image.write_to_memory(), dtype)
    samples = flat.reshape(image.height, image.width, image.bands)
    if file.format.operation == "heif" and depth == 16 and bits < 16:
        # libvips shifts 10 and 12 bits up and leaves zeros below: white would not be white.
        samples = np.bitwise_or(samples.view(np.uint16), samples.view(np.uint16) >> bits)
    return samples, depth


def _to_grey_or_rgb(image: pyvips.Image) -> pyvips.Image:
    if image.interpretation == _SUBTRACTIVE:
        return image.icc_transform(
            "srgb",
            embedded=True,
            input_profile="cmyk",
            intent="relative",
            black_point_compensation=True,
            depth=16 if image.format == "ushort" else 8,
        )
    if image.interpretation in _ABSOLUTE:
        return image.colourspace("rgb16")
    return image


def _picture(
    samples: NDArray[np.generic], depth: Depth, image: pyvips.Image, file: PictureFile
) -> Picture:
    channels = 1 if samples.shape[2] < 3 else 3
    icc = _fitting_icc(image, channels)
    # These have no grey of their own: grey in them is three equal channels.
    says_no_grey = not file.format.has_grey or _field(image, "palette", 0)
    colours = samples[..., :channels]
    if channels == 3 and says_no_grey and icc is None and _is_neutral(colours):
        colours = colours[..., :1]
    code = _turn(image)
    pixels = _floats(transform(colours, code), file)
    alpha = None
    if samples.shape[2] > channels:
        alpha = _floats(transform(samples[..., channels:], code), file)[..., 0]
    exif = bytes(image.get("exif-data")) if image.get_typeof("exif-data") else None
    dpi = metadata.stated_dpi(file.stream, file.format.name, exif)
    if dpi is not None and code & 4:
        dpi = dpi[::-1]
    return Picture(
        pixels=pixels,
        alpha=alpha,
        depth=depth,
        icc=icc,
        exif=None if exif is None else metadata.upright_exif(exif),
        dpi=dpi,
        format=file.format.name,
    )


def _colours(
    samples: NDArray[np.generic], _: Depth, image: pyvips.Image, file: PictureFile
) -> NDArray[np.uint8]:
    colours = transform(samples[..., : 1 if samples.shape[2] < 3 else 3], _turn(image))
    if colours.dtype == np.uint8:
        return np.ascontiguousarray(colours, np.uint8)
    return to_u8(_floats(colours, file))


def _turn(image: pyvips.Image) -> int:
    # libvips turns AVIF and HEIF by itself and then gives no orientation.
    orientation = _field(image, "orientation", 1)
    return _UPRIGHT[orientation - 1] if 1 <= orientation <= 8 else 0


def _fitting_icc(image: pyvips.Image, channels: int) -> bytes | None:
    if image.interpretation in (_SUBTRACTIVE, *_ABSOLUTE) or not image.get_typeof(
        "icc-profile-data"
    ):
        return None
    icc = bytes(image.get("icc-profile-data"))
    return icc if metadata.icc_channels(icc) == channels else None


def _is_neutral(colours: NDArray[np.generic]) -> bool:
    red = colours[..., :1]
    # The first row answers for nearly every coloured picture.
    return bool((colours[0] == red[0]).all() and (colours == red).all())


def _floats(samples: NDArray[np.generic], file: PictureFile) -> NDArray[np.float32]:
    result = np.empty(samples.shape, np.float32)
    for top in range(0, len(samples), _BAND_ROWS):
        band = to_float(samples[top : top + _BAND_ROWS])
        if np.issubdtype(samples.dtype, np.floating):
            low, high = float(band.min()), float(band.max())
            # NaN fails both comparisons.
            if not (low >= _FLOAT_RANGE[0] and high <= _FLOAT_RANGE[1]):
                raise ImageReadError(
                    f"cannot read {file.name}: its float values run from {low:g} to {high:g}; "
                    "allowed is 0 to 1. Divide them by their white first."
                )
            band = np.clip(band, 0, 1)
        result[top : top + _BAND_ROWS] = band
    return result


def _field(image: pyvips.Image, name: str, default: int) -> int:
    return int(image.get(name)) if image.get_typeof(name) else default


def _undecodable(file: PictureFile, err: pyvips.Error) -> ImageReadError:
    lines = [line.strip() for line in err.detail.splitlines() if line.strip()]
    # A cut file makes libvips seek past its end, once for every box that it looks for.
    telling = [line for line in lines if "bad seek" not in line]
    if telling:
        return ImageReadError(damaged(file, telling[0]))
    return ImageReadError(damaged(file, "its end is missing" if lines else "its header is wrong"))
