"""Rows become the bytes of a picture file while they are made, whatever the format."""

import threading
from typing import Any

import numpy as np
import pyvips

from pixelift.image import iptc, metadata
from pixelift.image.ahead import Channel, give_way
from pixelift.image.depth import to_float
from pixelift.image.formats import Format
from pixelift.image.raw_tiff import RawTiff
from pixelift.image.rows import Header, Rows, Samples, as_type
from pixelift.image.vips import operate

FULL_CHROMA_QUALITY = 90
"""From this quality on, colour is kept at full resolution."""

_TYPES: dict[int, np.dtype[Any]] = {
    8: np.dtype(np.uint8),
    10: np.dtype(np.uint16),
    16: np.dtype(np.uint16),
    32: np.dtype(np.float32),
}
_MILLIMETRES_PER_INCH = 25.4
# What EXIF says of a picture whose resolution is not known.
_UNKNOWN_DPI = 72.0
# Classic TIFF counts bytes in 32 bits; pixels in float, with room for alpha, must stay below.
_CLASSIC_TIFF_BYTES = 3_000_000_000


def sample_type(header: Header, fmt: Format) -> np.dtype[Any]:
    """Tell which samples a format is best given: of these nothing is rounded twice.

    Args:
        header: The picture's header.
        fmt: The format that it is written in.

    Returns:
        uint8, uint16 or float32.
    """
    is_flattened = header.has_alpha and not fmt.has_alpha
    return _TYPES[32 if is_flattened else _depth(header, fmt)]


def encode(
    rows: Rows,
    fmt: Format,
    target: pyvips.Target,
    *,
    quality: int | None,
    gives_way: bool = False,
) -> None:
    """Write rows into a target while they are made; encoding runs in a thread of its own.

    Args:
        rows: The picture; its depth is kept where the format can hold it.
        fmt: The format.
        target: Where the bytes go.
        quality: 1 to 100 for formats that have one; None for the format's own.
        gives_way: Whether encoding takes only what the other threads leave of the processor.

    Raises:
        pyvips.Error: The format can not hold it, or the target takes no more bytes.
    """
    header = rows.header
    depth = _depth(header, fmt)
    bands = header.channels + (header.has_alpha and fmt.has_alpha)
    channel: Channel[Samples] = Channel(1)
    raw = RawTiff(header.size, bands=bands, dtype=_TYPES[depth], ask=channel.take)
    image = _described(raw.open(), header, fmt, depth)
    problems: list[BaseException] = []

    def save() -> None:
        try:
            if gives_way:
                give_way()
            options = _options(fmt, depth, quality, header)
            kept = _kept(header)
            operate(fmt.operation + "save_target", image, target, keep=kept, **options)
        except BaseException as problem:  # noqa: BLE001 - raised in the thread that makes the rows
            problems.append(problem)
        finally:
            channel.close(drop=True)

    thread = threading.Thread(target=save, name="pixelift-encode", daemon=True)
    thread.start()
    try:
        for band in rows.bands:
            is_taken = channel.put(_quantised(band, header, fmt, depth))
            # The name would keep these rows in memory while the next ones are made.
            del band
            if not is_taken:
                break
        channel.close()
    finally:
        if not channel.is_closed:
            channel.close(drop=True)
        thread.join()
    if problems:
        raise problems[0]


def _depth(header: Header, fmt: Format) -> int:
    return max((depth for depth in fmt.depths if depth <= header.depth), default=8)


def _kept(header: Header) -> str:
    is_described = bool(header.exif) or metadata.believable_dpi(header.dpi) is not None
    return "exif:icc:xmp:iptc" if is_described else "icc:xmp:iptc"


def _options(
    fmt: Format, depth: int, quality: int | None, header: Header
) -> dict[str, int | str | bool]:
    quality = quality or fmt.default_quality or 100
    chroma = "off" if quality >= FULL_CHROMA_QUALITY else "on"
    match fmt.name:
        case "png":
            # A filter makes photos a fifth smaller, and level 3 is as small as 6 with it.
            return {"bitdepth": depth, "filter": "paeth", "compression": 3}
        case "jpeg":
            # Optimal codes would save 2 % of the file, take three times as long and hold the whole
            # picture in memory.
            return {"Q": quality, "subsample_mode": chroma, "optimize_coding": False}
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
                "bigtiff": header.size.pixels * header.channels * 4 > _CLASSIC_TIFF_BYTES,
            }


def _described(image: pyvips.Image, header: Header, fmt: Format, depth: int) -> pyvips.Image:
    across, down = metadata.believable_dpi(header.dpi) or (_UNKNOWN_DPI, _UNKNOWN_DPI)
    grey, colour = ("b-w", "srgb") if depth in (8, 32) else ("grey16", "rgb16")
    is_grey = header.channels == 1
    image = operate(
        "copy",
        image,
        interpretation=grey if is_grey else colour,
        xres=across / _MILLIMETRES_PER_INCH,
        yres=down / _MILLIMETRES_PER_INCH,
    )
    blob = pyvips.GValue.blob_type
    if header.exif:
        image.set_type(blob, "exif-data", header.exif)
    # PNG and TIFF get from `write` what libvips would put into them wrongly.
    if header.xmp and fmt.name != "png":
        image.set_type(blob, "xmp-data", header.xmp)
    if header.iptc and fmt.name == "jpeg":
        image.set_type(blob, "iptc-data", iptc.wrapped(header.iptc))
    if header.icc is not None and metadata.icc_channels(header.icc) == header.channels:
        image.set_type(blob, "icc-profile-data", header.icc)
        if is_grey and not fmt.has_grey:
            # A grey profile does not fit the three channels that the file will have.
            narrow = 8 if depth == 8 else 16
            image = operate("icc_transform", image, "srgb", embedded=True, depth=narrow)
    return image


def _quantised(band: Samples, header: Header, fmt: Format, depth: int) -> Samples:
    if header.has_alpha and not fmt.has_alpha:
        values = to_float(band)
        cover = values[..., -1:]
        # Transparency becomes white.
        band = values[..., :-1] * cover + (1 - cover)
    if depth == 32:
        return np.clip(as_type(band, np.dtype(np.float32)), 0, 1)
    samples = as_type(band, _TYPES[depth])
    if depth != 10:
        return samples
    # libvips cuts off the low six bits for a 10-bit file; rounding must come first.
    ten = (samples.astype(np.uint32) * 1023 + 32767) // 65535
    return ten.astype(np.uint16) << np.uint16(6)
