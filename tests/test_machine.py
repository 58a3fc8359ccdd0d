import os
from pathlib import Path

import pytest

from pixelift.machine import free_memory, total_memory, usable_cores

MIB = 2**20
UNLIMITED = 2**63 - 4096

V2, V1_CPU, V1_MEMORY = (f"sys/fs/cgroup/{tree}" for tree in ("", "cpu/", "memory/"))
V1 = "5:cpu,cpuacct:/docker/1a\n4:memory:/docker/1a\n1:name=systemd:/docker/1a\n0::/"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Hand out a machine of 16 cores and 8 GiB, half of them free, to write files of it."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**21}.get)

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        return tmp_path

    write({"proc/meminfo": f"MemTotal: {2**23} kB\nMemAvailable:   {2**22} kB"})
    return write


CASES = {
    "no groups": ({}, (16, 8192, 4096)),
    "a group without files": ({"proc/self/cgroup": "0::/user.slice"}, (16, 8192, 4096)),
    "no limits": (
        {
            "proc/self/cgroup": "0::/",
            V2 + "cpu.max": "max 100000",
            V2 + "memory.max": "max",
            V2 + "memory.current": MIB,
        },
        (16, 8192, 4096),
    ),
    "part of a core, and files that were read": (
        {
            "proc/self/cgroup": "0::/",
            V2 + "cpu.max": "250000 100000",
            V2 + "memory.max": 1024 * MIB,
            V2 + "memory.current": 700 * MIB,
            V2 + "memory.stat": f"anon {100 * MIB}\ninactive_file {600 * MIB}",
        },
        (3, 1024, 924),
    ),
    "the outer group is narrower": (
        {
            "proc/self/cgroup": "0::/outer/inner",
            V2 + "outer/inner/cpu.max": "800000 100000",
            V2 + "outer/cpu.max": "200000 100000",
            V2 + "outer/inner/memory.max": 2048 * MIB,
            V2 + "outer/inner/memory.current": 8 * MIB,
            V2 + "outer/memory.max": 4096 * MIB,
            V2 + "outer/memory.current": 4000 * MIB,
        },
        (2, 2048, 96),
    ),
    "a group outside of what is seen": (
        {"proc/self/cgroup": "0::/../other", V2 + "cpu.max": "400000 100000"},
        (4, 8192, 4096),
    ),
    "version 1, from inside": (
        {
            "proc/self/cgroup": V1,
            V1_CPU + "cpu.cfs_quota_us": "150000",
            V1_CPU + "cpu.cfs_period_us": "50000",
            V1_MEMORY + "memory.limit_in_bytes": 512 * MIB,
            V1_MEMORY + "memory.usage_in_bytes": 500 * MIB,
            V1_MEMORY + "memory.stat": f"cache {MIB}\ntotal_inactive_file {88 * MIB}",
        },
        (3, 512, 100),
    ),
    "version 1 without limits, from outside": (
        {
            "proc/self/cgroup": V1,
            V1_CPU + "docker/1a/cpu.cfs_quota_us": "-1",
            V1_CPU + "docker/1a/cpu.cfs_period_us": "100000",
            V1_MEMORY + "docker/1a/memory.limit_in_bytes": UNLIMITED,
            V1_MEMORY + "docker/1a/memory.usage_in_bytes": 500 * MIB,
        },
        (16, 8192, 4096),
    ),
    "more taken than allowed": (
        {"proc/self/cgroup": "0::/", V2 + "memory.max": MIB, V2 + "memory.current": 2 * MIB},
        (16, 1, 0),
    ),
    "nonsense": (
        {
            "proc/self/cgroup": "what\n0::/",
            V2 + "cpu.max": "",
            V2 + "memory.max": "much",
            V2 + "memory.current": "little",
        },
        (16, 8192, 4096),
    ),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=CASES)
def test_the_least_of_the_machine_and_its_containers_counts(machine, files, expected):
    root = machine(files)
    assert usable_cores(root) == expected[0]
    assert (total_memory(root) // MIB, free_memory(root) // MIB) == expected[1:]


def test_cores_that_this_process_may_not_use_are_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 6}, raising=False)
    assert usable_cores(tmp_path) == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1


def test_a_system_that_does_not_tell_is_asked_in_vain(tmp_path, monkeypatch):
    def refuse(_):
        raise ValueError

    monkeypatch.setattr(os, "sysconf", refuse)
    assert free_memory(tmp_path) is None
    assert total_memory(tmp_path) is None


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="the system is no Linux")
def test_this_machine_is_looked_up():
    assert usable_cores() >= 1
    assert MIB < free_memory() <= total_memory()
