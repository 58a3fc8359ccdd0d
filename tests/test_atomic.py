import errno
import os
import stat
import subprocess
import sys

import pytest

from pixelift import atomic
from pixelift.atomic import replacing, write_atomically


def refuse(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def write_half(path, failure, how):
    with replacing(path, **how) as hidden:
        hidden.write_bytes(b"new")
        raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, OSError])
@pytest.mark.parametrize("how", [{}, {"unique": True}, {"durable": True}, {"overwrite": False}])
def test_a_block_that_ends_badly_leaves_the_folder_as_it_was(tmp_path, failure, how):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(failure):
        write_half(path, failure, how)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_refuses_leaves_the_folder_as_it_was(tmp_path, monkeypatch, step):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(step, refuse)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new", durable=True)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_replaced_only_where_it_may_be(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError), replacing(path, overwrite=False) as hidden:
        hidden.write_bytes(b"new")
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_hidden_file_lies_beside_it_and_keeps_the_suffix(tmp_path):
    path = tmp_path / f"{'a' * 251}.png"  # as long as a name may be
    with replacing(path) as hidden, replacing(path, unique=True) as own:
        hidden.write_bytes(b"one")
        own.write_bytes(b"two")
        names = {p.name for p in tmp_path.iterdir()}
        assert len(names) == 2
        assert all(name.startswith(".") and name.endswith(".png") for name in names)
    assert path.read_bytes() == b"one"


@pytest.mark.skipif(os.name != "posix", reason="folders are synced where they can be opened")
def test_only_what_is_durable_waits_for_the_disk_first_for_the_file_then_for_its_folder(
    tmp_path, monkeypatch
):
    synced = []

    def sync(descriptor):
        mode = os.fstat(descriptor).st_mode
        synced.append(("folder" if stat.S_ISDIR(mode) else "file", path.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    path = tmp_path / "a.bin"
    write_atomically(path, b"new")
    assert synced == []
    path.unlink()
    write_atomically(path, b"new", durable=True)
    assert synced == [("file", False), ("folder", True)]


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic.os, "open", refuse)
    write_atomically(tmp_path / "a.bin", b"new", durable=True)
    assert (tmp_path / "a.bin").read_bytes() == b"new"


def test_the_file_has_the_usual_permissions(tmp_path):
    write_atomically(tmp_path / "a.bin", b"new", durable=True)
    (tmp_path / "b.bin").write_bytes(b"new")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


KILLED_WRITER = """
import os, pathlib, resource, signal, sys
from pixelift.atomic import write_atomically

path = pathlib.Path(sys.argv[1])
sync, replace = os.fsync, pathlib.Path.replace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(step):
    return lambda *words: (step(*words), die())

for moment in sys.argv[2:]:
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, moment
        print(path.read_bytes()[:3].decode(), path.stat().st_size)
    elif moment == "written":
        os.fsync = die
    elif moment == "synced":
        os.fsync = then_die(sync)
    elif moment == "named":
        pathlib.Path.replace = then_die(replace)
    else:
        # The system takes so many bytes and no more.
        signal.signal(signal.SIGXFSZ, die)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(moment), -1))
    if not child:
        write_atomically(path, b"new" * 100_000, durable=True)
"""


def test_a_kill_at_any_moment_of_the_writing_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old" * 100_000)
    command = [sys.executable, "-W", "ignore", "-c", KILLED_WRITER, str(path)]
    command += ["0", "70000", "written", "synced", "named"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["old 300000"] * 4 + ["new 300000"]
    write_atomically(path, b"last")
    assert path.read_bytes() == b"last"
    assert list(tmp_path.iterdir()) == [path]
