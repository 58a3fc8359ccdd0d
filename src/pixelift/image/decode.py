"""What libvips hands out of a file, brought to grey or RGB, upright and of a known depth."""

import io
import math
import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelift.errors import ImageReadError, TooManyPixelsError
from pixelift.image import h273, lab, lab8, metadata, ycbcr_tiff
from pixelift.image.avif_colour import stated_colours
from pixelift.image.exif import orientation_of
from pixelift.image.geometry import Size
from pixelift.image.picture import Depth
from pixelift.image.png_blocks import read_blocks
from pixelift.image.png_colour import counts_more_than_profile, stated_profile
from pixelift.image.source import PictureFile, damaged, no_temporary, several
from pixelift.image.tiff_kinds import READ
from pixelift.image.vips import operate
from pixelift.image.vips_errors import fault_of_temporary, lines_about, own_errors

SAMPLES: dict[str, tuple[type[np.generic], Depth]] = {
    "uchar": (np.uint8, 8),
    "ushort": (np.uint16, 16),
    "float": (np.float32, 32),
    "double": (np.float64, 32),
}
"""Sample types that are read, by libvips' name."""

# The dihedral transform that sets a picture of each EXIF orientation, 1 to 8, upright.
_UPRIGHT = (0, 2, 3, 1, 4, 5, 7, 6)
_SUBTRACTIVE = "cmyk"
_UNKNOWN = "multiband"
_ABSOLUTE = ("lab", "labq", "labs", "lch", "cmc", "xyz", "yxy")
# Float files hold [0, 1] with some overshoot at edges; what lies further out is another range.
_FLOAT_RANGE = (-1.0, 2.0)


def load(
    file: PictureFile, fail_on: str, *, notes: list[str], access: str = "sequential"
) -> pyvips.Image:
    """Open a file in libvips; nothing is decoded yet.

    Args:
        file: The file.
        fail_on: What `Tries` says.
        notes: What libvips notes of it goes here: see `own_errors`.
        access: "sequential" to decode while rows are taken from top to bottom; "random" to decode
            all of it at the first row, into memory, or into a temporary file where it is large.

    Returns:
        The picture as it lies in the file.
    """
    # The loader is called by its name, so no other loader (SVG, PDF, raw numbers) ever sees a file.
    loader = file.format.operation + "load_source"
    options = {"access": access, "fail_on": fail_on}
    with own_errors(notes):
        if not lab8.is_lab8(file):
            # Asked before it is opened: both share the place in the file.
            to_rgb = ycbcr_tiff.conversion_of(file)
            blocks = read_blocks(file.stream) if file.format.name == "png" else {}
            image = operate(loader, _vips_source(file.stream), **options)
            return to_rgb(image) if to_rgb else _with_blocks(image, blocks)
        with lab8.as_plain_numbers(file) as source:
            return lab8.to_lab(operate(loader, source, **options), file)


def check_header(
    image: pyvips.Image, file: PictureFile, max_pixels: int, advice: Callable[[Size], str]
) -> None:
    """Refuse a picture for what its header says, before any pixel is decoded.

    Args:
        image: What `load` returned.
        file: The file.
        max_pixels: Largest number of pixels that is read.
        advice: What to do about one that has more.

    Raises:
        TooManyPixelsError: It is too large.
        ImageReadError: It is not alone in its file.
    """
    size = Size(image.height, image.width)
    if size.pixels > max_pixels:
        raise TooManyPixelsError(
            f"cannot read {file.name}: it is {size} = {math.ceil(size.pixels / 1e6)} megapixels; "
            f"allowed are {max_pixels / 1e6:g}. {advice(size)}"
        )
    refuse_several(image, file)


def refuse_several(image: pyvips.Image, file: PictureFile) -> None:
    """Refuse a file of several pictures.

    Args:
        image: What `load` returned.
        file: The file.

    Raises:
        ImageReadError: It has more than one page or frame.
    """
    pages = field(image, "n-pages", 1)
    if pages > 1:
        raise ImageReadError(several(file, f"{pages} pages or frames"))


def larger_limit(needed: Size) -> str:
    """Say how to have a picture of that size read all the same."""
    return (
        "Make it smaller, or allow it: pixelift upscale --max-megapixels "
        f"{math.ceil(needed.pixels / 1e6)} (in Python: max_pixels={needed.pixels})"
    )


def to_grey_or_rgb(image: pyvips.Image, file: PictureFile) -> pyvips.Image:
    """Bring the colours of any kind of file to grey or RGB; CMYK and Lab become sRGB.

    Args:
        image: What `load` returned.
        file: The file.

    Returns:
        1 to 4 channels of a type in `SAMPLES`; the second or fourth is alpha.

    Raises:
        ImageReadError: It has other channels or samples.
    """
    if image.interpretation == _SUBTRACTIVE:
        image = operate(
            "icc_transform",
            image,
            "srgb",
            embedded=True,
            input_profile="cmyk",
            intent="relative",
            black_point_compensation=True,
            depth=16 if image.format == "ushort" else 8,
        )
    elif image.interpretation in _ABSOLUTE:
        image = lab.to_srgb(image, file)
    if image.interpretation == _UNKNOWN and file.format.name == "tiff":
        raise ImageReadError(
            f"cannot read {file.name}: its {image.bands} channels are of a kind that is not read; "
            f"allowed are {READ}. Convert it to RGB first."
        )
    if image.format not in SAMPLES or image.bands > 4:
        raise ImageReadError(
            f"cannot read {file.name}: it has {image.bands} channels of type {image.format}; "
            "allowed are grey or RGB, with or without alpha, of 8 or 16 bits or float. "
            "Convert it first."
        )
    return image


