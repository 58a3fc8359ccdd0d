"""The page that tells how far the campaign is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plan import Training

from pixelift.train.checkpoint import write_whole
from pixelift.train.logbook import read_log

_HEAD = (
    "| training | step | of | hours | dB now | dB gained | in the last hour |",
    "| :-- | --: | --: | --: | --: | --: | --: |",
)


def write_status(path: Path, queue: Sequence[Training], runs: Path, *, state: str) -> None:
    """Write the page anew.

    Args:
        path: The file.
        queue: All trainings.
        runs: Folder of their run folders.
        state: What is done at this moment, in a sentence.
    """
    lines = [f"# The campaign\n\n{state}\n", *_HEAD]
    for training in queue:
        steps, log = training.settings().optim.steps, read_log(runs / training.name)
        if not log:
            lines.append(f"| {training.name} | – | {steps:,} | | | | |")
            continue
        measured = best_so_far(log)
        hours = max(line.get("seconds", 0.0) for line in log) / 3600
        told = "| | | |"
        if measured:
            now = measured[-1][1]
            # Where it stood an hour of training ago, or at its first validation.
            before = [value for at, value in measured if at <= hours - 1] or [measured[0][1]]
            told = f"| {now:.3f} | {now - measured[0][1]:+.3f} | {now - before[-1]:+.3f} |"
        lines.append(f"| {training.name} | {log[-1]['step']:,} | {steps:,} | {hours:.2f} {told}")
    lines.append(
        "\nPSNR-Y on the validation crops, gained since the first validation of the run; hours of "
        "training, all processes at once.\n"
    )
    write_whole(path, "\n".join(lines).encode())


def best_so_far(log: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """List the best value up to each validation.

    Args:
        log: Lines of a run's log.

    Returns:
        Hours of training, and the best PSNR-Y in dB until then.
    """
    measured: list[tuple[float, float]] = []
    for line in log:
        if "psnr_y" in line:
            best = max(line["psnr_y"], measured[-1][1] if measured else line["psnr_y"])
            measured.append((line.get("seconds", 0.0) / 3600, best))
    return measured
