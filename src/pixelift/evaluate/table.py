"""Rows to Markdown: the one place where tables are drawn, for people and for documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from pixelift.image.shown import shown

FURTHER = {"gmsd": "GMSD", "haarpsi": "HaarPSI", "vif": "VIF"}
"""Further scores that a result may hold, and what they are called."""

MISSING = "–"
"""What stands where there is no number."""


def render_table(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """Draw a table in Markdown that also reads well in a terminal.

    The first column is aligned to the left, as names are, all others to the right, as numbers.

    Args:
        header: Names of the columns.
        rows: Cells, as many in each row as there are columns; None where there is no number.

    Returns:
        Lines without a newline at the end.

    Example:
        >>> print(render_table(["model", "PSNR-Y"], [["bicubic", "28.42"], ["balanced", None]]))
        | model    | PSNR-Y |
        | :------- | -----: |
        | bicubic  |  28.42 |
        | balanced |      – |
    """
    # A bar inside a cell would open a new one.
    cells = [[shown(c or MISSING).replace("|", r"\|") for c in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    lines = [
        [_align(c, w, i) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in cells
    ]
    rule = [":" + "-" * (w - 1) if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def render_images(result: Mapping[str, Any]) -> str:
    """Draw the scores of each picture of one result, and their means.

    Args:
        result: As `evaluate` returns it, or as read from its JSON file.

    Returns:
        A Markdown table and its caption, without a newline at the end.
    """
    further = [name for name in FURTHER if name in result]

    def cells(row: Mapping[str, Any]) -> list[str | None]:
        more = (row[name] for name in further)
        return [*_scores(row), *(None if n is None else f"{n:.4f}" for n in more)]

    rows = [[image["name"], *cells(image)] for image in result["images"]]
    rows.append([f"mean of {result['n']}", *cells(result)])
    header = ["picture", "PSNR-Y", "SSIM-Y", *(FURTHER[name] for name in further)]
    return f"{render_table(header, rows)}\n\n{caption(result)}"


def render_results(results: Sequence[Mapping[str, Any]]) -> str:
    """Draw results of several models, scales and sets, one row for each model and scale.

    Args:
        results: As `evaluate` returns them, or as read from their JSON files.

    Returns:
        A Markdown table without a newline at the end; rows and columns in the order in which
        they first come up, "PSNR-Y / SSIM-Y" in each cell.
    """
    cells = {
        (result["model"], result["scale"], result["set"]): " / ".join(
            score or MISSING for score in _scores(result)
        )
        for result in results
    }
    methods = list(dict.fromkeys((model, scale) for model, scale, _ in cells))
    sets = list(dict.fromkeys(name for _, _, name in cells))
    rows = [[m, f"x{s}", *(cells.get((m, s, name)) for name in sets)] for m, s in methods]
    return render_table(["model", "scale", *sets], rows)


def caption(result: Mapping[str, Any]) -> str:
    """Say in one line what was measured, on what and how.

    Args:
        result: As `evaluate` returns it, or as read from its JSON file.

    Returns:
        One line of text.
    """
    text = f"{result['model']} x{result['scale']} on {result['set']}"
    return f"{text}. {result['protocol']}." if result.get("protocol") else f"{text}."


def _scores(row: Mapping[str, Any]) -> list[str | None]:
    psnr_y, ssim_y = row["psnr_y"], row["ssim_y"]
    return [
        None if psnr_y is None else f"{psnr_y:.2f}",
        None if ssim_y is None else f"{ssim_y:.4f}",
    ]


def _align(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)
