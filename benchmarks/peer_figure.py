"""Draws PSNR against time for peers.py."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

SET = "Set5"
COLOURS = {"tier": "tab:red", "run": "tab:blue", "dnn": "tab:green", "resizer": "tab:gray"}
MARKS = {"tier": "o", "run": "s", "dnn": "^", "resizer": "v"}
PALE = "mistyrose"
FACES = {"bf16": "white", "int8": PALE}
"""Of marks that are not filled with their own colour."""
TOLD = {
    "tier": "Pixelift's tiers",
    "run": "trained here to compare",
    "dnn": "OpenCV dnn_superres",
    "resizer": "interpolation",
}


def draw(rows: list[dict[str, Any]], path: Path, *, lr: str) -> None:
    """Draw a panel for each scale; filled marks are float32, hollow ones bf16, pale ones int8.

    Args:
        rows: Results of peers.py.
        lr: Size of the picture that was enlarged.
        path: The PNG; replaced.
    """
    scales = sorted({row["scale"] for row in rows})
    figure = Figure(figsize=(5.2 * len(scales), 4.4), layout="constrained")
    panels = figure.subplots(1, len(scales), squeeze=False)[0]
    for panel, scale in zip(panels, scales, strict=True):
        shown = [row for row in rows if row["scale"] == scale]
        for kind, mark in MARKS.items():
            for precision in ("f32", "u8", "bf16", "int8"):
                part = [r for r in shown if (r["kind"], r["precision"]) == (kind, precision)]
                _draw_part(panel, part, mark)
        for row in shown:
            if row["precision"] in ("f32", "u8"):
                place = (row["ms"], row["quality"][SET]["psnr_y"])
                name = row["name"].removeprefix("OpenCV ") if row["kind"] == "dnn" else row["name"]
                panel.annotate(name, place, xytext=(5, 4), textcoords="offset points", fontsize=7.5)
        panel.set(xscale="log", xlabel=f"milliseconds, {lr} enlarged", title=f"x{scale}")
        panel.grid(alpha=0.3, which="both")
        panel.margins(x=0.16)
    panels[0].set_ylabel(f"PSNR-Y on {SET} (dB)")
    for kind, mark in MARKS.items():
        panels[-1].plot([], [], mark, color=COLOURS[kind], label=TOLD[kind])
    panels[-1].plot([], [], "o", color=COLOURS["tier"], markerfacecolor="white", label="bf16")
    panels[-1].plot([], [], "o", color=COLOURS["tier"], markerfacecolor=PALE, label="int8")
    panels[-1].legend(fontsize=7.5, loc="best")
    figure.savefig(path, dpi=90)


def _draw_part(panel: Any, part: list[dict[str, Any]], mark: str) -> None:  # noqa: ANN401
    part = sorted(part, key=lambda row: row["ms"])
    if not part:
        return
    kind = part[0]["kind"]
    panel.plot(
        [row["ms"] for row in part],
        [row["quality"][SET]["psnr_y"] for row in part],
        mark,
        color=COLOURS[kind],
        linestyle="-" if kind == "tier" else "none",
        linewidth=1,
        markerfacecolor=FACES.get(part[0]["precision"]),
    )
