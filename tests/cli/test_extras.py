import sys

import pytest

from pixelift.cli.extras import require
from pixelift.errors import EngineUnavailableError


def test_packages_that_are_there_are_fine():
    require("json", "csv", task="this test")


def test_the_first_package_that_is_missing_is_told_with_what_to_type():
    told = r"^this test needs nothing_like_it, which is not installed\. Run: pip install 'pixelift"
    with pytest.raises(EngineUnavailableError, match=told):
        require("json", "nothing_like_it", task="this test")


def test_a_package_that_a_package_lacks_is_told_by_its_own_name(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import nothing_like_it")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineUnavailableError, match="needs nothing_like_it"):
        require("half_installed", task="this test")


def test_a_package_that_is_broken_is_told_with_the_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_build.py").write_text("raise ImportError('libmissing.so: not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineUnavailableError, match=r"cannot be imported \(libmissing\.so"):
        require("broken_build", task="this test")
    assert "broken_build" not in sys.modules
