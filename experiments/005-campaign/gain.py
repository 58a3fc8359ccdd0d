"""Put what the campaign gained into the package, and write down what it was.

    python experiments/005-campaign/gain.py PHOTOS BENCH [--work FOLDER]

Each network that has learned further is exported and measured on photos/valid, in float32, beside
the packaged one. It takes its place where it gained 0.02 dB or more; less is not worth a new file.
BENCH has no say in it: its scores are what the new card tells. Weights, card and results.json are
then to be committed; `make bench tables` renews what is told of them.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from plan import Training, read_queue
from status import best_so_far

import publish
from pixelift.evaluate.run import evaluate, open_method
from pixelift.export.run import export_run
from pixelift.train.checkpoint import BEST
from pixelift.train.logbook import read_log
from study import save_results, stamp

HERE = Path(__file__).resolve().parent
LEAST_DB = 0.02
"""What a network has to gain on photos/valid to replace the packaged one."""


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, help="folder with train/ and valid/")
    parser.add_argument("bench", type=Path, help="folder of Set5, Set14 and B100")
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--queue", type=Path, default=HERE / "queue.toml")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    chosen = parser.parse_args()
    rows = read_rows(chosen.results)
    for training in read_queue(chosen.queue):
        run = chosen.work / "runs" / training.name
        known = next((row for row in rows if row["training"] == training.name), None)
        steps = read_log(run)[-1]["step"] if (run / BEST).is_file() else 0
        if not steps or (known and known["steps"] >= steps):
            continue
        row = measure(training, run, chosen.photos / "valid")
        if row["gained"] >= LEAST_DB:
            name, _, _ = training.feeds.rpartition("_x")
            publish.main(run, name, chosen.work / "photos", chosen.bench)
            row["packaged"] = True
        print(f"{training.name}: {row['gained']:+.3f} dB on photos/valid", flush=True)
        rows = [other for other in rows if other is not known] + [row]
        save_results(chosen.results, {"made_by": stamp(), "rows": rows}, line_at="training")


def read_rows(results: Path) -> list[dict[str, Any]]:
    """Read what is written down.

    Args:
        results: The file; it may be missing.

    Returns:
        A row for each training that was ever measured.
    """
    if not results.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["rows"]
    return rows


def finished_names(results: Path) -> set[str]:
    """Tell which trainings were carried to their end.

    Args:
        results: The file; it may be missing.

    Returns:
        Their names.
    """
    return {row["training"] for row in read_rows(results) if row["steps"] == row["of"]}


def measure(training: Training, run: Path, valid: Path) -> dict[str, Any]:
    """Hold the best weights of a run against the packaged network.

    Args:
        training: The training.
        run: Its run folder.
        valid: Folder of the photos that both are measured on.

    Returns:
        A row for results.json.
    """
    recipe, log = training.settings(), read_log(run)
    scale, name = recipe.model.scale, training.feeds.rpartition("_x")[0]
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "network.onnx"
        export_run(run, exported, name=name)
        now, before = (
            evaluate(open_method(str(method), scale=scale, precision="f32"), valid)["psnr_y"] or 0.0
            for method in (exported, name)
        )
    return {
        "training": training.name,
        "feeds": training.feeds,
        "steps": log[-1]["step"],
        "of": recipe.optim.steps,
        "hours": round(max(line.get("seconds", 0.0) for line in log) / 3600, 2),
        "valid_before": round(before, 4),
        "valid_now": round(now, 4),
        "gained": round(now - before, 4),
        "packaged": False,
        "curve": [[round(hours, 3), round(value, 4)] for hours, value in best_so_far(log)],
    }


if __name__ == "__main__":
    main()
