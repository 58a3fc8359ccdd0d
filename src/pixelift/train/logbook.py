"""What a training tells while it runs: JSON lines, TensorBoard, and a picture of the curves."""

import time
from pathlib import Path
from typing import Any

import msgspec

LOG = "log.jsonl"

DRAW_EVERY_S = 10.0
"""Seconds between two drawings of the curves; drawing takes as long as many small steps."""


class Logbook:
    """Appends to the log of a run and redraws its curves."""

    def __init__(self, run: Path, *, from_step: int) -> None:
        """Open the log; lines of steps that will be done again are dropped.

        Args:
            run: The run folder.
            from_step: First step that is still to be done.
        """
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - slow to import

        self._path = run / LOG
        self._picture = run / "curves.png"
        self._lines = [line for line in read_log(run) if line["step"] <= from_step]
        self._path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in self._lines))
        self._drawn = -DRAW_EVERY_S
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=from_step)

    def add(self, step: int, **values: float) -> None:
        """Write down the values of a step."""
        line = {"step": step, **values}
        self._lines.append(line)
        with self._path.open("ab") as stream:
            stream.write(msgspec.json.encode(line) + b"\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()

    def draw(self) -> None:
        """Draw loss and PSNR against the steps, unless that was done a moment ago."""
        if time.monotonic() - self._drawn >= DRAW_EVERY_S:
            draw_curves(self._lines, self._picture)
            self._drawn = time.monotonic()

    def close(self) -> None:
        """Finish the TensorBoard file and draw the last curves."""
        self._board.close()
        if self._lines:
            draw_curves(self._lines, self._picture)


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
    partial = path.with_name(path.name + ".partial")
    figure.savefig(partial, format="png", dpi=110)
    partial.replace(path)


def _series(lines: list[dict[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = [(line["step"], line[name]) for line in lines if name in line]
    return [p[0] for p in points], [p[1] for p in points]
