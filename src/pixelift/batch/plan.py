"""Which input becomes which output, decided before anything is done."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pixelift.batch.naming import Job, format_of, give_names, identity, name_job
from pixelift.batch.results import find_results
from pixelift.errors import ConfigError
from pixelift.image.find import search
from pixelift.image.formats import find_writable
from pixelift.image.shown import shown


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be done, and what a person should know of it beforehand."""

    jobs: list[Job] = field(default_factory=list)
    """In the order of the inputs."""

    empty: list[Path] = field(default_factory=list)
    """Folders that were given and have no pictures."""

    problems: list[str] = field(default_factory=list)
    """A line for each folder that cannot be looked into: its pictures are not done."""

    notes: list[str] = field(default_factory=list)
    """A line for each result that has another name than usual, and for pictures left alone."""


def plan_jobs(
    inputs: Sequence[Path],
    *,
    output: str | None,
    label: str,
    format: str | None,
) -> Plan:
    """Decide what is made of each input and where it goes, before anything is done.

    No result gets the place of an input or of another result. What is the result of another input,
    whatever it was made with, is not enlarged once more.

    Args:
        inputs: Pictures and folders; they need not exist.
        output: What was given as --output; a folder where it ends in /.
        label: What the names of the results end in, as x4.
        format: Format of all results, or None to keep that of each input.

    Returns:
        The plan.

    Raises:
        ConfigError: The result of a single picture would replace it, or its format cannot be told
            from the output's name; or several results would go into one file.
    """
    target = Path(output) if output is not None else None
    is_single = len(inputs) == 1 and not _is_folder(inputs[0])
    is_file = not (output or "").endswith(("/", os.sep)) and target and not _is_folder(target)
    if target and is_single and is_file and _is_told(inputs[0], target, format):
        return Plan([_job_to_file(inputs[0], target, format)])
    if target and target.is_file():
        raise ConfigError(
            f"{shown(target)} is a file, and several results need a folder: -o FOLDER"
        )
    plan, results = Plan(), _results_given(inputs)
    found: list[tuple[Path, Path]] = []
    for source in inputs:
        if _is_folder(source):
            found += [(path, source) for path in _look_into(source, target, plan, results)]
        else:
            found.append((source, source))
    jobs = [
        name_job(path, source, target=target, label=label, format=format)
        for path, source in found
        if path not in results
    ]
    # The same picture named twice is one job.
    jobs = list({(identity(job.input), identity(job.output)): job for job in jobs}.values())
    jobs, second = give_names(jobs, label=label)
    made = {job.output for job in jobs}
    plan.jobs.extend(jobs)
    plan.notes.extend([*second, *_left_alone(results, made)])
    return plan


def _job_to_file(source: Path, target: Path, format: str | None) -> Job:
    if identity(source) == identity(target):
        raise ConfigError(
            f"the result of {shown(source)} would replace the input {shown(target)}. "
            "Write elsewhere: -o FOLDER"
        )
    return Job(source, target, format_of(target, format))


def _is_told(source: Path, target: Path, format: str | None) -> bool:
    """Whether it is for the result's name to tell its format: of what is missing, reading tells."""
    return bool(format) or find_writable(None, target) is not None or os.path.lexists(source)


def _results_given(inputs: Sequence[Path]) -> dict[Path, Path]:
    """Find results among pictures that were given with theirs, as a shell does for *.png."""
    named = [path for path in inputs if not _is_folder(path)]
    results: dict[Path, Path] = {}
    for folder in {path.parent for path in named}:
        results |= find_results({path for path in named if path.parent == folder}, folder)
    return results


def _look_into(
    folder: Path, target: Path | None, plan: Plan, results: dict[Path, Path]
) -> list[Path]:
    """List the pictures below a folder, without what lies in the folder of the results."""
    found = search(folder)
    plan.problems.extend(str(unseen) for unseen in found.unseen if unseen.is_folder)
    # What is named like a picture and is none is an input like any other: reading it will tell.
    others = [unseen.path for unseen in found.unseen if not unseen.is_folder]
    pictures = sorted([*found.pictures, *others], key=lambda path: path.relative_to(folder).parts)
    if not pictures and not found.unseen:
        plan.empty.append(folder)
    if target and identity(target) != identity(folder):
        inside = identity(target)
        pictures = [path for path in pictures if inside not in identity(path).parents]
    results |= find_results(pictures, folder)
    return pictures


def _left_alone(results: dict[Path, Path], made: set[Path]) -> list[str]:
    """Tell of results of other commands; those of this one are told of as done."""
    left = sorted(path for path in results if path not in made)
    if not left:
        return []
    one = f"{shown(left[0])} is the result of {shown(results[left[0]])} and is left alone"
    more = f", and so are {len(left) - 1} more" if len(left) > 1 else ""
    return [f"{one}{more}. To enlarge a result once more, give it by itself"]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # behind a locked folder, or a name too long: reading it will tell
        return False
