"""Checks the layout of the house: tests mirror the source, files stay short, rooms have real names.

Run as `python tools/check_layout.py`; prints a line for each offender and exits with 1 if any.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

MAX_LINES = 400
MAX_README_LINES = 150
CODE_FOLDERS = ("src", "tests", "tools", "benchmarks", "experiments")

FORBIDDEN_NAMES = frozenset(
    {"utils", "helpers", "common", "misc", "base", "core", "manager", "handler"}
)
"""Names that say nothing: a thing has a name or is not understood yet."""

WITHOUT_TEST_FILE = {
    "__init__.py": "holds a docstring or the public surface, which every test goes through",
    "__main__.py": "one call of the command line, which tests/test_imports.py starts",
}
"""File name, or path below src/pixelift, of each module without a test file of its own; and why."""


def find_untested(root: Path) -> Iterator[str]:
    """Name the modules that have no test file at the mirrored place.

    Args:
        root: Folder of the repository.

    Yields:
        One line for each module: what is missing and where it belongs.
    """
    package = root / "src" / "pixelift"
    for module in sorted(package.rglob("*.py")):
        place = module.relative_to(package)
        if place.name in WITHOUT_TEST_FILE or place.as_posix() in WITHOUT_TEST_FILE:
            continue
        test = root / "tests" / place.parent / f"test_{place.name}"
        if not test.is_file():
            yield f"{module.relative_to(root)}: no test file, expected {test.relative_to(root)}"


def find_rooms_without_init(root: Path) -> Iterator[str]:
    """Name the rooms that are no packages, which the import contracts would not see.

    Args:
        root: Folder of the repository.

    Yields:
        One line for each room.
    """
    package = root / "src" / "pixelift"
    for folder in sorted({module.parent for module in package.rglob("*.py")}):
        if not (folder / "__init__.py").is_file():
            yield f"{folder.relative_to(root)}: no __init__.py"


def find_long_files(root: Path) -> Iterator[str]:
    """Name the code files above 400 lines, and the README above 150.

    Args:
        root: Folder of the repository.

    Yields:
        One line for each file.
    """
    limits = dict.fromkeys(
        (file for folder in CODE_FOLDERS for file in sorted((root / folder).rglob("*.py"))),
        MAX_LINES,
    )
    if (root / "README.md").is_file():
        limits[root / "README.md"] = MAX_README_LINES
    for file, limit in limits.items():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > limit:
            yield f"{file.relative_to(root)}: {lines} lines, at most {limit} are allowed"


def find_empty_names(root: Path) -> Iterator[str]:
    """Name the rooms and modules whose name says nothing.

    Args:
        root: Folder of the repository.

    Yields:
        One line for each file or folder.
    """
    package = root / "src" / "pixelift"
    for path in sorted(package.rglob("*")):
        if path.stem in FORBIDDEN_NAMES and (path.is_dir() or path.suffix == ".py"):
            yield f'{path.relative_to(root)}: "{path.stem}" says nothing, name what it holds'


CHECKS = (find_untested, find_rooms_without_init, find_long_files, find_empty_names)


def main(root: Path) -> int:
    """Print every offender.

    Args:
        root: Folder of the repository.

    Returns:
        Exit code: 0 when the layout is kept, 1 otherwise.
    """
    problems = [problem for check in CHECKS for problem in check(root)]
    for problem in problems:
        print(problem)
    print(f"layout: {len(problems)} problems" if problems else "layout: kept")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
