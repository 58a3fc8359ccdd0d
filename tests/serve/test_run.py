import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from pixelift.errors import ConfigError
from pixelift.serve.run import address_of, is_local, open_socket
from pixelift.serve.service import Settings
from tests.patience import PATIENCE
from tests.serving import picture, running


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with open_socket("127.0.0.1", 0) as opened:
        opened.listen()
        port = opened.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: .*--port 0"):
            open_socket("127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99999), ("203.0.113.7", 0)])
def test_an_address_that_is_not_ours_is_refused(host, port):
    with pytest.raises(ConfigError, match="cannot serve on"):
        open_socket(host, port)


def test_addresses_are_written_for_a_browser():
    with open_socket("127.0.0.1", 0) as opened:
        assert address_of(opened) == f"http://127.0.0.1:{opened.getsockname()[1]}/"
        assert is_local(opened)
    with open_socket("0.0.0.0", 0) as opened:
        assert address_of(opened).startswith("http://127.0.0.1:")
        assert not is_local(opened)
    if socket.has_ipv6:
        with open_socket("::1", 0) as opened:
            assert address_of(opened).startswith("http://[::1]:")


def test_a_service_that_cannot_start_says_why():
    with pytest.raises(ConfigError, match="no precision"), running(Settings(precision="f64")):
        pytest.fail("it started")


def children(pid):
    """List the processes that a process has started; all threads count as it."""
    found = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(word) for word in file.read_text().split()}
    return found


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes as Linux shows them")
@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_it_ends_in_the_middle_of_work(tmp_path, way):
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "pixelift", "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.PIPE, env=environment, cwd=tmp_path
    ) as process:
        url = process.stdout.readline().decode().split()[3]
        workers = children(process.pid)
        assert len(workers) == 2 or way != signal.SIGKILL
        for _ in range(4):
            files = {"file": picture(height=900, width=900)}
            assert httpx.post(f"{url}v1/jobs", files=files).status_code == 202
        assert list(tmp_path.iterdir()) == []
        process.send_signal(way)
        process.wait(PATIENCE)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert list(tmp_path.iterdir()) == []
