"""Tables of what users ask first: how much memory, how long a whole folder takes, is it better."""

from pixelift.evaluate.table import render_table
from tools.effort_tables import load
from tools.study_tables import source


def memory() -> str:
    """Largest memory of the whole process by the size of the result."""
    result = load("memory")
    sizes = [f"{size:g}" for size in result["megapixels"]]
    rows = [
        [name, *(f"{peaks[size] * 2**20 / 1e6:.0f}" if size in peaks else "" for size in sizes)]
        for name, peaks in result["results"].items()
    ]
    header = [f"MB for a result of (x{result['scale']})", *(f"{size} MP" for size in sizes)]
    figure = "![Memory against the size of the result](images/memory.png)\n\n"
    return figure + render_table(header, rows) + source(result)


def folder() -> str:
    """A folder of photos beside what the network alone takes."""
    result = load("folder")
    rows = [
        [
            row["case"],
            str(result["photos"]),
            f"{row['network_seconds']:.2f}",
            f"{row['folder_seconds']:.2f}",
            f"{row['ratio']:.2f}",
            f"{row['folder_cpu_seconds'] / row['network_cpu_seconds']:.2f}",
        ]
        for row in result["results"]
    ]
    header = [
        "folder",
        "photos",
        "network alone, s",
        "files to JPEG files, s",
        "times",
        "times the processor time",
    ]
    size = result["results"][0]["lr_megapixels"]
    note = (
        f"{size:g} LR megapixels; the fastest of {result['rounds']} rounds in "
        "turns. The last column is what the ratio would be if nothing overlapped with a gap"
    )
    return render_table(header, rows) + source(result, note)


def perceptual() -> str:
    """What measures of edges say about networks that invent, and about those that do not."""
    result = load("degraded")
    judged = [row for row in result["results"] if "haarpsi" in row]
    rows = [
        [
            row["model"],
            f"{row['set']} x{row['scale']}",
            f"{row['psnr_y']:.2f}",
            f"{row['haarpsi']:.4f}",
            f"{row['gmsd']:.4f}",
            f"{row['vif']:.4f}",
        ]
        for row in judged
    ]
    header = ["model", f"preset {result['preset']}", "PSNR-Y", "HaarPSI", "GMSD", "VIF"]
    note = "More is better, but for GMSD"
    return render_table(header, rows) + source(result, note)


CLAIM_TABLES = {"memory": memory, "folder": folder, "perceptual": perceptual}
