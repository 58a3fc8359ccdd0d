"""Runs every notebook from top to bottom, so that what they show can be had again.

Run as `python tools/run_notebooks.py [FOLDER]`; the executed copies lie in a temporary folder, and
the exit code is 1 if a cell fails. With --write the notebooks themselves get the new outputs.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"

MAX_BYTES = 1_500_000
"""Size of an executed notebook: it travels with every clone."""

SECONDS_PER_CELL = 300
"""After which a cell is given up; far beyond what any takes."""


def run_notebook(path: Path, *, into: Path) -> list[str]:
    """Execute a notebook where it lies and save the result elsewhere.

    Args:
        path: The notebook; it is not changed. Its cells run in its folder, as they do for a reader.
        into: The executed copy; it is written where no cell fails.

    Returns:
        One line for each thing that is wrong, none if all is well.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    # Sockets in a folder that only this process knows, not ports that anybody can listen to.
    kernel = AsyncKernelManager(
        kernel_name="python3", transport="ipc", connection_file=str(into.with_suffix(".json"))
    )
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=SECONDS_PER_CELL,
        record_timing=False,  # it would change at every run
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute(cleanup_kc=True)
    except CellExecutionError as error:
        cell = [c for c in notebook.cells if c.get("outputs")][-1]
        return [
            f"{path.name}: {error.ename}: {error.evalue}. It came up in this cell:\n{cell.source}"
        ]
    _tidy(notebook)
    text = nbformat.writes(notebook) + "\n"  # type: ignore[no-untyped-call]
    into.write_text(text, encoding="utf-8")
    problems = [f"{path.name}: an output names the folder {f}" for f in _folders_named(notebook)]
    if len(text) > MAX_BYTES:
        problems.append(f"{path.name}: {len(text)} bytes with outputs, {MAX_BYTES} are allowed")
    return problems


def main(arguments: list[str]) -> int:
    """Run all notebooks and print what is wrong.

    Args:
        arguments: `--write`, and the folder of the notebooks where it is another one.

    Returns:
        Exit code: 0 when all ran, 1 otherwise.
    """
    folder = next((Path(a) for a in arguments if a != "--write"), NOTEBOOKS)
    notebooks = sorted(folder.glob("*.ipynb"))
    problems = [] if notebooks else [f"no notebooks in {folder}"]
    with tempfile.TemporaryDirectory() as name:
        _keep_to(Path(name))
        for path in notebooks:
            executed = Path(name) / path.name
            found = run_notebook(path, into=executed)
            if not found and "--write" in arguments:
                path.write_bytes(executed.read_bytes())
            problems += found
    for problem in problems:
        print(problem)
    print(
        f"notebooks: {len(problems)} problems" if problems else f"notebooks: {len(notebooks)} run"
    )
    return 1 if problems else 0


def _keep_to(folder: Path) -> None:
    """Keep settings and history of a person's own Jupyter out of it, and leave none behind."""
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[variable] = str(folder / variable.lower())


def _tidy(notebook: NotebookNode) -> None:
    """Leave out what differs from machine to machine and is no result."""
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.clear()


def _folders_named(notebook: NotebookNode) -> list[str]:
    outputs = str([c.outputs for c in notebook.cells if c.cell_type == "code"])
    folders = (ROOT, Path.home(), Path(tempfile.gettempdir()))
    return [str(f) for f in folders if f"{f}/" in outputs]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
