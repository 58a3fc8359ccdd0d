"""Put the best network of a run into the package: weights, card, measured scores, photo credits.

Usage: python tools/publish.py RUN NAME DATASET BENCH, for instance
       python tools/publish.py runs/balanced_x4 balanced datasets/photos ../shared/bench
"""

import csv
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from pixelift.evaluate.run import evaluate, open_method
from pixelift.export.run import export_run
from pixelift.patches.dataset import read_manifest
from pixelift.zoo.card import Score, render_card

ZOO = Path(__file__).parents[1] / "src" / "pixelift" / "zoo"
PHOTOS = ZOO / "TRAINING_PHOTOS.tsv"
SETS = ("Set5", "Set14", "B100")


def write_photo_list(dataset: Path) -> str:
    """List the training photos with hashes and credits.

    The card's `dataset_sha256` is the hash over the first two columns, see
    `Manifest.photos_sha256`.

    Args:
        dataset: The prepared set.

    Returns:
        The hash.
    """
    manifest = read_manifest(dataset)
    credit = ("licence", "author", "source")
    with PHOTOS.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(("sha256", "name", *credit))
        for photo in manifest.pictures:
            if photo.split == "train":
                row = (photo.credit.get(key, "") for key in credit)
                table.writerow((photo.sha256, photo.name, *row))
    return manifest.photos_sha256


def main(run: Path, name: str, dataset: Path, bench: Path) -> None:
    """Export, measure in float32, and write weights, card and photo list."""
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "network.onnx"
        card = export_run(run, exported, name=name)
        if write_photo_list(dataset) != card.dataset_sha256:
            raise SystemExit(f"{run} was not trained on the photos of {dataset}")
        method = open_method(str(exported), scale=card.scale, precision="f32")
        scores = {}
        for test_set in SETS:
            result = evaluate(method, bench / test_set / "HR")
            psnr_y, ssim_y = result["psnr_y"] or 0.0, result["ssim_y"] or 0.0
            scores[test_set] = Score(psnr_y=round(psnr_y, 4), ssim_y=round(ssim_y, 5))
        data = exported.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        card = msgspec.structs.replace(card, sha256=sha256, bytes=len(data), scores=scores)
        shutil.copyfile(exported, ZOO / "weights" / f"{card.key}.onnx")
    (ZOO / "cards" / f"{card.key}.toml").write_text(render_card(card), encoding="utf-8")
    print(f"{card.key}: " + ", ".join(f"{k} {v.psnr_y:.2f} dB" for k, v in scores.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
