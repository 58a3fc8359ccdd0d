"""What is carried along beside the pixels: taken from a file, and made to fit what was read."""

from typing import TypedDict

import pyvips

from pixelift.image import iptc, metadata
from pixelift.image.exif import upright_exif
from pixelift.image.geometry import Size
from pixelift.image.png_text import read_texts
from pixelift.image.source import PictureFile
from pixelift.image.tiff_exif import read_tiff_exif, read_tiff_iptc
from pixelift.image.xmp import fitting_xmp


class Carried(TypedDict):
    """Fields that a `Picture` and a `Header` have in common."""

    exif: bytes | None
    xmp: bytes | None
    iptc: bytes | None
    texts: tuple[bytes, ...]
    dpi: tuple[float, float] | None


def carried(image: pyvips.Image, file: PictureFile, *, size: Size, turn: int) -> Carried:
    """Take from a file what it says of its picture.

    Args:
        image: What `decode.load` returned.
        file: The file; its stream is left at another place.
        size: Size of the picture once it stands upright.
        turn: The dihedral transform that sets it upright; 0 for one that stands already.

    Returns:
        The fields.
    """
    exif = _exif_of(image, file)
    xmp = _blob(image, "xmp-data")
    resources = _iptc_of(image, file)
    return Carried(
        exif=None if exif is None else upright_exif(exif),
        xmp=None if xmp is None else fitting_xmp(xmp, size, was_turned=bool(turn)),
        iptc=None if resources is None else iptc.unwrapped(resources),
        texts=read_texts(file.stream) if file.format.name == "png" else (),
        dpi=_dpi_of(file, exif, turn),
    )


def _exif_of(image: pyvips.Image, file: PictureFile) -> bytes | None:
    """Take the EXIF block of a file as it lies there; of TIFF it is put together."""
    if file.format.name == "tiff":
        return read_tiff_exif(file.stream)
    return _blob(image, "exif-data")


def _iptc_of(image: pyvips.Image, file: PictureFile) -> bytes | None:
    return read_tiff_iptc(file.stream) if file.format.name == "tiff" else _blob(image, "iptc-data")


def _dpi_of(file: PictureFile, exif: bytes | None, turn: int) -> tuple[float, float] | None:
    """Take the resolution of a file: across and down, once it stands upright."""
    dpi = metadata.stated_dpi(file.stream, file.format.name, exif)
    return dpi[::-1] if dpi is not None and turn & 4 else dpi


def _blob(image: pyvips.Image, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None
