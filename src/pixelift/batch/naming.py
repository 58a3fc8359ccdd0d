"""What each result is called: after its picture, and by a second name where that is taken."""

import hashlib
import itertools
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from pixelift.batch.results import may_be_result
from pixelift.errors import ConfigError
from pixelift.image.find import PICTURE_SUFFIXES
from pixelift.image.formats import FORMATS, Format, find_writable, writable_suffixes
from pixelift.image.shown import quoted, shown
from pixelift.image.source import sniff_file

DIGITS = 8
"""Of the hash that tells two pictures apart where neither names nor folders do."""


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to make: from where, to where, and in which format."""

    input: Path
    output: Path
    format: Format
    makes_folder: bool = False
    """Whether the folder of the output is made when it is missing."""

    skips_done: bool = False
    """Whether a result that is there already is taken for done: so for pictures of a folder, whose
    run may be repeated to finish it, and not for a picture that was named itself."""


def name_job(
    path: Path, source: Path, *, target: Path | None, label: str, format: str | None
) -> Job:
    """Decide where the result of a picture goes that is not written to a named file.

    Without a format that was asked for, it has that of the picture's content, whatever the picture
    is called.

    Args:
        path: The picture.
        source: The folder that it was found in, or the picture itself where it was given so.
        target: Folder for the results; None puts them beside the pictures.
        label: What the names of the results end in, as x4.
        format: Format of all results, or None to keep that of each input.

    Returns:
        The job.
    """
    named = find_writable(None, path)
    # Of what cannot be opened the name tells; reading it will say what is wrong.
    own = _content_of(path) or named or FORMATS["png"]
    chosen = FORMATS[format] if format else own if own.depths else FORMATS["png"]
    # The name keeps its own ending, as .jpeg, where that fits; what is no ending stays in the name.
    suffix = path.suffix if chosen is named else chosen.suffixes[0]
    stem = path.stem if path.suffix.lower() in PICTURE_SUFFIXES or named else path.name
    name = f"{stem}_{label}{suffix}"
    if target is None:
        return Job(path, path.with_name(name), chosen, skips_done=path != source)
    inner = path.parent.relative_to(source) if path != source else Path()
    return Job(path, target / inner / name, chosen, makes_folder=True, skips_done=path != source)


def _content_of(path: Path) -> Format | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return _sniffed(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _sniffed(path: Path, length: int, changed: int) -> Format | None:
    # A folder that is watched is looked at every second: what has not changed is not opened again.
    del length, changed
    return sniff_file(path)


def format_of(output: Path, format: str | None) -> Format:
    """Tell the format of a result from its name, unless it was given.

    Args:
        output: Name of the result.
        format: What was given as --format.

    Returns:
        One of the formats that can be written.

    Raises:
        ConfigError: The name does not tell it, or tells another than what was given.
    """
    named = find_writable(None, output)
    given = FORMATS[format] if format else None
    chosen = given or named
    if chosen is None:
        raise ConfigError(
            f"cannot tell the format of {quoted(output)}. End its name in one of "
            f"{writable_suffixes()}; or give --format; or end it in / for a folder"
        )
    if named and named is not chosen:
        raise ConfigError(
            f"{shown(output)} is named as {named.label}, but --format is {format}. "
            "Leave one of them out"
        )
    return chosen


def identity(path: Path) -> Path:
    """Name a file so that two ways of writing the same path are equal.

    Args:
        path: Any path; need not exist.

    Returns:
        The path from the root, without links where they can be followed.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links: reading it will tell
        return path.absolute()


def give_names(jobs: Sequence[Job], *, label: str) -> tuple[list[Job], list[str]]:
    """Give a name of its own to each result, whatever order the pictures come in.

    Of several pictures whose results would be one file, that one keeps the name which has its
    result there already, as far as sizes and times tell; or which has the same ending; or else the
    first by its path. Names that differ only in capitals count as the same: there are disks on
    which they are.

    Args:
        jobs: All jobs of a batch.
        label: What the names of the results end in, as x4.

    Returns:
        The jobs, in the same order, and a line for each that has a second name.
    """
    inputs = {_key(job.input): job.input for job in jobs}
    claims: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        claims[_key(job.output)].append(job)
    taken = {**inputs}
    waiting: list[tuple[Job, list[Job]]] = []
    for key, group in claims.items():
        ordered = group
        if len(group) > 1:
            ordered = sorted(group, key=partial(_claim, group=group, label=label))
        if key not in inputs:
            taken[key] = ordered[0].input
            ordered = ordered[1:]
        waiting += [(job, group) for job in ordered]
    renamed: dict[int, Job] = {}
    notes = []
    for job, group in sorted(waiting, key=lambda entry: str(identity(entry[0].input))):
        second = next(path for path in _names(job, group, label) if _key(path) not in taken)
        taken[_key(second)] = job.input
        renamed[id(job)] = replace(job, output=second)
        notes.append(_note(job, second, is_input=_key(job.output) in inputs))
    return [renamed.get(id(job), job) for job in jobs], notes


def _claim(job: Job, group: Sequence[Job], label: str) -> tuple[bool, bool, bool, bool, str]:
    """Say who comes first: the less, the earlier."""
    has_second = os.path.lexists(next(_names(job, group, label)))
    is_there = os.path.lexists(job.output)
    is_anothers = is_there and not may_be_result(job.output, job.input)
    came_later = is_there and _changed(job.input) > _changed(job.output)
    has_other_ending = job.input.suffix.lower() != job.output.suffix.lower()
    return has_second, is_anothers, came_later, has_other_ending, str(identity(job.input))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _names(job: Job, group: Sequence[Job], label: str) -> Iterator[Path]:
    ending = f"_{label}{job.output.suffix}"
    stem, name = job.output.name.removesuffix(ending), job.input.name
    source = identity(job.input)
    # The name with its ending says which of a.gif and a.png it is, the folder which a.png.
    names = [f"{name}{ending}", f"{source.parent.name}_{stem}{ending}"]
    if sum(other.input.name == name for other in group) > 1:
        names.reverse()
    digest = hashlib.sha256(str(source).encode(errors="surrogateescape")).hexdigest()[:DIGITS]
    more = (f"{stem}-{digest}{'-' * times}{ending}" for times in itertools.count())
    return (job.output.with_name(name) for name in itertools.chain(names, more))


def _note(job: Job, second: Path, *, is_input: bool) -> str:
    owner = "a picture that is given too" if is_input else "the result of another picture"
    return (
        f"{shown(job.input)} becomes {shown(second)}, since {shown(job.output)} is {owner}. "
        "For another name give it by itself: -o FILE"
    )


def _key(path: Path) -> str:
    return str(identity(path)).casefold()
