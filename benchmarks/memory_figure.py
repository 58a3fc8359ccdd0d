"""Draws docs/images/memory.png from results/memory.json: memory against size, flat."""

import json

from matplotlib import pyplot

from stamp import RESULTS, ROOT

FIGURE = ROOT / "docs" / "images" / "memory.png"
PROMISE = 500
"""Megabytes that the largest result may take."""

BYTES_OF_PIXEL = 3


def main() -> None:
    """Draw the curves, and beside them what the pixels of the result alone would take."""
    result = json.loads((RESULTS / "memory.json").read_text(encoding="utf-8"))
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, peaks in result["results"].items():
        sizes = [float(size) for size in peaks]
        axes.plot(sizes, [mib * 2**20 / 1e6 for mib in peaks.values()], marker="o", label=name)
    sizes = result["megapixels"]
    whole = [size * BYTES_OF_PIXEL for size in sizes]
    axes.plot(sizes, whole, color="0.6", linestyle=":", label="pixels of the result, 8 bits")
    axes.axhline(PROMISE, color="0.4", linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(0, 2 * PROMISE)
    axes.set_xlabel("megapixels of the result")
    axes.set_ylabel("largest memory of the process, MB")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(FIGURE, dpi=110)


if __name__ == "__main__":
    main()
