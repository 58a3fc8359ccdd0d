import sys

import numpy as np
import pytest

from pixelift.errors import DatasetError, EngineUnavailableError
from pixelift.patches.score import ContentMaps
from pixelift.patches.table import measure_patches, read_patches, write_patches


@pytest.fixture
def rows(rng):
    luma = rng.uniform(16, 235, (70, 100))
    luma[:32, :32] = 50
    maps = ContentMaps.of(luma, 2)
    return measure_patches(maps, luma.shape, picture=7, side=32, stride=16)


def test_the_grid_covers_what_fits_and_nothing_else(rows):
    assert sorted(set(rows["top"].tolist())) == [0, 16, 32]
    assert sorted(set(rows["left"].tolist())) == [0, 16, 32, 48, 64]
    assert (rows["picture"] == 7).all()


def test_the_flat_corner_is_rejected_with_its_reason(rows):
    assert rows[0]["reason"] == "flat"
    assert set(rows["reason"].tolist()[1:]) == {""}


def test_a_picture_smaller_than_a_patch_gives_no_rows(rng):
    maps = ContentMaps.of(rng.uniform(16, 235, (20, 100)), 2)
    assert len(measure_patches(maps, (20, 100), picture=0, side=32, stride=16)) == 0


def test_reading_gives_what_was_written_and_the_same_rows_give_the_same_bytes(rows, tmp_path):
    write_patches(rows, tmp_path / "a.parquet")
    write_patches(rows, tmp_path / "b.parquet")
    assert np.array_equal(read_patches(tmp_path / "a.parquet"), rows)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_truncated_table_is_refused(rows, tmp_path):
    path = tmp_path / "a.parquet"
    write_patches(rows, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="Prepare the set again"):
        read_patches(path)


def test_without_pyarrow_the_error_says_what_to_install(rows, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(EngineUnavailableError, match=r"pip install 'pixelift\[train\]'"):
        write_patches(rows, tmp_path / "a.parquet")
