"""A Picture becomes a file or bytes: whole under its final name, or not at all."""

import dataclasses
import errno
import io
from pathlib import Path
from typing import BinaryIO

import pyvips

from pixelift.atomic import replacing
from pixelift.errors import ImageWriteError
from pixelift.image import formats, metadata
from pixelift.image.encode import encode
from pixelift.image.exif import fitting_exif
from pixelift.image.formats import Format
from pixelift.image.geometry import Size
from pixelift.image.picture import Picture
from pixelift.image.png_text import add_texts
from pixelift.image.rows import Header, Rows, picture_rows
from pixelift.image.shown import quoted, shown
from pixelift.image.source import FilePath
from pixelift.image.tiff_exif import add_exif
from pixelift.image.xmp import fitting_xmp


def write_picture(
    picture: Picture,
    path: FilePath,
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
    return write_rows(
        picture_rows(picture), path, format=format, quality=quality, overwrite=overwrite
    )


def write_rows(
    rows: Rows,
    path: FilePath,
    *,
    format: str | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    gives_way: bool = False,
) -> Path:
    """Write rows to a file while they are made; the file appears whole or not at all.

    PNG, JPEG and TIFF are encoded from top to bottom; WebP and AVIF need the whole picture, which
    libvips then holds in memory.

    Args:
        rows: The picture; used up by it.
        path: As for `write_picture`.
        format: As for `write_picture`.
        quality: As for `write_picture`.
        overwrite: As for `write_picture`.
        gives_way: Whether encoding takes only what other threads leave of the processor: for who
            has the next picture in work meanwhile.

    Returns:
        The path that was written.

    Raises:
        ImageWriteError: As for `write_picture`; and whatever goes wrong where the rows are made.
    """
    rows = _fitting(rows)
    path = Path(path)
    name = quoted(path)
    fmt = _choose(name, format, path)
    _check(rows.header.size, fmt, quality, name)
    try:
        _refuse_occupied(path, overwrite=overwrite)
        with (
            replacing(path, durable=True, unique=True, overwrite=overwrite) as hidden,
            hidden.open("x+b") as stream,
        ):
            target = pyvips.Target.new_to_descriptor(stream.fileno())
            try:
                encode(rows, fmt, target, quality=quality, gives_way=gives_way)
            except pyvips.Error:
                _ask_the_disk(stream)
                raise
            _finish(stream, rows.header, fmt)
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
    return encode_rows(picture_rows(picture), format, quality=quality)


def encode_rows(rows: Rows, format: str, *, quality: int | None = None) -> bytes:
    """Make the bytes of a picture file from rows while they are made.

    Args:
        rows: The picture; used up by it.
        format: As for `encode_picture`.
        quality: As for `write_picture`.

    Returns:
        The bytes of the file.

    Raises:
        ImageWriteError: The format is unknown or can not hold the picture.
    """
    rows = _fitting(rows)
    fmt = _choose("the picture", format, None)
    _check(rows.header.size, fmt, quality, "the picture")
    target = pyvips.Target.new_to_memory()
    try:
        encode(rows, fmt, target, quality=quality)
    except pyvips.Error as err:
        raise ImageWriteError(f"cannot write the picture: {_vips_reason(err)}") from err
    stream = io.BytesIO(bytes(target.get("blob")))
    _finish(stream, rows.header, fmt)
    return stream.getvalue()


def _fitting(rows: Rows) -> Rows:
    """Make what goes with the pixels fit a picture of this size."""
    header = rows.header
    fitting = dataclasses.replace(
        header,
        exif=fitting_exif(header.exif, header.size) if header.exif else None,
        xmp=fitting_xmp(header.xmp, header.size) if header.xmp else None,
    )
    return Rows(fitting, rows.bands)


def _finish(stream: BinaryIO, header: Header, fmt: Format) -> None:
    """Do to a file what libvips leaves undone."""
    metadata.correct_dpi(stream, fmt.name, metadata.believable_dpi(header.dpi))
    if fmt.name == "tiff":
        add_exif(stream, header.exif, iptc=header.iptc)
    elif fmt.name == "png":
        add_texts(stream, header.texts, xmp=header.xmp, iptc=header.iptc)


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


def _check(size: Size, fmt: Format, quality: int | None, name: str) -> None:
    if quality is not None and not 1 <= quality <= 100:
        raise ImageWriteError(
            f"cannot write {name}: the quality is {quality}; allowed is 1 (small) to 100 (good). "
            f"Leave it out for {fmt.default_quality or 100}."
        )
    side = max(size.height, size.width)
    if fmt.max_side is not None and side > fmt.max_side:
        raise ImageWriteError(
            f"cannot write {name}: it is {size}; {fmt.label} holds at most "
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


def _ask_the_disk(stream: BinaryIO) -> None:
    """Raise what the system has against more bytes: libvips may have lost what it was told."""
    stream.seek(0, io.SEEK_END)
    stream.write(bytes(io.DEFAULT_BUFFER_SIZE))
    stream.flush()


def _reason(err: OSError, path: Path) -> str:
    folder = shown(path.parent)
    if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f'no permission to write into "{folder}". Choose another folder.'
    if not path.parent.is_dir():
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
