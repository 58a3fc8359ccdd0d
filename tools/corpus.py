"""Hard pictures, drawn: formats, depths, kinds of colour and alpha, profiles, turns, odd sizes.

Run as `python tools/corpus.py FOLDER` to have them as files.
"""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms

SIZE = (48, 40)
"""Width and height of most of them."""


@dataclass(frozen=True, slots=True)
class Hard:
    """One picture of the corpus."""

    name: str
    data: bytes


def draw(*, channels: int = 3, top: int = 255, size: tuple[int, int] = SIZE) -> NDArray[np.uint16]:
    """Draw smooth colours that differ at every corner, so that a turn or a flip shows.

    Args:
        channels: Channels of the result.
        top: Highest value.
        size: Width and height.

    Returns:
        (H, W, channels) uint16.
    """
    across = np.linspace(0.1, 0.9, size[0])[None, :, None]
    down = np.linspace(0.2, 1, size[1])[:, None, None]
    shares = np.array([0.9, 0.5, 0.2, 1])[:channels]
    drawn: NDArray[np.uint16] = np.rint(
        across * down * top * shares + (1 - across) * 0.05 * top
    ).astype(np.uint16)
    return drawn


def hard_pictures() -> Iterator[Hard]:
    """Draw the whole corpus."""
    photo = Image.fromarray(draw().astype(np.uint8))
    yield from _formats(photo)
    yield from _depths()
    yield from _metadata(photo)
    yield from _sizes()


def _formats(photo: Image.Image) -> Iterator[Hard]:
    for format, suffix in (
        ("PNG", "png"),
        ("JPEG", "jpg"),
        ("WEBP", "webp"),
        ("TIFF", "tif"),
        ("AVIF", "avif"),
    ):
        options = {} if format in ("PNG", "TIFF") else {"quality": 95}
        yield _saved(f"rgb.{suffix}", photo, format, **options)
        yield _saved(f"grey.{suffix}", photo.convert("L"), format, **options)
        if format != "JPEG":
            alpha = Image.fromarray(draw(channels=1).astype(np.uint8)[..., 0])
            clear = photo.copy()
            clear.putalpha(alpha)
            yield _saved(f"alpha.{suffix}", clear, format, **options)
    clear = photo.convert("LA")
    clear.putalpha(photo.convert("L"))
    yield _saved("grey alpha.png", clear, "PNG")
    yield _saved("palette.png", photo.quantize(16), "PNG")
    yield _saved("palette clear.png", photo.quantize(16), "PNG", transparency=3)
    yield _saved("one bit.png", photo.convert("1"), "PNG")
    yield _saved("interlaced.gif", photo, "GIF")
    yield _saved("cmyk.jpg", photo.convert("CMYK"), "JPEG", quality=95)
    yield _saved("cmyk.tif", photo.convert("CMYK"), "TIFF")
    yield _saved("lab.tif", _to_lab(photo), "TIFF")
    yield _saved("progressive.jpg", photo, "JPEG", progressive=True)
    yield _saved("lzw.tif", photo, "TIFF", compression="tiff_lzw")


def _depths() -> Iterator[Hard]:
    for channels, kind in ((1, "grey"), (3, "rgb"), (4, "alpha")):
        samples = draw(channels=channels, top=65535)
        for suffix, operation in (("png", "pngsave_buffer"), ("tif", "tiffsave_buffer")):
            image = _vips(samples, "rgb16" if channels > 1 else "grey16")
            yield Hard(f"{kind} 16.{suffix}", bytes(getattr(image, operation)()))
    dark = _vips(draw(top=200), "rgb16")
    yield Hard("dark 16.png", bytes(dark.pngsave_buffer()))
    float_samples = (draw() / 255).astype(np.float32)
    yield Hard("rgb float.tif", bytes(_vips(float_samples, "srgb").tiffsave_buffer()))
    ten = _vips(draw(top=65535), "rgb16").heifsave_buffer(compression="av1", bitdepth=10, Q=95)
    yield Hard("rgb 10.avif", bytes(ten))


def _metadata(photo: Image.Image) -> Iterator[Hard]:
    for orientation in range(1, 9):
        exif = camera_exif(orientation)
        yield _saved(f"turned {orientation}.jpg", photo, "JPEG", exif=exif, dpi=(300, 150))
    exif = camera_exif(1)
    for suffix, format in (("png", "PNG"), ("webp", "WEBP"), ("tif", "TIFF"), ("avif", "AVIF")):
        dpi = {"dpi": (300, 150)} if format in ("PNG", "TIFF") else {}
        yield _saved(f"exif.{suffix}", photo, format, exif=exif, **dpi)
    wide = wide_profile()
    for suffix, format in (
        ("png", "PNG"),
        ("jpg", "JPEG"),
        ("webp", "WEBP"),
        ("tif", "TIFF"),
        ("avif", "AVIF"),
    ):
        yield _saved(f"wide.{suffix}", photo, format, icc_profile=wide)


def camera_exif(orientation: int) -> bytes:
    """Make EXIF with a camera, a date and a place."""
    exif = Image.Exif()
    exif[0x112] = orientation
    exif[0x10F] = "Camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 31.0, 12.25)
    return exif.tobytes()


def _sizes() -> Iterator[Hard]:
    for size in ((1, 1), (1, 37), (41, 1), (2, 2), (3, 257), (13, 17), (259, 5)):
        photo = Image.fromarray(draw(size=size).astype(np.uint8))
        yield _saved(f"{size[0]}x{size[1]}.png", photo, "PNG")
        yield _saved(f"{size[0]}x{size[1]}.jpg", photo, "JPEG", quality=95)


def wide_profile() -> bytes:
    """Make a profile of three channels that is not sRGB: red and green are swapped."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    red, green = (profile[i + 4 : i + 12] for i in at)
    swapped = bytearray(profile)
    swapped[at[0] + 4 : at[0] + 12], swapped[at[1] + 4 : at[1] + 12] = green, red
    return bytes(swapped)


def _to_lab(photo: Image.Image) -> Image.Image:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    changed = ImageCms.profileToProfile(photo, srgb, lab, outputMode="LAB")
    assert changed is not None  # noqa: S101 - it is only where the picture itself is changed
    return changed


def _saved(name: str, image: Image.Image, format: str, **options: object) -> Hard:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return Hard(name, stream.getvalue())


def _vips(samples: NDArray[np.generic], interpretation: str) -> pyvips.Image:
    return pyvips.Image.new_from_array(samples).copy(interpretation=interpretation)


def main(words: list[str]) -> int:
    """Write the corpus into a folder."""
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    for hard in hard_pictures():
        (folder / hard.name).write_bytes(hard.data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
