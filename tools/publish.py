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

SHORT = 12
"""Digits of a set's hash that name it in the list of photos."""


def write_photo_list(dataset: Path) -> str:
    """List the training photos with hashes and credits, beside those of other networks.

    The column `sets` names the sets that a photo belongs to, by the first digits of their hash. A
    card's `dataset_sha256` is the hash over the first two columns of the photos of its set, see
    `Manifest.photos_sha256`.

    Args:
        dataset: The prepared set.

    Returns:
        The hash.
    """
    manifest = read_manifest(dataset)
    name = manifest.photos_sha256[:SHORT]
    with PHOTOS.open(encoding="utf-8", newline="") as stream:
        rows = {row["sha256"]: row for row in csv.DictReader(stream, delimiter="\t")}
    credit = ("licence", "author", "source")
    for photo in manifest.pictures:
        if photo.split == "train":
            known = rows.get(photo.sha256, {}).get("sets", "").split()
            row = {key: photo.credit.get(key, "") for key in credit}
            row |= {"sha256": photo.sha256, "name": photo.name}
            rows[photo.sha256] = row | {"sets": " ".join(sorted({*known, name}))}
    with PHOTOS.open("w", encoding="utf-8", newline="") as stream:
        columns = ("sha256", "name", *credit, "sets")
        table = csv.DictWriter(stream, columns, delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(rows.values(), key=lambda row: row["name"]))
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
