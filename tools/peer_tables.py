"""The tables of the side-by-side benchmark, from the rows and verdicts of benchmarks/peers.py."""

from typing import Any

from pixelift.evaluate.table import render_table

ARITHMETIC = {"f32": "float32", "bf16": "bf16", "int8": "int8", "u8": "integers"}
OURS = ("f32", "bf16", "int8")


def side_by_side(result: dict[str, Any], scale: int) -> str:
    """Quality, time and memory of everything at one scale, the quickest first.

    Args:
        result: The results file.
        scale: LR to HR factor.

    Returns:
        Markdown.
    """
    rows = [row for row in result["results"] if row["scale"] == scale]
    rows.sort(key=lambda row: float(row["ms"]))
    header = [f"x{scale}", "arithmetic", *rows[0]["quality"], "ms", "peak MiB"]
    return render_table(header, [_row(row) for row in rows])


def _row(row: dict[str, Any]) -> list[str | None]:
    quality = [f"{q['psnr_y']:.2f} / {q['ssim_y']:.4f}" for q in row["quality"].values()]
    name = f"**{row['name']}**" if row["kind"] == "tier" else row["name"]
    spent = [f"{row['ms']:.1f}", f"{row['peak_mib']:.0f}"]
    return [name, ARITHMETIC[row["precision"]], *quality, *spent]


def beaten(result: dict[str, Any], *, kind: str = "") -> str:
    """Which tier beats which peer in both quality and time, and a line that names the unbeaten.

    Args:
        result: The results file.
        kind: Of peers, to tell of these alone.

    Returns:
        Markdown.
    """
    asked = {row["name"] for row in result["results"] if kind in ("", row["kind"])}
    verdicts = [verdict for verdict in result["verdicts"] if verdict["name"] in asked]
    cases = sorted({(v["scale"], p) for v in verdicts for p in OURS if p in v})
    cases.sort(key=lambda case: (OURS.index(case[1]), case[0]))
    found = {(v["name"], v["scale"]): v for v in verdicts}
    rows = []
    for name in dict.fromkeys(v["name"] for v in verdicts):
        cells = [_cell(found.get((name, scale), {}).get(p)) for scale, p in cases]
        rows.append([name, *cells])
    header = ["beaten by", *(f"x{scale}, {ARITHMETIC[p]}" for scale, p in cases)]
    return render_table(header, rows) + "\n\n" + _unbeaten(verdicts)


def _cell(verdict: dict[str, list[str]] | None) -> str | None:
    if verdict is None:
        return None
    return ", ".join(verdict["beaten_by"]) or f"nobody ({_lacking(verdict)})"


def _lacking(verdict: dict[str, list[str]]) -> str:
    if not verdict["better"]:
        return "none is better"
    return "those better are slower" if verdict["faster"] else "none is faster"


def _unbeaten(verdicts: list[dict[str, Any]]) -> str:
    told = []
    for precision in OURS:
        judged = [v for v in verdicts if precision in v]
        names = [f"{v['name']} x{v['scale']}" for v in judged if not v[precision]["beaten_by"]]
        if judged:
            told.append(f"Not beaten in {ARITHMETIC[precision]}: {', '.join(names) or 'nobody'}.")
    return " ".join(told)
