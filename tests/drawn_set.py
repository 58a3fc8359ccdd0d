"""A prepared set made of arrays alone, so that tests of its report need no photos."""

import numpy as np

from pixelift.patches.dataset import (
    Manifest,
    PictureEntry,
    PreparedSet,
    Settings,
    StoredFile,
    StoredPicture,
)
from pixelift.patches.table import PATCH_DTYPE


def patch_rows(picture, shape, side=48):
    """Lay a grid of rows over a picture: kept, and the harder the further down and right."""
    tops, lefts = (np.arange(n // side) * side for n in shape[:2])
    rows = np.zeros(tops.size * lefts.size, PATCH_DTYPE)
    rows["picture"] = picture
    rows["top"], rows["left"] = (a.ravel() for a in np.meshgrid(tops, lefts, indexing="ij"))
    rows["restoration_error"] = 10 + np.arange(rows.size) + 100 * picture
    rows["variance"] = 50 + np.arange(rows.size)
    rows["edge_density"] = np.linspace(0, 0.5, rows.size)
    rows["network_loss"] = rows["number"] = np.nan
    return rows


def draw_set(folder, shapes, *, names=None, rejected=(), valid=(), settings=None):
    """Write pictures of the given shapes below a folder and describe them as a prepared set."""
    settings = settings or Settings()
    rng = np.random.default_rng(7)
    (folder / "pictures").mkdir(parents=True)
    entries, rows = [], []
    for number, shape in enumerate(shapes):
        picture = rng.integers(0, 256, shape, dtype=np.uint8)
        np.save(folder / "pictures" / f"{number:05}.npy", picture)
        split = "valid" if number in valid else "train"
        entries.append(
            PictureEntry(
                number=number,
                name=names[number] if names else f"part/{number}.jpg",
                split=split,
                sha256=f"{number:064x}",
                height=shape[0],
                width=shape[1],
                file=StoredPicture(bytes=0, crc32=0),
                credit={"licence": "CC0"} if number else {},
                phash="",
                measures={"noise_sigma": 1.0 + number, "blockiness": 1.1, "sharpness": -8.0},
            )
        )
        if split == "train":
            rows.append(patch_rows(number, shape, settings.patch))
    manifest = Manifest(
        settings=settings,
        pictures=tuple(entries),
        rejected=tuple(rejected),
        patches=StoredFile(bytes=0, sha256="0" * 64),
        plan_sha256="0" * 64,
    )
    return PreparedSet(folder, manifest, np.concatenate(rows))
