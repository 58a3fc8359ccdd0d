"""Write the tables of README and docs from the results files, between markers; --check compares.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`.
"""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pixelift import list_models
from pixelift.evaluate.table import render_results, render_table
from tools import consistent_tables, peer_tables
from tools.claim_tables import CLAIM_TABLES
from tools.effort_tables import EFFORT_TABLES
from tools.study_tables import STUDY_TABLES, source

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENTS = (
    "README.md",
    "docs/formats.md",
    "docs/measurements.md",
    "docs/sampling.md",
    "docs/architectures.md",
    "docs/serving.md",
    "docs/degradation.md",
    "docs/effort.md",
    "docs/consistent.md",
)
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    """Read a results file."""
    loaded: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def quality() -> str:
    """PSNR-Y and SSIM-Y of bicubic and of every packaged model."""
    result = load("quality")
    rows = result["results"]
    protocol = re.sub(r"; \d+ pixels", "; as many pixels as the scale", rows[0]["protocol"])
    return render_results(rows) + source(result, f"PSNR-Y (dB) / SSIM-Y, float32. {protocol}")


def models() -> str:
    """What the cards say."""
    rows = [
        [
            card.name,
            f"x{card.scale}",
            f"{card.parameters / 1000:.0f}K",
            f"{card.macs_per_pixel / 1000:.0f}K",
            f"{card.bytes / 1024:.0f} KiB",
            card.licence,
            card.training,
        ]
        for card in list_models()
    ]
    header = ["model", "scale", "parameters", "MACs per LR pixel", "file", "licence", "training"]
    return render_table(header, rows)


def speed() -> str:
    """The whole process, beside Pillow."""
    result = load("speed")
    rows = [
        [name, f"{row['seconds']:.2f}", f"{row['peak_mib']:.0f}"]
        for name, row in result["results"].items()
    ]
    header = [f"{result['input']} to x{result['scale']}, whole process", "seconds", "peak MiB"]
    note = f"Median of {result['repeats']} fresh processes, {result['made_by']['threads']} threads"
    return render_table(header, rows) + source(result, note)


def engines() -> str:
    """Latency and loss by engine and precision."""
    result = load("engines")
    rows = [
        [
            f"{row['engine']} {row['precision']}",
            f"x{row['scale']}",
            f"{row['network_ms']:.0f}",
            f"{row['library_ms']:.0f}",
            f"{row['first_call_ms']:.0f}",
            f"{row['set5_loss_against_f32']:.3f}".replace("-0.000", "0.000"),
        ]
        for row in result["results"]
    ]
    header = ["balanced", "scale", "network ms", "library ms", "first call ms", "loss dB (Set5)"]
    note = (
        f"LR {result['lr']}, median of {result['repeats']}; our MATLAB-exact bicubic x4 takes "
        f"{result['bicubic_x4_ms']:.0f} ms in the same run"
    )
    return render_table(header, rows) + source(result, note)


def fps() -> str:
    """Pictures a second through the library, beside the bare engine."""
    result = load("fps")
    held_back = {(row["model"], row["scale"], row["precision"]): row for row in result["avx2"]}
    rows = []
    for row in result["results"]:
        old = held_back.get((row["model"], row["scale"], row["precision"]))
        rows.append(
            [
                f"{row['model']} x{row['scale']}",
                row["precision"],
                f"{1000 / row['bare_ms']:.1f}",
                f"{1000 / row['library_ms']:.1f}",
                f"{row['share_of_bare']:.0%}",
                f"{1000 / old['library_ms']:.1f}" if old else None,
            ]
        )
    stick = ", ".join(f"{ms:.0f} ms in {name}" for name, ms in result["yardstick_ms"].items())
    header = ["480x270, a second", "precision", "bare engine", "library", "share", "AVX2 only"]
    note = (
        f"Medians of {result['rounds']} rounds in turns, {result['made_by']['threads']} threads; "
        f"a plain network of 64 channels and 16 convolutions takes {stick} in the same run"
    )
    return render_table(header, rows) + source(result, note)


def preparing() -> str:
    """What preparing a set costs beside decoding alone."""
    result = load("preparing")
    rows = [
        [
            name,
            f"{case['cpu_seconds']:.1f}",
            f"{case['ratio_without_start']:.2f}",
            f"{case['mp_per_second_and_core']:.0f}",
            f"{case['peak_mib']:.0f}",
        ]
        for name, case in result["cases"].items()
    ]
    header = ["pixelift prepare", "processor s", "times decoding", "MP/s and core", "peak MiB"]
    note = (
        f"{result['photos']} photos, {result['megapixels']:.0f} MP, processor time of all "
        f"processes together; decoding alone takes {result['decode']['cpu_seconds']:.1f} s. The "
        "third column leaves the start of the program out on both sides"
    )
    return render_table(header, rows) + source(result, note)


