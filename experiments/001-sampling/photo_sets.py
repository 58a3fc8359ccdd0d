"""The sets of the study, prepared by the command's own function."""

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from pixelift.infer.restorer import Restorer
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings
from pixelift.patches.prepare import prepare

NETWORK = "balanced"
"""The small trained network whose loss is one of the measures."""


def prepare_sets(photos: Path, folder: Path, collections: tuple[str, ...]) -> dict[str, Any]:
    """Prepare the collections that are not there yet.

    Args:
        photos: Folder with train/, valid/ and SOURCES.tsv.
        folder: Where the sets go.
        collections: "all", or a value of the column `kind` of SOURCES.tsv.

    Returns:
        For each collection what preparing it took, with and without the network's loss.
    """
    with (photos / "SOURCES.tsv").open(encoding="utf-8") as stream:
        kinds = {row["file"]: row["kind"] for row in csv.DictReader(stream, delimiter="\t")}
    found = collect_photos([photos / "train"], "train")
    valid = collect_photos([photos / "valid"], "valid")
    taken = {}
    for name in collections:
        note = folder / f"{name}.json"
        if not note.is_file():
            chosen = [s for s in found if name in ("all", kinds[f"train/{s.name}"])]
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(_prepare(chosen + valid, folder / name)))
        taken[name] = json.loads(note.read_text())
    return taken


def _prepare(sources: list[Any], folder: Path) -> dict[str, Any]:
    """Prepare a set twice: with the network's loss, which is kept, and without, for its time."""
    settings = Settings(channels="y")
    bare = folder.with_name(folder.name + "-without-network")
    seconds = {}
    for name, target, network in (("measures", bare, ""), ("network", folder, NETWORK)):
        started = time.perf_counter()
        manifest = prepare(
            sources,
            target,
            settings=msgspec.structs.replace(settings, network=network),
            restore=Restorer(network, 4) if network else None,
        )
        seconds[name] = round(time.perf_counter() - started, 2)
    shutil.rmtree(bare)
    train = [p for p in manifest.pictures if p.split == "train"]
    return {
        "photos": len(train),
        "megapixels": round(sum(p.height * p.width for p in train) / 1e6, 1),
        "left_out": len(manifest.rejected),
        "photos_sha256": manifest.photos_sha256,
        "seconds": seconds,
    }