def white_at_top(samples: NDArray[np.generic], bits: int, file: PictureFile) -> NDArray[np.generic]:
    """Bring the 10 and 12 bits of AVIF to the whole range of 16.

    Args:
        samples: Any samples.
        bits: Bits that the file states.
        file: The file.

    Returns:
        The samples; the input itself where they fill their range already.
    """
    if file.format.operation == "heif" and samples.dtype == np.uint16 and bits < 16:
        # libvips shifts them up and leaves zeros below: white would not be white.
        wide: NDArray[np.generic] = samples.view(np.uint16) | (samples.view(np.uint16) >> bits)
        return wide
    return samples


def checked_floats(samples: NDArray[np.floating], file: PictureFile) -> NDArray[np.float32]:
    """Clip the overshoot of a float file, and refuse another range than 0 to 1.

    Args:
        samples: Samples as they lie in the file, any shape.
        file: The file.

    Returns:
        float32 in [0, 1].

    Raises:
        ImageReadError: They lie far outside of it, or are no numbers.
    """
    low, high = float(samples.min()), float(samples.max())
    # NaN fails both comparisons.
    if not (low >= _FLOAT_RANGE[0] and high <= _FLOAT_RANGE[1]):
        raise ImageReadError(
            f"cannot read {file.name}: its float values run from {low:g} to {high:g}; "
            "allowed is 0 to 1. Divide them by their white first."
        )
    clipped: NDArray[np.float32] = np.clip(samples.astype(np.float32, copy=False), 0, 1)
    return clipped


def says_no_grey(image: pyvips.Image, file: PictureFile) -> bool:
    """Tell whether three equal channels of this file stand for grey: it has no other way."""
    return not file.format.has_grey or bool(field(image, "palette", 0))


def is_neutral(colours: NDArray[np.generic]) -> bool:
    """Tell whether all three channels are equal everywhere.

    Args:
        colours: (H, W, 3).
    """
    red = colours[..., :1]
    # The first row answers for nearly every coloured picture.
    return bool((colours[0] == red[0]).all() and (colours == red).all())


def turn_of(image: pyvips.Image) -> int:
    """Look up the dihedral transform that sets a picture upright; 0 for one that stands already."""
    # libvips turns AVIF and HEIF by itself and then gives no orientation.
    orientation = field(image, "orientation", 1)
    return _UPRIGHT[orientation - 1] if 1 <= orientation <= 8 else 0


def fitting_icc(image: pyvips.Image, file: PictureFile, channels: int) -> bytes | None:
    """Take the colour profile of a file, where it still fits what was made of its colours.

    Args:
        image: What `load` returned, before its colours were changed.
        file: The file; its stream is left at another place.
        channels: Channels of the picture, without alpha.

    Returns:
        The profile; of PNG and AVIF also one that is made of what they state in other words.
    """
    if image.interpretation in (_SUBTRACTIVE, *_ABSOLUTE):
        return None
    is_png = file.format.name == "png"
    if image.get_typeof("icc-profile-data") and not (
        is_png and counts_more_than_profile(file.stream)
    ):
        icc = bytes(image.get("icc-profile-data"))
        return icc if metadata.icc_channels(icc) == channels else None
    if is_png:
        return stated_profile(file.stream, is_grey=channels == 1)
    stated = stated_colours(file.stream) if file.format.name == "avif" else None
    return None if stated is None else h273.profile_of(*stated, is_grey=channels == 1)


def field(image: pyvips.Image, name: str, default: int) -> int:
    """Look up a number that libvips knows of a picture."""
    return int(image.get(name)) if image.get_typeof(name) else default


def undecodable(file: PictureFile, err: pyvips.Error) -> ImageReadError:
    """Make the error for a file that libvips could not decode."""
    lines = lines_about(err, file.format.name)
    if (reason := fault_of_temporary(lines)) is not None:
        return ImageReadError(no_temporary(file, reason))
    # A cut file makes libvips seek past its end, once for every box that it looks for.
    telling = [line for line in lines if "bad seek" not in line]
    if telling:
        return ImageReadError(damaged(file, telling[0]))
    return ImageReadError(damaged(file, "its end is missing" if lines else "its header is wrong"))


def _with_blocks(image: pyvips.Image, blocks: dict[str, bytes]) -> pyvips.Image:
    """Add what libvips did not find in a file."""
    missing = {name: data for name, data in blocks.items() if not image.get_typeof(name)}
    if not missing:
        return image
    image = operate("copy", image)
    for name, data in missing.items():
        image.set_type(pyvips.GValue.blob_type, name, data)
    if "exif-data" in missing:
        image.set_type(
            pyvips.GValue.gint_type, "orientation", orientation_of(missing["exif-data"]) or 1
        )
    return image


def _vips_source(stream: BinaryIO) -> pyvips.Source:
    if isinstance(stream, io.BytesIO):
        return pyvips.Source.new_from_memory(stream.getvalue())
    # By descriptor: libvips then sees the very file that was examined, and never parses its name.
    os.lseek(stream.fileno(), 0, os.SEEK_SET)
    return pyvips.Source.new_from_descriptor(stream.fileno())
