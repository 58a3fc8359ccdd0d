"""The picture formats: how each is recognised, named, and what it can hold."""

from dataclasses import dataclass
from pathlib import PurePath

HEAD_BYTES = 64
"""How much of a file's beginning `sniff` wants to see."""


@dataclass(frozen=True, slots=True)
class Format:
    """One picture format. The flags say what a file of it can hold when Pixelift writes it."""

    name: str
    label: str
    operation: str
    """Stem of the libvips operations: "jpeg" stands for jpegload_source and jpegsave_target."""

    suffixes: tuple[str, ...]
    """The first one is the usual one."""

    depths: tuple[int, ...] = ()
    """Bits per channel it is written with; empty: it is only read."""

    default_quality: int | None = None
    """None: lossless, and a quality that is given changes nothing."""

    max_side: int | None = None
    has_alpha: bool = True
    has_grey: bool = True
    streams: bool = True
    """Whether it is encoded from top to bottom, with little memory for a picture of any size."""


FORMATS = {
    fmt.name: fmt
    for fmt in (
        Format("png", "PNG", "png", (".png",), depths=(8, 16)),
        Format(
            "jpeg",
            "JPEG",
            "jpeg",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            depths=(8,),
            default_quality=92,
            max_side=65_500,
            has_alpha=False,
        ),
        Format(
            "webp",
            "WebP",
            "webp",
            (".webp",),
            depths=(8,),
            default_quality=90,
            max_side=16_383,
            has_grey=False,
            streams=False,
        ),
        Format("tiff", "TIFF", "tiff", (".tif", ".tiff"), depths=(8, 16, 32)),
        # 10 bits for deeper pictures: every AV1 decoder must know it, 12 bits only some do.
        Format(
            "avif",
            "AVIF",
            "heif",
            (".avif",),
            depths=(8, 10),
            default_quality=85,
            max_side=16_384,
            has_grey=False,
            streams=False,
        ),
        Format("gif", "GIF", "gif", (".gif",), has_grey=False),
    )
}

WRITABLE = tuple(fmt for fmt in FORMATS.values() if fmt.depths)

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)

# What phones make: the container of AVIF, but the libvips of pyvips[binary] has no decoder for what
# is inside (HEVC). A container that names no codec can only be read when it holds AV1.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_BARE_BRANDS = (b"mif1", b"mif2", b"msf1")
_SEQUENCE_BRANDS = (b"avis", b"msf1")

# Pictures that people do have and that are not read: their name helps more than "not a picture".
_OTHERS = (
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"%PDF", "PDF"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIU\0", "camera raw"),
)


def readable_labels() -> str:
    """Name the formats that are read, for messages."""
    return ", ".join(fmt.label for fmt in FORMATS.values())


def writable_suffixes() -> str:
    """Name the suffixes that are written, for messages."""
    return ", ".join(suffix for fmt in WRITABLE for suffix in fmt.suffixes)


def sniff(head: bytes) -> Format | None:
    """Recognise a format by the first bytes of a file; its name is not asked.

    Args:
        head: The first `HEAD_BYTES` of the file, or all of a shorter one.

    Returns:
        The format; None for anything that is not read.

    Example:
        >>> sniff(b"GIF89a...").label
        'GIF'
    """
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return FORMATS[name]
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FORMATS["webp"]
    brands = _brands(head)
    if b"avif" in brands or brands[:1] == [b"avis"]:
        return FORMATS["avif"]
    is_bare = any(brand in _BARE_BRANDS for brand in brands) and not _is_heic(brands)
    return FORMATS["avif"] if is_bare else None


def sniff_other(head: bytes) -> str | None:
    """Name a format that is known but not read, for the message that refuses it."""
    for magic, label in _OTHERS:
        if head.startswith(magic):
            return label
    if b"<svg" in head.lower():
        return "SVG"
    brands = _brands(head)
    if _is_heic(brands):
        return "HEIC"
    return "camera raw" if brands[:1] == [b"crx "] else None


def is_film(head: bytes) -> bool:
    """Say whether a file that is not read is a film: MP4 and its kin, MKV, WebM or AVI.

    Args:
        head: The first `HEAD_BYTES` of the file, or all of a shorter one.

    Returns:
        Whether it is.

    Example:
        >>> is_film(b"RIFF....AVI LIST")
        True
    """
    is_avi = head.startswith(b"RIFF") and head[8:12] == b"AVI "
    is_mp4 = bool(_brands(head)) and sniff_other(head) is None
    return is_avi or is_mp4 or head.startswith(b"\x1aE\xdf\xa3")


def is_image_sequence(head: bytes) -> bool:
    """Say whether an AVIF file is first of all a film; libvips does not open those."""
    return _brands(head)[:1] in ([brand] for brand in _SEQUENCE_BRANDS)


def find_writable(name: str | None, path: PurePath | None) -> Format | None:
    """Find the format to write: by its name where one is given, else by the path's suffix.

    Args:
        name: A name such as "jpeg" or "jpg", in any case, with or without a leading dot.
        path: Where the picture goes.

    Returns:
        The format; None where it is unknown or is not written.

    Example:
        >>> find_writable(None, PurePath("holiday.JPG")).name
        'jpeg'
    """
    wanted = (name if name is not None else path.suffix if path is not None else "").lower()
    wanted = "." + wanted.removeprefix(".")
    for fmt in WRITABLE:
        if wanted == "." + fmt.name or wanted in fmt.suffixes:
            return fmt
    return None


def _is_heic(brands: list[bytes]) -> bool:
    return any(brand in _HEIC_BRANDS for brand in brands)


def _brands(head: bytes) -> list[bytes]:
    # An ISO media file opens with the box "ftyp": its length, a main brand, a version, then brands.
    if head[4:8] != b"ftyp":
        return []
    end = min(len(head), int.from_bytes(head[:4], "big"))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]
