"""The prepared training set on disk: its layout, its manifest, and how it is opened and checked.

DATASET/
├── manifest.json              settings, pictures with checksums and licences, written last
├── patches.parquet            one row a patch: picture, place, scores, why rejected
├── pictures/00000.npy        decoded once: uint8 (H, W, C), memory-mapped when read
└── report.html               what was chosen and why; only where it was asked for

C is 3 for RGB, and 1 for the BT.601 studio luma of sets made with `--channels y`, rounded once.
Sides are multiples of `GRID`. There are no LR pictures: `pixelift.image.crops` makes LR crops of
any scale when they are needed; those of a luma set are the shrunk luma.
"""

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.errors import DatasetError, WrongDatasetError
from pixelift.image.mirror import Cuttable
from pixelift.patches.luma import LumaPicture
from pixelift.patches.screen import Limits
from pixelift.patches.table import read_patches

FORMAT = "pixelift-dataset"
VERSION = 2

GRID = 12
"""Pictures are cut to a multiple of it in HR pixels, so that scales 2, 3 and 4 fit."""

_CHUNK = 1 << 18
"""Bytes that are summed up and written at once: while they are in the processor's cache."""

Split = Literal["train", "valid"]
Channels = Literal["rgb", "y"]
Rule = Literal[
    "unreadable",
    "small",
    "same file",
    "near-duplicate",
    "noise",
    "blockiness",
    "blur",
    "clipped",
    "flat",
]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decides the bytes of a prepared set, besides the photos themselves."""

    scale: int = 4
    """LR to HR factor at which the restoration error is measured; one can train at any."""
    patch: int = 48
    """Side of a patch in HR pixels; patches lie side by side from the upper left corner."""
    channels: Channels = "rgb"
    """What is kept of a picture: RGB, or its luma alone."""
    holdout: float = 0.05
    """Share of the photos kept for validation where none are given for it."""
    screens: bool = True
    """Whether photos and patches that teach artefacts, or nothing, are left out."""
    limits: Limits = Limits()
    """What the screens let pass."""
    repair: bool = False
    """Whether large photos that were compressed too much are halved instead of left out."""
    network: str = ""
    """Name of the network whose loss was measured; empty where none was."""


class StoredFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the patch table must be."""

    bytes: int
    sha256: str


class StoredPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file of a picture must be."""

    bytes: int
    crc32: int
    """Tells whether it was damaged, in half the processor time of SHA-256."""


class PictureEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One photo of the set."""

    number: int
    name: str
    split: Split
    sha256: str
    height: int
    width: int
    file: StoredPicture
    measures: dict[str, float]
    """What was measured of the whole photo: `measure_artefacts`, and the share `clipped`."""
    phash: str
    """Perceptual hash, 16 hexadecimal digits; empty where the photos were not screened."""
    repaired: str = ""
    """What was done to it, as "halved"; empty where nothing was."""
    credit: dict[str, str] = {}


class Rejected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One photo that is not in the set, and why."""

    name: str
    reason: str
    """A sentence for people, with what was measured and what is allowed."""
    rule: Rule
    number: float | None = None
    """What was measured, where it is a number; its unit is in the reason."""
    is_failure: bool = False
    """Whether it could not be read; otherwise it was looked at and is not wanted."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is known of a prepared set."""

    settings: Settings
    pictures: tuple[PictureEntry, ...]
    rejected: tuple[Rejected, ...]
    patches: StoredFile
    plan_sha256: str
    """Hash of the settings and of name, split and bytes of each photo that was given."""
    format: str = FORMAT
    version: int = VERSION

    @property
    def photos_sha256(self) -> str:
        """Hash of the training photos: what a model's card names as its data."""
        lines = sorted(f"{p.sha256}  {p.name}\n" for p in self.pictures if p.split == "train")
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class PreparedSet:
    """An opened set; pictures are read from disk only where they are looked at."""

    folder: Path
    manifest: Manifest
    patches: NDArray[np.void]

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Map an HR picture into memory.

        Args:
            number: Number of the picture.

        Returns:
            (H, W, 3) uint8 RGB or (H, W, 1) uint8 luma, read-only.
        """
        path = picture_path(self.folder, number)
        array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        return array

    def luma(self, number: int) -> Cuttable[np.uint8]:
        """Show the luma of an HR picture: the same pixels from a set of RGB and from one of luma.

        Args:
            number: Number of the picture.

        Returns:
            (H, W, 1) uint8; out of RGB it is made where it is cut, and only there.
        """
        picture = self.picture(number)
        return picture if picture.shape[2] == 1 else LumaPicture(picture)

    def numbers(self, split: Split) -> list[int]:
        """List the picture numbers of a split."""
        return [p.number for p in self.manifest.pictures if p.split == split]


def picture_path(folder: Path, number: int) -> Path:
    """Name the file of a picture."""
    return folder / "pictures" / f"{number:05}.npy"


def describe_file(path: Path) -> StoredFile:
    """Measure a file for the manifest."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return StoredFile(bytes=path.stat().st_size, sha256=digest)


