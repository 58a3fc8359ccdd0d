"""The patch table: one row a patch, kept as Parquet so that any tool can read it."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelift.errors import DatasetError, EngineUnavailableError
from pixelift.patches.cells import CellScores
from pixelift.patches.screen import Limits, screen_patches

PATCH_DTYPE = np.dtype(
    [
        ("picture", np.int32),
        ("top", np.int32),
        ("left", np.int32),
        ("edge_density", np.float32),
        ("variance", np.float32),
        ("restoration_error", np.float32),
        ("network_loss", np.float32),
        ("clipped", np.float32),
        ("reason", "U16"),
        ("number", np.float32),
    ]
)
"""Columns: picture number; place in HR pixels; scores (see `CellScores`; the network's loss is NaN
where none was measured); why rejected, or ''; the number that decided, NaN where kept."""

ROWS_PER_GROUP = 1 << 16
"""Rows that are written at once."""


def measured_patches(
    scores: CellScores, *, picture: int, side: int, limits: Limits | None
) -> NDArray[np.void]:
    """Make a row of each patch of a picture.

    Args:
        scores: What was measured of the patches.
        picture: Number of the picture.
        side: Side of a patch in HR pixels.
        limits: What patches are screened by; None keeps all.

    Returns:
        One row of `PATCH_DTYPE` for each patch, row by row of the picture.
    """
    rows = np.zeros(scores.variance.size, PATCH_DTYPE)
    down, right = np.indices(scores.variance.shape).reshape(2, -1) * side
    rows["picture"], rows["top"], rows["left"] = picture, down, right
    for field in fields(scores):
        rows[field.name] = getattr(scores, field.name).ravel()
    rows["number"] = np.nan
    if limits is not None:
        rows["reason"], rows["number"] = screen_patches(rows, limits)
    return rows


def write_patches(parts: Iterable[NDArray[np.void]], path: Path) -> None:
    """Write the table; the same rows give the same bytes, however they are parted.

    Args:
        parts: Rows of `PATCH_DTYPE`, a picture's at a time: no more than `ROWS_PER_GROUP` and one
            picture's are held in memory.
        path: The Parquet file.

    Raises:
        EngineUnavailableError: pyarrow is not installed.
    """
    pa, pq = _pyarrow()
    kinds = {name: PATCH_DTYPE[name] for name in PATCH_DTYPE.names or ()}
    schema = pa.schema(
        [(n, pa.string() if k.kind == "U" else pa.from_numpy_dtype(k)) for n, k in kinds.items()]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in _regrouped(parts):
            columns = [rows[n].tolist() if k.kind == "U" else rows[n] for n, k in kinds.items()]
            writer.write_table(
                pa.table(
                    [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)],
                    schema=schema,
                )
            )


def _regrouped(parts: Iterable[NDArray[np.void]]) -> Iterator[NDArray[np.void]]:
    held, count = [], 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count >= ROWS_PER_GROUP:
            rows = np.concatenate(held)
            whole = count - count % ROWS_PER_GROUP
            yield from np.split(rows[:whole], whole // ROWS_PER_GROUP)
            held, count = [rows[whole:].copy()], count - whole
    if count:
        yield np.concatenate(held)


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
        # Without threads of Arrow's own, which would run on to the end of the process.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            table = file.read(use_threads=False)
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
