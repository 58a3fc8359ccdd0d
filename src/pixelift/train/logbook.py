"""What a training tells while it runs: JSON lines, TensorBoard, and a picture of the curves."""

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.atomic import replacing
from pixelift.train.checkpoint import write_whole

LOG = "log.jsonl"

DRAW_EVERY_S = 10.0
"""Seconds between two drawings of the curves; drawing takes as long as many small steps."""


class Logbook:
    """Appends to the log of a run and redraws its curves."""

    def __init__(
        self, run: Path, *, from_step: int, tell: Callable[[str], None] | None = None
    ) -> None:
        """Open the log; lines of steps that will be done again are dropped.

        Args:
            run: The run folder.
            from_step: Steps that are done.
            tell: Told what is left out because a package for it is not installed.
        """
        self._path = run / LOG
        self._picture = run / "curves.png"
        self._lines = [line for line in read_log(run) if line["step"] <= from_step]
        kept = b"".join(msgspec.json.encode(line) + b"\n" for line in self._lines)
        write_whole(self._path, kept)
        self._drawn, self._lines_drawn = -DRAW_EVERY_S, 0
        self._board = _open_board(run / "tensorboard", purge_step=from_step + 1)
        self._draws = _is_installed("matplotlib")
        missing = [] if self._board else ["tensorboard"]
        missing += [] if self._draws else ["matplotlib"]
        if missing and tell:
            tell(
                f"{' and '.join(missing)} not installed: {LOG} holds the curves all the same. "
                "For the rest: pip install 'pixelift[train]'"
            )

    def add(self, step: int, **values: float) -> None:
        """Write down the values of a step."""
        line = {"step": step, **values}
        self._lines.append(line)
        with self._path.open("ab") as stream:
            stream.write(msgspec.json.encode(line) + b"\n")
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    def add_picture(self, step: int, pixels: NDArray[np.uint8]) -> None:
        """Keep a sample picture for TensorBoard.

        Args:
            step: Steps done.
            pixels: (H, W, 3).
        """
        # TensorBoard's writer encodes pictures by Pillow.
        if self._board and _is_installed("PIL"):
            self._board.add_image("bicubic | network | original", pixels, step, dataformats="HWC")
            self._board.flush()

    def draw(self) -> None:
        """Draw loss and PSNR against the steps, unless that was done a moment ago."""
        if time.monotonic() - self._drawn >= DRAW_EVERY_S:
            self._draw()

    def close(self) -> None:
        """Finish the TensorBoard file and draw the last curves."""
        if self._board:
            self._board.close()
        self._draw()

    def _draw(self) -> None:
        if self._draws and len(self._lines) > self._lines_drawn:
            draw_curves(self._lines, self._picture)
            self._drawn, self._lines_drawn = time.monotonic(), len(self._lines)


def _is_installed(package: str) -> bool:
    try:
        importlib.import_module(package)
    except ImportError:
        return False
    return True


def _open_board(folder: Path, *, purge_step: int) -> Any:  # noqa: ANN401 - torch's, or nothing
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - slow to import
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=purge_step)


def read_log(run: Path) -> list[dict[str, Any]]:
    """Read the log of a run.

    Args:
        run: The run folder.

    Returns:
        One dictionary a line; empty where there is no log. A line cut off by a kill is left out.
    """
    path = run / LOG
    lines: list[dict[str, Any]] = []
    for text in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            lines.append(msgspec.json.decode(text))
        except msgspec.DecodeError:
            continue
    return lines


def draw_curves(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw loss and PSNR of a log as a PNG.

    Args:
        lines: What `read_log` returned.
        path: The picture.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    loss.plot(*_series(lines, "loss"), linewidth=1)
    loss.set(xlabel="step", ylabel="loss", yscale="log", title="training loss")
    quality.plot(*_series(lines, "psnr_y"), marker=".", linewidth=1)
    quality.set(xlabel="step", ylabel="PSNR-Y (dB)", title="validation crops")
    quality.grid(alpha=0.3)
    with replacing(path) as hidden:
        figure.savefig(hidden, format="png", dpi=110)


def _series(lines: list[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = [(line["step"], line[name]) for line in lines if name in line]
    return [p[0] for p in points], [p[1] for p in points]
