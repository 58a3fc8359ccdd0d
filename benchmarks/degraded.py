"""PSNR-Y and SSIM-Y on recorded degraded copies of Set14, B100 and photos/valid, and on clean ones.

Usage: python benchmarks/degraded.py ../shared/bench ../shared/photos/valid [SET ...]
       [--model NAME] [--scale N]

The copies are made anew from the plans in benchmarks/plans, bit for bit, and anyone can do so:
pixelift degrade HR -o LR --plan benchmarks/plans/Set14_x4.json. What has no plan yet is drawn.
Results of sets, models and scales that are not named stay as they are.
"""

import argparse
import json
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
SCALES = (2, 3, 4)
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


def models_of(scale: int) -> list[str]:
    """List bicubic and every packaged model of a scale."""
    return [BICUBIC, *(card.name for card in list_models() if card.scale == scale)]


def measure(name: str, hr: Path, *, scale: int, models: Sequence[str]) -> list[dict[str, Any]]:
    """Measure models on a degraded copy of a set and on a clean one."""
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


def main() -> None:
    """Measure what was named, or everything, and write results/degraded.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("sets", nargs="*", metavar="SET", help="Set14, B100, valid; by default all")
    parser.add_argument("--model", help="by default all")
    parser.add_argument("--scale", type=int, choices=SCALES, help="by default all")
    given = parser.parse_args()
    if given.model and not any(given.model in models_of(scale) for scale in SCALES):
        parser.error(f"no model {given.model}; see pixelift models")
    folders = {name: given.bench / name / "HR" for name in ("Set14", "B100")}
    folders["valid"] = given.valid
    path = RESULTS / "degraded.json"
    rows: list[dict[str, Any]] = []
    if path.is_file() and (given.sets or given.model or given.scale):
        rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    for name in given.sets or folders:
        for scale in [given.scale] if given.scale else SCALES:
            models = [m for m in models_of(scale) if given.model in (None, m)]
            new = measure(name, folders[name], scale=scale, models=models)
            done = {(name, scale, model) for model in models}
            rows = [r for r in rows if (r["set"], r["scale"], r["model"]) not in done] + new
    sets = list(folders)
    rows.sort(
        key=lambda r: (
            sets.index(r["set"]),
            r["scale"],
            r["lr"],
            models_of(r["scale"]).index(r["model"]),
        )
    )
    save("degraded", {"preset": PRESET, "seed": SEED, "results": rows})


if __name__ == "__main__":
    main()
