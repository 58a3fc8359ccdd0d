"""The sets of the study, prepared by the command's own function, and the pairs of Set14."""

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from pixelift.image.color import luma
from pixelift.image.depth import to_u8
from pixelift.image.read import read_picture
from pixelift.image.resize import downscale, modcrop
from pixelift.infer.restorer import Restorer
from pixelift.patches.collect import collect_photos
from pixelift.patches.dataset import Settings
from pixelift.patches.prepare import prepare
from pixelift.train.validate import Pairs

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


def set14_pairs(folder: Path, scale: int) -> Pairs:
    """Read Set14 as luma planes of 8 bits, like the sets: shrunk as RGB, then Y.

    Args:
        folder: Set14, with HR/*.png.
        scale: LR to HR factor.

    Returns:
        The pairs.
    """
    pairs = []
    for path in sorted((folder / "HR").glob("*.png")):
        rgb = np.broadcast_to(pixels := read_picture(path).pixels, (*pixels.shape[:2], 3))
        hr = modcrop(to_u8(rgb), scale)
        lr = _plane(downscale(hr, scale))
        pairs.append((torch.from_numpy(lr)[None, None], _plane(hr)[..., None]))
    return pairs


def _plane(rgb_u8: np.ndarray) -> np.ndarray:
    return np.floor(luma(rgb_u8 / 255) + 0.5).astype(np.float32) / 255


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
