"""Which input becomes which output, decided before anything is done."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelift.errors import ConfigError
from pixelift.image.find import PICTURE_SUFFIXES, find_pictures
from pixelift.image.formats import FORMATS, Format, find_writable, writable_suffixes


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


def plan_jobs(
    inputs: Sequence[Path],
    *,
    output: str | None,
    label: str,
    format: str | None,
) -> tuple[list[Job], list[Path]]:
    """Decide what is made of each input and where it goes, before anything is done.

    Args:
        inputs: Pictures and folders; they need not exist.
        output: What was given as --output; a folder where it ends in /.
        label: What the names of the results end in, as x4.
        format: Format of all results, or None to keep that of each input.

    Returns:
        The jobs in the order of the inputs, and the folders that have no pictures.

    Raises:
        ConfigError: Two inputs would write the same file, a result would replace an input, or
            the format cannot be told from the output's name.
    """
    target = Path(output) if output is not None else None
    empty: list[Path] = []
    is_single = len(inputs) == 1 and not _is_folder(inputs[0])
    is_file = not (output or "").endswith(("/", os.sep)) and target and not _is_folder(target)
    if target and is_single and is_file and _is_told(inputs[0], target, format):
        jobs = [Job(inputs[0], target, format_of(target, format))]
    else:
        if target and target.is_file():
            raise ConfigError(f"{target} is a file, and several results need a folder: -o FOLDER")
        jobs = []
        for source in inputs:
            found = _find_inputs(source, target, label, format) if _is_folder(source) else [source]
            jobs += [_job_in_folder(path, source, target, label, format) for path in found]
            empty += [] if found else [source]
    # The same picture named twice is one job.
    jobs = list({(_identity(job.input), _identity(job.output)): job for job in jobs}.values())
    refuse_clashes(jobs)
    return jobs, empty


def _is_told(source: Path, target: Path, format: str | None) -> bool:
    """Whether it is for the result's name to tell its format: of what is missing, reading tells."""
    return bool(format) or find_writable(None, target) is not None or os.path.lexists(source)


def refuse_clashes(jobs: Sequence[Job]) -> None:
    """Refuse a batch in which a result would replace an input or another result.

    Args:
        jobs: All jobs of the batch.

    Raises:
        ConfigError: There is such a result.
    """
    inputs = {_identity(job.input) for job in jobs}
    outputs: dict[Path, Path] = {}
    for job in jobs:
        identity = _identity(job.output)
        if identity in inputs:
            raise ConfigError(
                f"the result of {job.input} would replace the input {job.output}. "
                "Write elsewhere: -o FOLDER"
            )
        if identity in outputs:
            raise ConfigError(
                f"the results of {outputs[identity]} and {job.input} would both be {job.output}. "
                "Give them one after the other, each with an -o FOLDER of its own"
            )
        outputs[identity] = job.input


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
            f'cannot tell the format of "{output}". End its name in one of {writable_suffixes()}; '
            "or give --format; or end it in / for a folder"
        )
    if named and named is not chosen:
        raise ConfigError(
            f"{output} is named as {named.label}, but --format is {format}. Leave one of them out"
        )
    return chosen


def _find_inputs(folder: Path, target: Path | None, label: str, format: str | None) -> list[Path]:
    """List the pictures below a folder, without what an earlier run of the same command wrote."""
    found = find_pictures(folder)
    if target and _identity(target) != _identity(folder):
        inside = _identity(target)
        return [path for path in found if inside not in _identity(path).parents]
    jobs = [_job_in_folder(path, folder, target, label, format) for path in found]
    results = {_identity(job.output) for job in jobs}
    return [path for path in found if _identity(path) not in results]


def _job_in_folder(
    path: Path,
    source: Path,
    target: Path | None,
    label: str,
    format: str | None,
) -> Job:
    """Decide where the result of a picture goes, which was given by itself or lies in a folder."""
    own = find_writable(None, path)
    chosen = FORMATS[format] if format else own or FORMATS["png"]
    # The name keeps its own ending, as .jpeg, where that fits; what is no ending stays in the name.
    suffix = path.suffix if chosen is own else chosen.suffixes[0]
    stem = path.stem if path.suffix.lower() in PICTURE_SUFFIXES or own else path.name
    name = f"{stem}_{label}{suffix}"
    if target is None:
        return Job(path, path.with_name(name), chosen, skips_done=path != source)
    inner = path.parent.relative_to(source) if path != source else Path()
    return Job(path, target / inner / name, chosen, makes_folder=True, skips_done=path != source)


def _identity(path: Path) -> Path:
    """Name a file so that two ways of writing the same path are equal."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links: reading it will tell
        return path.absolute()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # behind a locked folder, or a name too long: reading it will tell
        return False
