"""PSNR-Y and SSIM-Y of bicubic and every packaged model on Set5, Set14 and B100.

Usage: python benchmarks/quality.py ../shared/bench
"""

import sys
from pathlib import Path
from typing import Any

from pixelift import list_models
from pixelift.evaluate.run import BICUBIC, evaluate, open_method
from stamp import save

SETS = ("Set5", "Set14", "B100")
SCALES = (2, 3, 4)


def main(bench: Path) -> None:
    """Measure everything and write results/quality.json."""
    methods = [(BICUBIC, scale) for scale in SCALES]
    methods += [(card.name, card.scale) for card in list_models()]
    rows: list[dict[str, Any]] = []
    for name, scale in methods:
        # float32, so that any processor gives the same hundredths; bf16 is in engines.json.
        method = open_method(name, scale=scale, precision="f32")
        for test_set in SETS:
            result = evaluate(method, bench / test_set / "HR")
            rows.append({key: value for key, value in result.items() if key != "images"})
            print(f"{name} x{scale} {test_set}: {result['psnr_y']:.2f} / {result['ssim_y']:.4f}")
    save("quality", {"results": rows})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
