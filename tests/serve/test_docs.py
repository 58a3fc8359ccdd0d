"""What docs/serving.md shows is run, so that it stays true."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pixelift import read_picture
from pixelift.cli.main import main
from pixelift.serve.limits import MEGA, MIB, Limits
from pixelift.serve.problems import KINDS
from tests.serving import picture

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
SHOWN = "http://127.0.0.1:8000"


def block(language, word):
    (found,) = (b for b in re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL) if word in b)
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(picture(format="jpeg"))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_client_of_ten_lines_works(service_url):
    code = block("python", "httpx")
    assert len([line for line in code.splitlines() if line and "import" not in line]) <= 10
    exec(code.replace(SHOWN, service_url), {})
    assert str(read_picture(Path("large.jpg")).size) == "32x24"


@pytest.mark.usefixtures("folder")
def test_the_three_lines_of_curl_work(service_url):
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    first, second, third = block("sh", "curl").replace(SHOWN, service_url).splitlines()

    def run(line):
        return subprocess.run(shlex.split(line), capture_output=True, text=True, check=True).stdout

    run(first)
    assert str(read_picture(Path("large.jpg")).size) == "64x48"
    head, _, body = run(second).partition("\n\n")
    assert " 202 " in head.splitlines()[0]
    assert f"location: /v1/jobs/{json.loads(body)['id']}" in head
    assert "balanced" in run(third)


def test_the_table_of_problems_is_the_one_of_the_code():
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", TEXT, re.MULTILINE)
    told = {
        kind: int(status) for status, kinds in rows for kind in re.findall(r"`([a-z-]+)`", kinds)
    }
    assert told == {name: kind.status for name, kind in KINDS.items()}


def test_the_table_of_limits_has_the_defaults():
    rows = dict(re.findall(r"^\| `(--[a-z-]+)` \| .* \| (\d+) \|$", TEXT, re.MULTILINE))
    limits = Limits()
    assert {name: int(value) for name, value in rows.items()} == {
        "--max-megapixels": limits.result_pixels // MEGA,
        "--max-upload-mib": limits.upload_bytes // MIB,
        "--queue": limits.queue_length,
        "--job-seconds": limits.job_seconds,
    }


@pytest.mark.parametrize("words", [TEXT, (ROOT / "Containerfile").read_text(encoding="utf-8")])
def test_the_options_that_are_shown_exist(words, capsys):
    assert main(["serve", "--help"]) == 0
    known = capsys.readouterr().out
    lines = [
        line for line in words.splitlines() if "pixelift serve" in line or "ENTRYPOINT" in line
    ]
    assert lines
    for option in re.findall(r"(--[a-z][a-z-]+)", " ".join(lines)):
        assert option in known
