"""How many cores and how much memory this process may use, also in a container that has limits.

Linux limits by control groups, of which each process is in one and in all that hold it. Version 2
has one tree of them, version 1 one for each kind of limit:
https://docs.kernel.org/admin-guide/cgroup-v2.html, and cgroup-v1/memory.html beside it.
"""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SYSTEM = Path("/")


def usable_cores(root: Path = _SYSTEM) -> int:
    """Count the processor cores that this process may use.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        Logical cores, at least 1: no more than `taskset` allows, and than the processor time of
        the container, a part of a core counted as one.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    for group in _groups(root, "cpu"):
        # Microseconds of processor time in a period, and the period: "max" and -1 are no limit.
        v1 = [_number(group / name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
        for quota, period in (_pair(group / "cpu.max"), v1):
            if quota and period:
                cores = min(cores, math.ceil(quota / period))
    return cores


def total_memory(root: Path = _SYSTEM) -> int | None:
    """Look up how much memory the machine has, or the container where that is less.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        Bytes; None where the system does not tell.
    """
    found = [limit for limit, _ in _limits(root)]
    with suppress(AttributeError, ValueError, OSError):  # Windows, for one
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found, default=None)


def free_memory(root: Path = _SYSTEM) -> int | None:
    """Look up how much memory can be taken without swapping, also where a container has a limit.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        Bytes; None where the system does not tell as Linux does.
    """
    found = [max(0, limit - used) for limit, used in _limits(root)]
    available = _field(root / "proc/meminfo", "MemAvailable:")
    if available is not None:
        found.append(available * 1024)
    return min(found, default=None)


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """List the limits on memory of the container, and what of each is taken, in bytes."""
    versions = (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    )
    for group in _groups(root, "memory"):
        for limit_name, used_name, cached_name in versions:
            limit, used = _number(group / limit_name), _number(group / used_name)
            if limit is not None and used is not None:
                # Files that were read lately count as taken, but are dropped for who needs memory.
                yield limit, used - (_field(group / "memory.stat", cached_name) or 0)


def _groups(root: Path, kind: str) -> Iterator[Path]:
    """Name the folders of the groups that this process is in, from the innermost outwards."""
    top = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if kinds and kind not in kinds.split(","):
            continue
        tree = top / kind if kinds else top
        # What a container calls its own group may be a folder that only the outside has, or lie
        # outside of what it sees; the top of its tree is then its group.
        group = tree if ".." in path else tree / path.strip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(tree))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _field(path: Path, name: str) -> int | None:
    """Read a number that stands behind a name."""
    for line in _lines(path):
        words = line.split()
        if len(words) > 1 and words[0] == name and words[1].isdecimal():
            return int(words[1])
    return None


def _pair(path: Path) -> list[int | None]:
    """Read two numbers; None for what is none."""
    words = [*" ".join(_lines(path)).split(), "", ""]
    return [int(word) if word.isdecimal() else None for word in words[:2]]


def _number(path: Path) -> int | None:
    return _pair(path)[0]