def save_array(path: Path, array: NDArray[np.generic]) -> StoredPicture:
    """Write an array as .npy and describe the file, without reading it again.

    Args:
        path: The file; replaced where it exists.
        array: Contiguous, row-major.

    Returns:
        Its size and checksum.
    """
    header = io.BytesIO()
    layout = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(header, layout)
    checksum = zlib.crc32(header.getvalue())
    with path.open("wb", buffering=0) as stream:
        stream.write(header.getvalue())
        data = array.reshape(-1).view(np.uint8).data
        for first in range(0, len(data), _CHUNK):
            chunk = data[first : first + _CHUNK]
            checksum = zlib.crc32(chunk, checksum)
            _write_all(stream, chunk)
    return StoredPicture(bytes=len(header.getvalue()) + array.nbytes, crc32=checksum)


def _write_all(stream: io.RawIOBase, chunk: memoryview) -> None:
    # A disk that is filling up takes a part first, and complains about the rest.
    while len(chunk):
        chunk = chunk[stream.write(chunk) :]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a set.

    Args:
        folder: The set.

    Returns:
        The manifest.

    Raises:
        WrongDatasetError: There is no finished set in the folder, or it is of another version.
        DatasetError: The manifest is damaged.
    """
    path = folder / "manifest.json"
    again = f"Run: pixelift prepare PHOTOS -o {folder}"
    if not folder.is_dir():
        raise WrongDatasetError(f"no training set at {folder}: there is no such folder. {again}")
    if not path.is_file():
        raise WrongDatasetError(
            f"{folder} holds no finished training set (no manifest.json). {again}"
        )
    try:
        head = msgspec.json.decode(path.read_bytes())
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise WrongDatasetError(
                f"{path} is not the manifest of a Pixelift training set. "
                "Name a folder that pixelift prepare made."
            )
        if head.get("version") != VERSION:
            raise WrongDatasetError(
                f"{folder} is a training set of version {head.get('version')}; this Pixelift reads "
                f"version {VERSION}. Prepare the photos again."
            )
        return msgspec.convert(head, Manifest)
    except msgspec.MsgspecError as error:
        raise DatasetError(f"{path} is damaged: {error}. Prepare the photos again.") from error


def open_dataset(folder: Path, *, verify: Literal["sizes", "checksums"] = "sizes") -> PreparedSet:
    """Open a prepared set and check it.

    Args:
        folder: The set.
        verify: "sizes" finds truncated and missing files at once; "checksums" reads every byte.

    Returns:
        The set.

    Raises:
        WrongDatasetError: The set is missing or of another version.
        DatasetError: The set is damaged or truncated.
    """
    manifest = read_manifest(folder)
    table = folder / "patches.parquet"
    _check_file(table, manifest.patches, verify)
    for entry in manifest.pictures:
        _check_file(picture_path(folder, entry.number), entry.file, verify)
    return PreparedSet(folder, manifest, read_patches(table))


def _check_file(path: Path, expected: StoredFile | StoredPicture, verify: str) -> None:
    again = "Prepare the photos again."
    if not path.is_file():
        raise DatasetError(f"training set lacks {path}. {again}")
    size = path.stat().st_size
    if size != expected.bytes:
        raise DatasetError(f"{path} has {size} bytes and must have {expected.bytes}. {again}")
    describe = describe_file if isinstance(expected, StoredFile) else _describe_picture
    if verify == "checksums" and describe(path) != expected:
        raise DatasetError(
            f"{path} was changed after it was prepared (its checksum differs). {again}"
        )


def _describe_picture(path: Path) -> StoredPicture:
    checksum = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return StoredPicture(bytes=path.stat().st_size, crc32=checksum)
