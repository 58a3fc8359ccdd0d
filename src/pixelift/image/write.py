"""A Picture becomes a file or bytes: whole under its final name, or not at all."""

import errno
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixelift.errors import ImageWriteError
from pixelift.image import formats, metadata
from pixelift.image.depth import to_u8, to_u16
from pixelift.image.formats import Format
from pixelift.image.picture import Picture

FULL_CHROMA_QUALITY = 90
"""From this quality on, colour is kept at full resolution."""

_BAND_ROWS = 256
_VIPS_TYPES = {8: "uchar", 10: "ushort", 16: "ushort", 32: "float"}
_MILLIMETRES_PER_INCH = 25.4
# What EXIF says of a picture whose resolution is not known.
_UNKNOWN_DPI = 72.0
# Classic TIFF counts bytes in 32 bits; pixels in float, with room for alpha, must stay below.
_CLASSIC_TIFF_BYTES = 3_000_000_000


def write_picture(
    picture: Picture,
    path: Path | str,
    *,
    format: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a picture to a file, which appears whole or not at all.

    It is written beside its place under a hidden name and then renamed, so nobody ever sees half
    a picture, and a failure leaves the folder as it was.

    Args:
        picture: The picture. Its depth is kept where the format can hold it; what a format can
            not hold is left out, and transparency becomes white in JPEG.
        path: Where to write; the folder must exist.
        format: "png", "jpeg", "webp", "tiff" or "avif"; None takes it from the suffix of `path`.
        quality: 1 to 100 for JPEG (92), WebP (90) and AVIF (85); the others are lossless.
        overwrite: Replace a file that is there already.

    Returns:
        The path that was written.

    Raises:
        ImageWriteError: Unknown format, existing file, no folder, no permission or no space.
    """
    path = Path(path)
    name = '"' + str(path).replace("\n", "\\n") + '"'
    fmt = _choose(name, format, path)
    _check(picture, fmt, quality, name)
    try:
        _refuse_occupied(path, overwrite=overwrite)
        with _hidden_file(path) as (stream, hidden):
            target = pyvips.Target.new_to_descriptor(stream.fileno())
            _save(picture, fmt, quality, target)
            metadata.correct_dpi(stream, fmt.name, metadata.believable_dpi(picture.dpi))
            stream.close()
            _move(hidden, path, overwrite=overwrite)
    except FileExistsError as err:
        raise ImageWriteError(
            f"cannot write {name}: it exists already. Choose another name, or say overwrite."
        ) from err
    except OSError as err:
        raise ImageWriteError(f"cannot write {name}: {_reason(err, path)}") from err
    except pyvips.Error as err:
        raise ImageWriteError(f"cannot write {name}: {_vips_reason(err)}") from err
    return path


def encode_picture(picture: Picture, format: str, *, quality: int | None = None) -> bytes:
    """Make the bytes of a picture file, the same that `write_picture` would write.

    Args:
        picture: The picture.
        format: "png", "jpeg", "webp", "tiff" or "avif".
        quality: As for `write_picture`.

    Returns:
        The bytes of the file.

    Raises:
        ImageWriteError: The format is unknown or can not hold the picture.
    """
    fmt = _choose("the picture", format, None)
    _check(picture, fmt, quality, "the picture")
    target = pyvips.Target.new_to_memory()
    try:
        _save(picture, fmt, quality, target)
    except pyvips.Error as err:
        raise ImageWriteError(f"cannot write the picture: {_vips_reason(err)}") from err
    stream = io.BytesIO(bytes(target.get("blob")))
    metadata.correct_dpi(stream, fmt.name, metadata.believable_dpi(picture.dpi))
    return stream.getvalue()


def _choose(name: str, format: str | None, path: Path | None) -> Format:
    fmt = formats.find_writable(format, path)
    if fmt is not None:
        return fmt
    if format is not None:
        known = ", ".join(fmt.name for fmt in formats.WRITABLE)
        raise ImageWriteError(
            f'cannot write {name}: "{format}" is no format that is written; allowed are {known}. '
            "Give one of them."
        )
    suffix = path.suffix if path is not None else ""
    what = f'the suffix "{suffix}" is of no format that is written' if suffix else "no suffix"
    raise ImageWriteError(
        f"cannot write {name}: {what}; allowed are {formats.writable_suffixes()}. "
        "Change the name, or give a format."
    )


def _check(picture: Picture, fmt: Format, quality: int | None, name: str) -> None:
    if quality is not None and not 1 <= quality <= 100:
        raise ImageWriteError(
            f"cannot write {name}: the quality is {quality}; allowed is 1 (small) to 100 (good). "
            f"Leave it out for {fmt.default_quality or 100}."
        )
    side = max(picture.size.height, picture.size.width)
    if fmt.max_side is not None and side > fmt.max_side:
        raise ImageWriteError(
            f"cannot write {name}: it is {picture.size}; {fmt.label} holds at most "
            f"{fmt.max_side} pixels a side. Write PNG or TIFF instead."
        )


def _refuse_occupied(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    is_there = path.exists() or path.is_symlink()
    if is_there and not overwrite:
        raise FileExistsError
    if is_there and not path.is_file():
        # A rename would put a file in the place of the device, /dev/null for one.
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file")


@contextmanager
def _hidden_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    hidden = path.with_name(f".pixelift-{secrets.token_hex(8)}{path.suffix}")
    try:
        with hidden.open("x+b") as stream:
            yield stream, hidden
    finally:
        # Also after a KeyboardInterrupt. An error here would hide the one that brought us here.
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


def _move(hidden: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        hidden.replace(path)
        return
    try:
        # Unlike a rename, a link never replaces what somebody else wrote in the meantime.
        path.hardlink_to(hidden)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems, FAT for one, know no links.
        if path.exists():
            raise FileExistsError from None
        hidden.rename(path)


def _reason(err: OSError, path: Path) -> str:
    folder = path.parent
    if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f'no permission to write into "{folder}". Choose another folder.'
    if not folder.is_dir():
        return f'there is no folder "{folder}". Create it first: mkdir -p "{folder}"'
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space, or choose another folder."
    return f"{err.strerror or err}. Choose another name or folder."


def _vips_reason(err: pyvips.Error) -> str:
    lines = [line.strip() for line in err.detail.splitlines() if line.strip()]
    system = [line.removeprefix("system error: ") for line in lines if "system error: " in line]
    if system and "No space" in system[0]:
        return "the disk is full. Free some space, or choose another folder."
    if system:
        return f"{system[0]}. Choose another folder."
    return f"{lines[0] if lines else err.message}. Try PNG or TIFF instead."


def _save(picture: Picture, fmt: Format, quality: int | None, target: pyvips.Target) -> None:
    depth = max((depth for depth in fmt.depths if depth <= picture.depth), default=8)
    image = _vips_image(picture, fmt, depth)
    is_described = bool(picture.exif) or metadata.believable_dpi(picture.dpi) is not None
    save = getattr(image, fmt.operation + "save_target")
    save(
        target,
        keep="exif:icc" if fmt.has_exif and is_described else "icc",
        **_options(fmt, depth, quality or fmt.default_quality or 100, picture),
    )


def _options(
    fmt: Format, depth: int, quality: int, picture: Picture
) -> dict[str, int | str | bool]:
    chroma = "off" if quality >= FULL_CHROMA_QUALITY else "on"
    match fmt.name:
        case "png":
            # A filter makes photos a fifth smaller, and level 3 is as small as 6 with it.
            return {"bitdepth": depth, "filter": "paeth", "compression": 3}
        case "jpeg":
            return {"Q": quality, "subsample_mode": chroma, "optimize_coding": True}
        case "webp":
            # WebP always halves the colour; this halves it with care for edges.
            return {"Q": quality, "smart_subsample": True}
        case "avif":
            return {
                "Q": quality,
                "subsample_mode": chroma,
                "compression": "av1",
                "bitdepth": depth,
                # libvips' own choice, 4, takes nine times as long for a hundredth of the size.
                "effort": 2,
            }
        case _:
            return {
                "compression": "deflate",
                "predictor": "float" if depth == 32 else "horizontal",
                "resunit": "inch",
                "bigtiff": picture.pixels.nbytes > _CLASSIC_TIFF_BYTES,
            }


def _vips_image(picture: Picture, fmt: Format, depth: int) -> pyvips.Image:
    samples = _samples(picture, depth, keeps_alpha=fmt.has_alpha)
    height, width, bands = samples.shape
    image = pyvips.Image.new_from_memory(samples, width, height, bands, _VIPS_TYPES[depth])
    across, down = metadata.believable_dpi(picture.dpi) or (_UNKNOWN_DPI, _UNKNOWN_DPI)
    grey, colour = ("b-w", "srgb") if depth in (8, 32) else ("grey16", "rgb16")
    image = image.copy(
        interpretation=grey if picture.is_grey else colour,
        xres=across / _MILLIMETRES_PER_INCH,
        yres=down / _MILLIMETRES_PER_INCH,
    )
    blob = pyvips.GValue.blob_type
    if picture.exif:
        image.set_type(blob, "exif-data", picture.exif)
    if picture.icc is not None and metadata.icc_channels(picture.icc) == picture.pixels.shape[2]:
        image.set_type(blob, "icc-profile-data", picture.icc)
        if picture.is_grey and not fmt.has_grey:
            # A grey profile does not fit the three channels that the file will have.
            image = image.icc_transform("srgb", embedded=True, depth=8 if depth == 8 else 16)
    return image


def _samples(picture: Picture, depth: int, *, keeps_alpha: bool) -> NDArray[np.generic]:
    """Interleave pixels and alpha in the type of the file, some rows at a time to save memory."""
    alpha = picture.alpha
    channels = picture.pixels.shape[2]
    bands = channels + (alpha is not None and keeps_alpha)
    dtype = {8: np.uint8, 10: np.uint16, 16: np.uint16, 32: np.float32}[depth]
    samples = np.empty((*picture.pixels.shape[:2], bands), dtype)
    for top in range(0, len(samples), _BAND_ROWS):
        rows = slice(top, top + _BAND_ROWS)
        pixels = picture.pixels[rows]
        if alpha is not None and keeps_alpha:
            samples[rows, :, channels] = _quantised(alpha[rows], depth)
        elif alpha is not None:
            cover = alpha[rows, :, None]
            pixels = pixels * cover + (1 - cover)
        samples[rows, :, :channels] = _quantised(pixels, depth)
    return samples


def _quantised(values: NDArray[np.float32], depth: int) -> NDArray[np.generic]:
    if depth == 8:
        return to_u8(values)
    if depth == 32:
        return np.clip(values, 0, 1)
    sixteen = to_u16(values)
    if depth == 16:
        return sixteen
    # libvips cuts off the low six bits for a 10-bit file; rounding must come first.
    ten: NDArray[np.uint16] = ((sixteen.astype(np.uint32) * 1023 + 32767) // 65535).astype(
        np.uint16
    )
    return ten << np.uint16(6)
