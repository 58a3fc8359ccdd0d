"""LR sets from folders of pictures: drawn or replayed, and gone on with where they were left."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pixelift.degrade.apply import apply_plan
from pixelift.degrade.draw import Degradation, draw_plan
from pixelift.degrade.plan import Plan
from pixelift.degrade.recorded import FILE, Made, Record, hash_pixels, read_record, write_record
from pixelift.errors import ConfigError, DatasetError, PixeliftError, WrongDatasetError
from pixelift.image.depth import to_float
from pixelift.image.find import Found, search
from pixelift.image.picture import Picture
from pixelift.image.read import read_u8
from pixelift.image.resize import modcrop
from pixelift.image.shown import as_text, shown, told
from pixelift.image.write import write_picture

_SAVE_EVERY_S = 2.0
"""Seconds between two writings of the record; what is not in it is made again."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Plans that are drawn: each depends on the seed and the picture's name alone."""

    degradation: Degradation
    scale: int
    seed: int
    name: str
    """What to call the degradation in the record."""

    @property
    def told(self) -> str:
        """How the plans came about, for the record."""
        return f"{self.name}, seed {self.seed}"

    def plan(self, name: str) -> Plan:
        """Draw the plan of a picture."""
        key = int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:16])
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, key]))
        return draw_plan(self.degradation, scale=self.scale, rng=rng)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Plans of a record."""

    record: Record

    @property
    def scale(self) -> int:
        """HR pixels per LR pixel."""
        return self.record.scale

    @property
    def told(self) -> str:
        """How the plans came about, for the record."""
        return self.record.drawn

    def plan(self, name: str) -> Plan:
        """Look the plan of a picture up."""
        if name not in self.record.pictures:
            raise DatasetError(
                f"no plan for {name} in the record. Take the pictures it was made of"
            )
        return self.record.pictures[name].plan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture."""

    name: str
    error: str = ""
    """Why there is no LR picture of it; empty where there is one."""
    was_there: bool = False
    """Whether it was made before."""


@dataclass(slots=True)
class _Keeper:
    """The record while it grows."""

    path: Path
    record: Record
    saved: float = field(default_factory=time.monotonic)

    def keep(self, name: str, made: Made) -> None:
        self.record.pictures[name] = made
        if time.monotonic() - self.saved > _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        write_record(self.path, self.record)
        self.saved = time.monotonic()


def degrade_folder(
    folder: Path, output: Path, *, plans: Drawn | Replayed, report: Callable[[Outcome], None]
) -> Record:
    """Make an LR picture of every picture of a folder; one that is bad does not stop the others.

    The LR of a/b.jpg is a/b.png. Alpha is left out, and deeper pictures are rounded to 8 bits; HR
    is cut on the right and below to a multiple of the scale. What an interrupted run made is kept.

    Args:
        folder: HR pictures, at any depth.
        output: Folder for the LR pictures and their record; made where it does not exist.
        plans: What happens to them.
        report: Told what became of each picture.

    Returns:
        The record, as it was written.

    Raises:
        WrongDatasetError: There is no such folder, it has no pictures, or the output lies in it.
        ConfigError: The output holds an LR set that was made otherwise.
    """
    if not folder.is_dir():
        raise WrongDatasetError(f"no folder {shown(folder)}. Give a folder of pictures")
    if output.resolve().is_relative_to(folder.resolve()):
        raise WrongDatasetError(
            f"{shown(output)} lies in {shown(folder)}, and its pictures would be degraded again. "
            "Write elsewhere: -o FOLDER"
        )
    found = search(folder)
    if not found.pictures:
        raise WrongDatasetError(
            "; ".join(map(str, found.unseen))
            or f"no pictures in {shown(folder)}. Give a folder of pictures"
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongDatasetError(
            f"cannot make {shown(output)}: {error.strerror}. Write elsewhere: -o FOLDER"
        ) from error
    keeper = _open_record(output, plans)
    try:
        for outcome in _degrade_all(folder, found, output, plans, keeper):
            report(outcome)
    finally:
        keeper.save()
    return keeper.record


def _open_record(output: Path, plans: Drawn | Replayed) -> _Keeper:
    path = output / FILE
    if not path.is_file():
        return _Keeper(path, Record(scale=plans.scale, drawn=plans.told, pictures={}))
    record = read_record(path)
    if (record.scale, record.drawn) != (plans.scale, plans.told):
        raise ConfigError(
            f"{shown(output)} holds LR pictures of x{record.scale} by {record.drawn}, and these "
            f"would be of x{plans.scale} by {plans.told}. Write elsewhere: -o FOLDER"
        )
    return _Keeper(path, record)


def _degrade_all(
    folder: Path, found: Found, output: Path, plans: Drawn | Replayed, keeper: _Keeper
) -> Iterator[Outcome]:
    for unseen in found.unseen:
        yield Outcome(as_text(unseen.path.relative_to(folder).as_posix()), error=str(unseen))
    targets = {path: path.relative_to(folder).with_suffix(".png") for path in found.pictures}
    claims = Counter(targets.values())
    for path, target in targets.items():
        name = as_text(path.relative_to(folder).as_posix())
        try:
            if claims[target] > 1:
                raise DatasetError(
                    f"{name} and another picture would both become {target}. Rename one of them"
                )
            was_there = _degrade(path, output / target, name, plans, keeper)
            yield Outcome(name, was_there=was_there)
        except PixeliftError as error:
            yield Outcome(name, error=str(error))
        except OSError as error:
            yield Outcome(name, error=f"{told(error)}. Check the path")


def _degrade(path: Path, target: Path, name: str, plans: Drawn | Replayed, keeper: _Keeper) -> bool:
    plan, made = plans.plan(name), keeper.record.pictures.get(name)
    if made is not None and made.plan == plan and target.is_file():
        return True
    hr = modcrop(read_u8(path), plan.scale)
    lr = apply_plan(hr, plan)
    made = Made(plan=plan, hr_sha256=hash_pixels(hr), lr_sha256=hash_pixels(lr))
    if isinstance(plans, Replayed):
        _compare(name, made, plans.record.pictures[name])
    target.parent.mkdir(parents=True, exist_ok=True)
    write_picture(Picture(to_float(lr)), target, overwrite=True)
    keeper.keep(name, made)
    return False


def _compare(name: str, made: Made, recorded: Made) -> None:
    if made.hr_sha256 != recorded.hr_sha256:
        raise DatasetError(f"{name} is another picture than the one that the plan was made for")
    if made.lr_sha256 != recorded.lr_sha256:
        raise DatasetError(
            f"{name} does not come out as recorded; other versions of NumPy or libvips may draw "
            "noise or write WebP differently"
        )
