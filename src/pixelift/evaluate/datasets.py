"""Finding the true pictures (HR) to measure with, and the small ones (LR) that belong to them."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import DatasetError, WrongDatasetError
from pixelift.image.depth import to_u8
from pixelift.image.find import PICTURE_SUFFIXES, Found, search
from pixelift.image.read import read_picture
from pixelift.image.resize import downscale, modcrop
from pixelift.image.shown import quoted, shown


@dataclass(frozen=True, slots=True)
class Source:
    """One picture of a set: its name and where its files are."""

    name: str
    """File name without its ending; with it where two files of a set differ only in that."""
    hr: Path
    """The true picture."""
    lr_folder: Path | None = None
    """Where its LR picture lies; without it LR is made from HR."""
    why_not: str = ""
    """What is to be said of it where it is no file, and so must not be opened."""


def find_sources(hr: Path, *, scale: int, lr: Path | None = None) -> list[Source]:
    """List the pictures of a set, sorted by name.

    Only the folder itself is searched, since sets keep pictures of other sizes in folders beside.

    Args:
        hr: Folder of true pictures.
        scale: HR pixels per LR pixel.
        lr: Folder of LR pictures, or one that has them in a folder `X2`, `X3`, ... for each scale.

    Returns:
        One source for each picture in `hr`.

    Raises:
        WrongDatasetError: A folder is missing, or there is no picture in `hr`.
    """
    found = _look_into(hr, "--hr")
    paths = [path for path in found.pictures if path.parent == hr]
    unseen = {u.path: str(u) for u in found.unseen if u.path.parent == hr and not u.is_folder}
    if not paths and not unseen:
        inner = sorted({path.parent for path in found.pictures})
        hint = "Give a folder of pictures: --hr DIR"
        if inner:
            hint = f"Did you mean --hr {shown(inner[0])}?"
        raise WrongDatasetError(f"no pictures in {shown(hr)}. {hint}")
    if lr is not None:
        _look_into(lr, "--lr")
        of_scale = lr / f"X{scale}"
        lr = of_scale if of_scale.is_dir() else lr
        _look_into(lr, "--lr")
    paths = sorted([*paths, *unseen])
    stems = Counter(path.stem for path in paths)
    return [
        Source(p.stem if stems[p.stem] == 1 else p.name, p, lr, unseen.get(p, "")) for p in paths
    ]


def load_pair(source: Source, *, scale: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read a picture of a set and what a model is to make it from.

    Grey files are taken as RGB with three equal channels, as the networks' published figures
    were (Set14's `bridge` is one): the models see RGB, and Y is made from RGB. Alpha is ignored,
    and deeper pictures are rounded to 8 bits, because the field's LR pictures are made from 8.

    Args:
        source: The picture, from `find_sources`.
        scale: HR pixels per LR pixel.

    Returns:
        LR (h, w, 3) and HR (h * scale, w * scale, 3), both uint8 RGB. HR is cut on the right and
        below to a multiple of the scale; LR is read, or is MATLAB's bicubic of that HR.

    Raises:
        ImageReadError: A file cannot be read.
        DatasetError: It is no file; or there is no LR picture of this name, or it has not the size
            that it must.
        ShapeError: The picture is smaller than the scale.
    """
    if source.why_not:
        raise DatasetError(source.why_not)
    hr_u8 = modcrop(_read_rgb(source.hr), scale)
    if source.lr_folder is None:
        return downscale(hr_u8, scale), hr_u8
    path = _find_lr(source.hr, source.lr_folder, scale)
    lr_u8 = _read_rgb(path)
    if (lr_u8.shape[0] * scale, lr_u8.shape[1] * scale) != hr_u8.shape[:2]:
        raise DatasetError(
            f"{shown(path)} is {lr_u8.shape[1]}x{lr_u8.shape[0]}, but {shown(source.hr.name)} at "
            f"scale {scale} needs {hr_u8.shape[1] // scale}x{hr_u8.shape[0] // scale}. Give the "
            "--lr folder of this scale, or leave --lr out to have LR pictures made"
        )
    return lr_u8, hr_u8


def hash_sources(sources: Sequence[Source]) -> str:
    """Hash the names and bytes of the true pictures, so that a number says what it was taken on.

    Files that cannot be read are left out of it: the measuring says that they are bad.

    Args:
        sources: The pictures of a set.

    Returns:
        SHA-256 in hexadecimal digits.
    """
    digest = hashlib.sha256()
    for source in sources:
        try:
            data = None if source.why_not else source.hr.read_bytes()
        except OSError:
            data = None
        content = "unreadable" if data is None else hashlib.sha256(data).hexdigest()
        digest.update(os.fsencode(f"{source.hr.name} {content}\n"))
    return digest.hexdigest()


def _look_into(folder: Path, option: str) -> Found:
    if not folder.is_dir():
        kind = "is a file" if folder.exists() else "does not exist"
        raise WrongDatasetError(f"{shown(folder)} {kind}. Give a folder of pictures: {option} DIR")
    found = search(folder)
    for unseen in found.unseen:
        if unseen.path == folder:
            raise WrongDatasetError(str(unseen))
    return found


def _find_lr(hr: Path, folder: Path, scale: int) -> Path:
    stems = (hr.stem, f"{hr.stem}x{scale}")
    for stem in stems:
        for suffix in (hr.suffix, *sorted(PICTURE_SUFFIXES)):
            path = folder / f"{stem}{suffix}"
            if path.is_file():
                return path
    raise DatasetError(
        f"no LR picture of {quoted(hr.stem)} in {shown(folder)}; "
        f"its name must be {shown(' or '.join(stems))}, "
        "with the ending of a picture"
    )


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    pixels = to_u8(read_picture(path).pixels)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
