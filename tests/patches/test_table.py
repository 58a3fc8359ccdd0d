import os
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest

from pixelift.errors import DatasetError, EngineUnavailableError
from pixelift.patches import table as table_module
from pixelift.patches.cells import CellScores
from pixelift.patches.screen import Limits
from pixelift.patches.table import PATCH_DTYPE, measured_patches, read_patches, write_patches


@pytest.fixture
def scores(rng):
    values = {name: rng.uniform(2, 9, (2, 3)) for name in CellScores.__slots__}
    values["clipped"] = np.array([[0, 0.75, 0], [0, 0, 0]])
    values["network_loss"] = np.full((2, 3), np.nan)
    values["variance"][0, 0] = 0.25
    return CellScores(**values)


@pytest.fixture
def rows(scores):
    return measured_patches(scores, picture=7, side=48, limits=Limits())


def same(first, second):
    return first.tobytes() == second.tobytes()


def test_patches_lie_side_by_side_from_the_upper_left_corner(rows, scores):
    assert rows["top"].tolist() == [0, 0, 0, 48, 48, 48]
    assert rows["left"].tolist() == [0, 48, 96] * 2
    assert (rows["picture"] == 7).all()
    expected = scores.restoration_error.ravel().astype(np.float32)
    assert np.array_equal(rows["restoration_error"], expected)


def test_a_rejected_patch_carries_its_reason_and_its_number(rows):
    assert rows["reason"].tolist() == ["flat", "clipped", "", "", "", ""]
    assert rows["number"][:2].tolist() == [0.25, 0.75]
    assert np.isnan(rows["number"][2:]).all()


def test_without_limits_every_patch_is_kept(scores):
    rows = measured_patches(scores, picture=0, side=48, limits=None)
    assert set(rows["reason"].tolist()) == {""}
    assert np.isnan(rows["number"]).all()


def test_reading_gives_what_was_written_and_the_same_rows_give_the_same_bytes(
    rows, tmp_path, monkeypatch
):
    monkeypatch.setattr(table_module, "ROWS_PER_GROUP", 4)
    write_patches([rows, rows], tmp_path / "a.parquet")
    write_patches([rows[:1], rows[1:], rows[:5], rows[5:]], tmp_path / "b.parquet")
    assert same(read_patches(tmp_path / "a.parquet"), np.concatenate([rows, rows]))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups == 3


@pytest.mark.skipif(sys.platform != "linux", reason="reads of threads where Linux tells of them")
def test_reading_leaves_no_thread_behind(rows, tmp_path):
    write_patches([rows], tmp_path / "a.parquet")
    code = """
import pathlib, sys
from pixelift.patches.table import read_patches
path = pathlib.Path(sys.argv[1])
read_patches(path)
names = [(task / "comm").read_text() for task in pathlib.Path("/proc/self/task").iterdir()]
# Its allocator has a thread of its own, with another name, from the import on.
print(sum("jemalloc" not in name for name in names))
"""
    command = [sys.executable, "-c", code, tmp_path / "a.parquet"]
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_table_without_rows_can_be_read(tmp_path):
    write_patches([], tmp_path / "a.parquet")
    rows = read_patches(tmp_path / "a.parquet")
    assert (len(rows), rows.dtype) == (0, PATCH_DTYPE)


def test_a_truncated_table_is_refused(rows, tmp_path):
    path = tmp_path / "a.parquet"
    write_patches([rows], path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="Prepare the set again"):
        read_patches(path)


def test_without_pyarrow_the_error_says_what_to_install(rows, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(EngineUnavailableError, match=r"pip install 'pixelift\[train\]'"):
        write_patches([rows], tmp_path / "a.parquet")
