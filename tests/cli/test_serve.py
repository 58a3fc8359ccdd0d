import sys
import webbrowser

import pytest

from pixelift.cli.main import main
from pixelift.serve import run


@pytest.fixture
def served(monkeypatch):
    """Catch what would be served, and do as if the service were up at once."""
    caught = {"opened": []}

    async def pretend(settings, opened, *, on_ready):
        caught["settings"] = settings
        caught["port"] = opened.getsockname()[1]
        on_ready(None)

    monkeypatch.setattr(run, "run_service", pretend)
    monkeypatch.setattr(webbrowser, "open", caught["opened"].append)
    monkeypatch.delenv("PIXELIFT_TOKEN", raising=False)
    return caught


def test_it_opens_the_page_on_this_machine_alone(served, capsys):
    assert main(["serve", "--port", "0"]) == 0
    url = f"http://127.0.0.1:{served['port']}/"
    assert served["opened"] == [url]
    told = capsys.readouterr()
    assert url in told.out
    assert told.err == ""
    assert served["settings"].access.token is None


def test_no_browser_is_opened_where_none_is_wanted(served):
    assert main(["serve", "--port", "0", "--no-browser"]) == 0
    assert served["opened"] == []


def test_a_token_goes_to_the_browser_where_no_log_sees_it(served, monkeypatch):
    monkeypatch.setenv("PIXELIFT_TOKEN", "s3cret")
    assert main(["serve", "--port", "0"]) == 0
    assert served["opened"][0].endswith("/#token=s3cret")
    assert served["settings"].access.token == "s3cret"


@pytest.mark.usefixtures("served")
def test_serving_others_without_a_token_is_warned_of(capsys):
    assert main(["serve", "--port", "0", "--host", "0.0.0.0", "--no-browser"]) == 0
    assert "--token" in capsys.readouterr().err
    assert main(["serve", "--port", "0", "--host", "0.0.0.0", "--token", "a"]) == 0
    assert capsys.readouterr().err == ""


def test_options_become_limits(served):
    words = ["--max-megapixels", "7", "--max-upload-mib", "300", "--queue", "5"]
    words += ["--job-seconds", "9", "--workers", "3", "--threads", "2", "--precision", "f32"]
    words += ["--allow-host", "A.example", "--allow-host", "b.example:80"]
    assert main(["serve", "--port", "0", *words]) == 0
    settings = served["settings"]
    assert settings.limits.result_pixels == 7_000_000
    assert settings.limits.upload_bytes == 300 * 2**20
    assert settings.limits.queue_bytes >= 600 * 2**20
    assert (settings.limits.queue_length, settings.limits.job_seconds) == (5, 9)
    assert (settings.workers, settings.threads, settings.precision) == (3, 2, "f32")
    assert settings.access.hosts == {"a.example", "b.example"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--token", ""], "the token is empty"),
        (["--token", "a b"], "the token is empty or has spaces"),
        (["--queue", "0"], "queue length is 0"),
        (["--host", "203.0.113.7"], "cannot serve on"),
        (["--max-megapixels", "2.5"], "no whole number"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(served, capsys, words, told):
    assert main(["serve", "--port", "0", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert "settings" not in served


def test_missing_packages_are_named_with_what_to_type(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert main(["serve"]) == 2
    assert "pip install 'pixelift[serve]'" in capsys.readouterr().err
