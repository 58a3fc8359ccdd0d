"""The patch table: one row a patch, kept as Parquet so that any tool can read it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import DatasetError, EngineUnavailableError
from pixelift.patches.score import ContentMaps
from pixelift.patches.screen import screen_patches

PATCH_DTYPE = np.dtype(
    [
        ("picture", np.int32),
        ("top", np.int32),
        ("left", np.int32),
        ("edge_density", np.float32),
        ("variance", np.float32),
        ("restoration_error", np.float32),
        ("reason", "U16"),
    ]
)
"""Columns: picture number; place in HR pixels; scores (see `ContentMaps`); why rejected, or ''."""


def measure_patches(
    maps: ContentMaps, shape: tuple[int, int], *, picture: int, side: int, stride: int
) -> NDArray[np.void]:
    """Lay a grid of patches over a picture and measure each.

    Args:
        maps: The picture's maps.
        shape: Height and width of the picture in HR pixels.
        picture: Number of the picture.
        side: Side of a patch in HR pixels.
        stride: Distance from one patch to the next in HR pixels.

    Returns:
        One row of `PATCH_DTYPE` for each patch that fits, row by row.
    """
    tops, lefts = (np.arange(0, max(n - side, -1) + 1, stride) for n in shape)
    top, left = (a.ravel() for a in np.meshgrid(tops, lefts, indexing="ij"))
    rows = np.zeros(top.size, PATCH_DTYPE)
    rows["picture"], rows["top"], rows["left"] = picture, top, left
    rows["edge_density"] = maps.edge_density(top, left, side)
    rows["variance"] = maps.variance(top, left, side)
    rows["restoration_error"] = maps.restoration_error(top, left, side)
    rows["reason"] = screen_patches(rows["variance"])
    return rows


def write_patches(rows: NDArray[np.void], path: Path) -> None:
    """Write the table; the same rows give the same bytes.

    Args:
        rows: Rows of `PATCH_DTYPE`.
        path: The Parquet file.

    Raises:
        EngineUnavailableError: pyarrow is not installed.
    """
    pa, pq = _pyarrow()
    columns = {name: rows[name] for name in PATCH_DTYPE.names or ()}
    columns["reason"] = rows["reason"].tolist()
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_patches(path: Path) -> NDArray[np.void]:
    """Read a table that `write_patches` wrote.

    Args:
        path: The Parquet file.

    Returns:
        Rows of `PATCH_DTYPE`.

    Raises:
        DatasetError: The file is missing, damaged, or lacks a column.
        EngineUnavailableError: pyarrow is not installed.
    """
    pa, pq = _pyarrow()
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"cannot read {path}: {error}. Prepare the set again.") from error
    missing = [n for n in PATCH_DTYPE.names or () if n not in table.column_names]
    if missing:
        raise DatasetError(f"{path} lacks the columns {', '.join(missing)}. Prepare the set again.")
    rows = np.zeros(table.num_rows, PATCH_DTYPE)
    for name in PATCH_DTYPE.names or ():
        rows[name] = table[name].to_numpy()
    return rows


def require_pyarrow() -> None:
    """Find out whether the table can be written, before the long work that ends with it.

    Raises:
        EngineUnavailableError: pyarrow is not installed.
    """
    _pyarrow()


def _pyarrow() -> tuple[Any, Any]:  # pyarrow ships no types
    try:
        import pyarrow as pa  # noqa: PLC0415 - optional package, owned by this file
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise EngineUnavailableError(
            "training sets need pyarrow, which is not installed. Run: pip install 'pixelift[train]'"
        ) from error
    return pa, pq
