import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pixelift.cli import streams
from pixelift.cli.streams import Output, lead_nowhere, lost_output
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes streams as a shell does")


@pytest.fixture
def shell(home, tmp_path):
    """Hand out a function that runs a command by a shell: its streams can be closed or full."""

    def run(line, **options):
        return subprocess.run(
            ["bash", "-c", f"exec {sys.executable} -m pixelift {line}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PIXELIFT_HOME": str(home)},
            timeout=PATIENCE,
            check=False,
            **options,
        )

    return run


def test_with_all_streams_closed_the_work_is_done_and_no_picture_takes_their_place(
    shell, save, tmp_path
):
    for name in ("a.png", "b.png"):
        save(tmp_path / name)

    done = shell("upscale a.png b.png missing.png -m fake -s 2 <&- >&- 2>&-")

    assert done.returncode == 1
    for name in ("a_x2.png", "b_x2.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / name).read_bytes().endswith(b"IEND\xaeB`\x82")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device to write to")
def test_a_full_stdout_stops_no_picture_and_is_told_once(shell, save, tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name)

    done = shell("upscale a.png b.png -m fake -s 2 > /dev/full")

    assert (tmp_path / "b_x2.png").exists()
    assert done.returncode == 1
    assert done.stderr.startswith("pixelift: cannot write to stdout: No space left on device. All")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("models >&-", "cannot write to stdout: it is closed. All else is done"),
        ("upscale - -m fake -s 2 <&-", "cannot read the picture from stdin: it is closed. Write:"),
        ("upscale - -m fake -s 2 <a.png >&-", "cannot write the result to stdout: it is closed."),
    ],
)
def test_a_closed_stream_that_is_needed_is_told_in_one_line(shell, save, tmp_path, line, told):
    save(tmp_path / "a.png")

    done = shell(line)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"pixelift: {told}")
    assert done.stderr.count("\n") == 1


def test_a_closed_stderr_puts_no_message_into_the_output(shell):
    done = shell("upscale missing.png -m fake -s 2 2>&-")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


class Full(io.RawIOBase):
    """A file on a disk that is full, whose number leads to a real one."""

    def __init__(self, path, number=errno.ENOSPC):
        self.file = path.open("wb")
        self.number = number

    def writable(self):
        return True

    def close(self):
        self.file.close()
        super().close()

    def fileno(self):
        return self.file.fileno()

    def write(self, _):
        raise OSError(self.number, os.strerror(self.number))


def test_what_cannot_be_written_is_noted_and_the_first_reason_is_told(tmp_path, monkeypatch):
    stream = Output(Full(tmp_path / "full"), write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(streams, "lead_nowhere", lambda _: None)
    assert lost_output() is None

    assert stream.write("a line\n") == 7
    stream.flush()

    assert lost_output().startswith("cannot write to stdout: No space left on device.")


def test_a_reader_that_has_gone_ends_stdout_and_nothing_else(tmp_path):
    for ends in (True, False):
        stream = Output(Full(tmp_path / "gone", errno.EPIPE), write_through=True)
        stream.ends_with_reader = ends
        if ends:
            with pytest.raises(BrokenPipeError):
                stream.write("a line")
        else:
            stream.write("a line")


def test_a_stream_that_leads_nowhere_takes_everything(tmp_path):
    path = tmp_path / "some"
    with path.open("w") as stream:
        stream.write("kept back")
        lead_nowhere(stream)
    assert path.read_text() == ""
