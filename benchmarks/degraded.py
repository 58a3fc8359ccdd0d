"""PSNR-Y and SSIM-Y on recorded degraded copies of Set14, B100 and photos/valid, and on clean ones.

Usage: python benchmarks/degraded.py ../shared/bench ../shared/photos/valid [SET ...]

The copies are made anew from the plans in benchmarks/plans, bit for bit, and anyone can do so:
pixelift degrade HR -o LR --plan benchmarks/plans/Set14_x4.json. What has no plan yet is drawn.
Results of sets that are not named stay as they are.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixelift import list_models
from pixelift.degrade.draw import PRESETS
from pixelift.degrade.folder import Drawn, Outcome, Replayed, degrade_folder
from pixelift.degrade.recorded import FILE, read_record
from pixelift.evaluate.run import BICUBIC, evaluate, open_method
from stamp import RESULTS, save

PLANS = Path(__file__).parent / "plans"
PRESET, SEED = "photo", 2026
SCALES = (2, 4)
KEPT = ("model", "scale", "set", "n", "psnr_y", "ssim_y", "protocol", "set_sha256", "failed")
PERCEPTUAL = ("gmsd", "haarpsi", "vif")
JUDGED = (("Set14", 4), ("B100", 4))
"""Sets and scales whose degraded copies are judged by these as well: where there is `vivid`."""


def make_lr(name: str, hr: Path, *, scale: int, output: Path) -> None:
    """Make the degraded copy of a set from its recorded plans; draw them where missing."""
    recorded = PLANS / f"{name}_x{scale}.json"
    drawn = Drawn(PRESETS[PRESET], scale, SEED, PRESET)
    plans = Replayed(read_record(recorded)) if recorded.is_file() else drawn

    def report(outcome: Outcome) -> None:
        if outcome.error:
            raise SystemExit(outcome.error)

    degrade_folder(hr, output, plans=plans, report=report)
    PLANS.mkdir(exist_ok=True)
    recorded.write_bytes((output / FILE).read_bytes())


def measure(name: str, hr: Path, *, scale: int) -> list[dict[str, Any]]:
    """Measure bicubic and every packaged model of a scale on a degraded copy and on a clean one."""
    models = [BICUBIC, *(card.name for card in list_models() if card.scale == scale)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_lr(name, hr, scale=scale, output=Path(folder) / "lr")
        for model in models:
            # float32, so that any processor gives the same hundredths.
            method = open_method(model, scale=scale, precision="f32")
            for lr, path in ((PRESET, Path(folder) / "lr"), ("clean", None)):
                is_judged = path is not None and (name, scale) in JUDGED
                result = evaluate(method, hr, lr=path, perceptual=is_judged)
                if result["failed"]:
                    raise SystemExit(result["failed"])
                kept = KEPT + PERCEPTUAL * is_judged
                rows.append({"lr": lr} | {key: result[key] for key in kept} | {"set": name})
                print(
                    f"{name} x{scale} {lr} {model}: {result['psnr_y']:.2f} / {result['ssim_y']:.4f}"
                )
    return rows


def main(bench: Path, valid: Path, names: Sequence[str]) -> None:
    """Measure the named sets, or all of them, and write results/degraded.json."""
    folders = {"Set14": bench / "Set14" / "HR", "B100": bench / "B100" / "HR", "valid": valid}
    wanted = names or list(folders)
    old: list[dict[str, Any]] = []
    path = RESULTS / "degraded.json"
    if names and path.is_file():
        old = json.loads(path.read_text(encoding="utf-8"))["results"]
    rows = [row for row in old if row["set"] not in wanted]
    for name in wanted:
        for scale in SCALES:
            rows += measure(name, folders[name], scale=scale)
    order = list(folders)
    rows.sort(key=lambda row: (order.index(row["set"]), row["scale"], row["lr"]))
    save("degraded", {"preset": PRESET, "seed": SEED, "results": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