def preparing_growth() -> str:
    """How preparing grows with the number of photos."""
    result = load("preparing")
    rows = [
        [
            f"{row['photos']:,}",
            f"{row['cpu_seconds']:.1f}",
            f"{1000 * (row['cpu_seconds'] - result['start_cpu_seconds']) / row['photos']:.0f}",
            f"{row['peak_mib']:.0f}",
        ]
        for row in result["growth"]
    ]
    header = ["photos of 640x480", "processor s", "ms a photo after the start", "peak MiB"]
    return render_table(header, rows) + source(result)


def loader() -> str:
    """How fast crops are delivered beside what a training step takes."""
    result = load("loader")
    rows = []
    for ratio in result["ratios"]:
        kept = {
            row["case"]: row["processor_ms"]
            for row in result["results"]
            if row["scale"] == ratio["scale"]
        }
        workers = f"workers {ratio['workers']}"
        rows.append(
            [
                f"x{ratio['scale']}, {workers}",
                f"{kept[f'pixelift, {workers}']:.1f}",
                f"{kept[f'PNG, {workers}']:.0f}",
                *(f"{n:.1f}" for n in ratio["batches_per_step"].values()),
                f"{ratio['times_the_png_folder']:.0f}",
            ]
        )
    steps = [f"batches in a step of {name}" for name in result["ratios"][0]["batches_per_step"]]
    header = ["batches of crops", "ours ms", "PNG folder ms", *steps, "times the PNG folder"]
    note = (
        f"Batches of {result['batch']} crops of {result['lr_patch']} LR pixels, processor time of "
        f"one core, median of {result['rounds']}; PNG folder: sub-images of "
        f"{result['made_of']['png_side']} pixels, decoded by Pillow, in torch's DataLoader"
    )
    return render_table(header, rows) + source(result, note)


def peers(scale: int, *, name: str = "peers") -> str:
    """Our tiers beside everybody else at one scale."""
    result = load(name)
    note = (
        f"PSNR-Y (dB) / SSIM-Y; milliseconds from an 8-bit colour picture of {result['lr']} to the "
        f"enlarged one, median of {result['rounds']} rounds in turns, {result['threads']} threads; "
        "peak memory of the whole process"
    )
    return peer_tables.side_by_side(result, scale) + source(result, note)


def peers_beaten() -> str:
    """Who is beaten by whom."""
    result = load("peers")
    note = "Beaten: a higher PSNR-Y and a higher SSIM-Y on each of the three sets, in less time"
    figure = "![PSNR-Y against time, a panel for each scale](images/peers.png)\n\n"
    return figure + peer_tables.beaten(result) + source(result, note)


def peers_trained() -> str:
    """Our tiers beside SRCNN, SRResNet and EDSR, which were trained for it."""
    figure = "![PSNR-Y against time, x4](images/peers_trained.png)\n\n"
    result = load("peers_trained")
    beaten = peer_tables.beaten(result, kind="run")
    return figure + beaten + "\n\n" + peers(4, name="peers_trained")


