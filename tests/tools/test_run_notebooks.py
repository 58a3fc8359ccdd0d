import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import run_notebooks

SCRIPT = Path(run_notebooks.__file__)


def write_notebook(path, *cells):
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, path)
    return path.read_bytes()


# In a process of its own, as `make notebooks` does: a kernel leaves threads and event loops behind.
def run(folder, *words):
    command = [sys.executable, str(SCRIPT), str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_without_notebooks_is_an_error(tmp_path, capsys):
    assert run_notebooks.main([str(tmp_path)]) == 1
    assert f"no notebooks in {tmp_path}" in capsys.readouterr().out


@pytest.mark.slow
def test_a_notebook_that_runs_is_left_as_it_is_until_told_to_write(tmp_path):
    path = tmp_path / "sum.ipynb"
    before = write_notebook(path, "a = 20", "print(a + 22)")
    assert run(tmp_path).returncode == 0
    assert path.read_bytes() == before
    assert run(tmp_path, "--write").returncode == 0
    first = path.read_bytes()
    notebook = nbformat.reads(first.decode(), as_version=4)
    assert notebook.cells[1].outputs[0].text == "42\n"
    assert run(tmp_path, "--write").returncode == 0
    assert path.read_bytes() == first
    assert [p.name for p in tmp_path.iterdir()] == ["sum.ipynb"]


@pytest.mark.slow
def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path):
    path = tmp_path / "wrong.ipynb"
    before = write_notebook(path, "a = 1", "print(a)\n1 / (a - 1)", "print('never')")
    done = run(tmp_path, "--write")
    assert done.returncode == 1
    assert "wrong.ipynb: ZeroDivisionError" in done.stdout
    assert "1 / (a - 1)" in done.stdout
    assert "never" not in done.stdout
    assert path.read_bytes() == before


@pytest.mark.slow
def test_an_output_that_names_a_folder_of_this_machine_is_refused(tmp_path):
    path = tmp_path / "where.ipynb"
    before = write_notebook(path, "import tempfile\nprint(f'{tempfile.gettempdir()}/set')")
    done = run(tmp_path, "--write")
    assert done.returncode == 1
    assert "where.ipynb: an output names the folder" in done.stdout
    assert path.read_bytes() == before


def test_the_notebooks_of_the_house_keep_their_outputs_small_and_free_of_errors():
    paths = sorted(run_notebooks.NOTEBOOKS.glob("*.ipynb"))
    assert paths
    for path in paths:
        assert path.stat().st_size <= run_notebooks.MAX_BYTES
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert all(o.output_type != "error" for cell in cells for o in cell.outputs)
        assert not run_notebooks._folders_named(notebook)
