"""The birth certificate of a results file: command, commit, machine, threads, versions."""

import json
import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from pixelift.evaluate.run import describe_machine

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"


def stamp() -> dict[str, Any]:
    """Say how the numbers of this run come about."""
    packages: tuple[str, ...] = (
        "pixelift",
        "numpy",
        "pyvips-binary",
        "openvino",
        "onnxruntime",
        "pillow",
    )
    packages += ("opencv-contrib-python-headless",)
    return {
        "command": shlex.join(["python", *_without_folders(sys.argv)]),
        "commit": _git("describe", "--always", "--dirty", "--abbrev=10"),
        "machine": describe_machine(),
        "threads": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
    }


def save(name: str, result: dict[str, Any]) -> None:
    """Write a results file, its certificate first."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"made_by": stamp()} | result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}")


def _without_folders(words: list[str]) -> list[str]:
    """Name the script from the root, and what lies elsewhere on this machine by its last part."""
    script = Path(words[0]).resolve().relative_to(ROOT).as_posix()
    return [script, *map(_without_folder, words[1:])]


def _without_folder(word: str) -> str:
    # Also behind the name in NAME=FILE.
    name, equals, value = word.rpartition("=")
    path = Path(value)
    return name + equals + (path.name if path.is_absolute() else value)


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