def serving() -> str:
    """Throughput and latency of the service beside the library's own."""
    result = load("serving")
    rows = [
        [
            f"{row['case']}, {row['clients']}",
            f"{row['per_second']:.1f}",
            f"{row['share_of_library']:.0%}",
            *(f"{row[name]:.0f}" for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms")),
            f"{row['memory_mib']:.0f}",
        ]
        for row in result["results"]
    ]
    header = [
        "threads, clients",
        "pictures/s",
        "of the library's",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "longest",
    ]
    burst = result["burst"]
    told = ", ".join(f"{n} got {status}" for status, n in sorted(burst["statuses"].items()))
    note = (
        f"{result['requests']} requests a row, {result['picture']} to x{result['scale']}, "
        f"{result['workers']} workers; the library alone, one after the other with all cores, "
        f"makes {result['library_per_second']:.1f} a second. Of {burst['requests']} at once {told}"
    )
    return render_table([*header, "MiB"], rows) + source(result, note)


def fuzzing() -> str:
    """What became of damaged pictures, and what they left behind."""
    result = load("fuzzing")
    statuses = result["statuses"]
    header = [
        "damaged pictures",
        *statuses,
        "workers lost",
        "MiB after an eighth",
        "MiB at the end",
    ]
    memory = result["memory_mib"]
    cells = [f"{result['pictures']:,}", *(f"{n:,}" for n in statuses.values())]
    cells += [str(result["workers_lost"]), f"{memory[1]:.0f}", f"{memory[-1]:.0f}"]
    return render_table(header, [cells]) + source(result)


def degraded() -> str:
    """PSNR-Y and SSIM-Y on recorded degraded copies, and on the clean ones."""
    result = load("degraded")
    rows = result["results"]
    columns = list(dict.fromkeys((row["set"], row["lr"]) for row in rows))
    methods = list(dict.fromkeys((row["model"], row["scale"]) for row in rows))
    methods.sort(key=lambda method: method[1])
    cells = {
        (row["model"], row["scale"], row["set"], row["lr"]): (
            f"{row['psnr_y']:.2f} / {row['ssim_y']:.4f}"
        )
        for row in rows
    }
    table = [
        [model, f"x{scale}", *(cells.get((model, scale, *column)) for column in columns)]
        for model, scale in methods
    ]
    header = ["model", "scale", *(f"{name}, {lr}" for name, lr in columns)]
    note = (
        f"PSNR-Y (dB) / SSIM-Y, float32; preset {result['preset']}, seed {result['seed']}, plans "
        "in benchmarks/plans"
    )
    return render_table(header, table) + source(result, note)


def kinds() -> str:
    """What -m auto, balanced and photo bring to small pictures of sixteen kinds."""
    result = load("kinds")
    cells = {(row["kind"], row["scale"]): row for row in result["results"]}
    models = list(result["results"][0]["worst"])
    shown = (2, 4)
    table = []
    for kind in dict.fromkeys(row["kind"] for row in result["results"]):
        line = [kind]
        for scale in shown:
            psnr = cells[kind, scale]["psnr"]
            line += [f"{psnr['bicubic']:.2f}"]
            line += [f"{psnr[model] - psnr['bicubic']:+.2f}" for model in models]
        table.append(line)
    header = ["kind of small picture"]
    for scale in shown:
        header += [f"x{scale} bicubic", *models]
    note = (
        f"PSNR-Y in dB (colour noise: RGB), mean over the middle {result['side']} pixels of the "
        f"{result['photos']} photos of photos/valid; behind bicubic what is gained over it"
    )
    return render_table(header, table) + source(result, note)


def formats() -> str:
    """What is kept of each hard picture."""
    result = load("formats")
    names = [name for name in result["results"][0] if name not in ("name", "bits")]
    rows = [
        [row["name"], str(row["bits"]), *(row[name] for name in names)] for row in result["results"]
    ]
    note = f"x{result['scale']} of the corpus of tools/corpus.py, each in its own format"
    return render_table(["picture", "bits", *names], rows) + source(result, note)


TABLES: dict[str, Callable[[], str]] = {
    "degraded": degraded,
    "kinds": kinds,
    "formats": formats,
    **CLAIM_TABLES,
    "preparing": preparing,
    "preparing_growth": preparing_growth,
    "loader": loader,
    "serving": serving,
    "fuzzing": fuzzing,
    "quality": quality,
    "models": models,
    "speed": speed,
    "engines": engines,
    "fps": fps,
    **{f"peers_x{scale}": partial(peers, scale) for scale in (2, 3, 4)},
    "peers_beaten": peers_beaten,
    "peers_trained": peers_trained,
    **consistent_tables.CONSISTENT_TABLES,
    **STUDY_TABLES,
    **EFFORT_TABLES,
}


def fill(text: str) -> str:
    """Put fresh tables between the markers of a document."""
    return MARKED.sub(lambda m: f"{m[1]}{_table(m[2])}\n{m[3]}", text)


def _table(name: str) -> str:
    try:
        return TABLES[name]()
    except FileNotFoundError as missing:
        return f"Not measured yet: there is no {Path(missing.filename).name}. Run: make bench"


def main(words: list[str]) -> int:
    """Write the documents, or with --check say which are out of date."""
    stale = []
    for name in DOCUMENTS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8")
        new = fill(old)
        if new != old:
            stale.append(name)
            if "--check" not in words:
                path.write_text(new, encoding="utf-8")
    if "--check" in words and stale:
        print(f"out of date: {', '.join(stale)}. Run: make tables")
        return 1
    print(f"tables of {', '.join(DOCUMENTS)} are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
