"""Builds the wheel and tries it where nothing else is installed, as a user would.

Run as `python tools/check_wheel.py`; stops with exit code 1 and the output of the step that failed.
"""

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

MAKE_PICTURE = """
import numpy as np
from pixelift.image.picture import Picture
from pixelift.image.write import write_picture
rows, columns = np.mgrid[0:20, 0:28].astype(np.float32)
pixels = np.stack([rows / 20, columns / 28, rows * columns / 560], axis=2)
write_picture(Picture(pixels), "tiny.png")
"""

CHECK_PICTURE = """
from pixelift.image.read import read_picture
size = read_picture("sr.png").size
assert (size.height, size.width) == (80, 112), size
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and stop with its output when it fails.

    Args:
        command: The program and its arguments.
        cwd: Folder to run it in.

    Returns:
        What it printed.
    """
    # Without PYTHONPATH, which could lay the checkout over the installed wheel.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"wheel: failed with exit code {done.returncode}: {command}\n{done.stdout}")
    return done.stdout


def build(folder: Path) -> Path:
    """Build the wheel and look into it.

    Args:
        folder: Where to put it.

    Returns:
        Path of the wheel.
    """
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--quiet", "--no-deps")
    run(*pip, "--wheel-dir", folder, ".", cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    expected = {
        file.relative_to(source).as_posix()
        for file in (source / "pixelift").rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }
    if missing := sorted(expected - packed):
        sys.exit(f"wheel: lacks {', '.join(missing)}")
    print(f"wheel: {wheel.name}, {len(packed)} files, {wheel.stat().st_size} bytes")
    return wheel


def try_out(wheel: Path, folder: Path) -> None:
    """Install the wheel alone in a new environment and use it from an empty folder.

    Args:
        wheel: The built wheel.
        folder: Scratch folder.
    """
    venv.create(folder / "bare", with_pip=True)
    binaries = folder / "bare" / ("Scripts" if os.name == "nt" else "bin")
    python, pixelift = binaries / "python", binaries / "pixelift"
    work = folder / "work"
    work.mkdir()
    install = ("-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check")
    run(python, *install, wheel, cwd=work)
    steps: tuple[tuple[str | Path, ...], ...] = (
        (python, "-c", "import importlib.util as u; assert u.find_spec('torch') is None"),
        (python, "-c", "import pixelift"),
        (pixelift, "--help"),
        (pixelift, "models"),
        (python, "-c", MAKE_PICTURE),
        (pixelift, "upscale", "tiny.png", "-o", "sr.png"),
        (python, "-c", CHECK_PICTURE),
    )
    for step in steps:
        run(*step, cwd=work)
    print("wheel: works in a bare environment: import, --help, models, upscale")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        try_out(build(Path(scratch)), Path(scratch))
