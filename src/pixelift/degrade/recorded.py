"""The record of an LR set: the plan of each picture, so that anyone can make the same set again."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.atomic import write_atomically
from pixelift.degrade.plan import Plan
from pixelift.errors import ConfigError

FORMAT = "pixelift-plans"
VERSION = 1
FILE = "plans.json"
"""Name of the record in the folder of an LR set."""

_MAX_BYTES = 1 << 28


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture of an LR set."""

    plan: Plan
    """What was done."""
    hr_sha256: str
    """Hash of the HR pixels that it was done to, see `hash_pixels`."""
    lr_sha256: str
    """Hash of the pixels that came out."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An LR set."""

    scale: int
    """HR pixels per LR pixel."""
    drawn: str
    """How the plans came about, as "photo, seed 1"."""
    pictures: dict[str, Made]
    """By path below the folder, with / between folders."""
    format: str = FORMAT
    version: int = VERSION

    def __post_init__(self) -> None:
        """Refuse the record of something else, and plans of another scale."""
        if (self.format, self.version) != (FORMAT, VERSION):
            raise ValueError(f"format is {self.format} {self.version}, not {FORMAT} {VERSION}")
        for name, made in self.pictures.items():
            if made.plan.scale != self.scale:
                raise ValueError(f"the plan of {name} is of scale {made.plan.scale}")


def hash_pixels(image: NDArray[np.uint8]) -> str:
    """Hash the size and samples of a picture; its file's format does not matter.

    Args:
        image: (H, W, C).

    Returns:
        SHA-256 in hexadecimal digits.
    """
    digest = hashlib.sha256(str(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def read_record(path: Path) -> Record:
    """Read the record of an LR set.

    Args:
        path: The file.

    Returns:
        The record.

    Raises:
        ConfigError: It cannot be read, is no record, or one field of it is out of its range.
    """
    hint = "Name one that pixelift degrade wrote."
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} is too large for a record of plans. {hint}")
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except OSError as error:
        raise ConfigError(f"cannot read plans from {path}: {error.strerror}. {hint}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no record of plans: {error}. {hint}") from error


def write_record(path: Path, record: Record) -> None:
    """Write a record; a kill or a power cut leaves the old file or the new one.

    Args:
        path: The file; replaced where it exists.
        record: What to write.
    """
    lines = msgspec.json.format(msgspec.json.encode(record, order="deterministic"), indent=1)
    write_atomically(path, lines + b"\n", durable=True)
