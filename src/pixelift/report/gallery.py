"""Photos under their heat maps, and sheets of patches: the part of a report to look at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelift.patches.dataset import PictureEntry, PreparedSet
from pixelift.report.thumbnails import HeatMap, HeatScale, cutout_uri, thumbnail_uri, window
from pixelift.report.wording import format_number

MAX_PHOTOS = 400
"""Photos shown at most, so that a browser can open the page of a large set."""

SHEET = 40
"""Patches on a contact sheet."""

MOUNT = 4 / 3
"""Width to height of the field that a photo is mounted on; others are fitted into it."""

PICTURE_MEASURES = {
    "noise_sigma": ("Noise", "levels"),
    "blockiness": ("JPEG blockiness", "ratio, 1 = none"),
    "sharpness": ("Sharpness", "dB near Nyquist"),
    "clipped": ("Clipped pixels", "share"),
}
"""What the measures of a photo are called, and their units."""


def choose_photos(prepared: PreparedSet) -> list[PictureEntry]:
    """List the training photos to show: the most to learn first, at most `MAX_PHOTOS`.

    Args:
        prepared: The set.

    Returns:
        Photos, spread evenly over the set where there are too many.
    """
    entries = [e for e in prepared.manifest.pictures if e.split == "train"]
    if len(entries) > MAX_PHOTOS:
        at = np.linspace(0, len(entries) - 1, MAX_PHOTOS).round().astype(int)
        entries = [entries[n] for n in at]
    kept = prepared.patches[prepared.patches["reason"] == ""]
    counts = np.bincount(kept["picture"])
    totals = np.bincount(kept["picture"], kept["restoration_error"])
    means = dict(enumerate((totals / np.maximum(counts, 1)).tolist()))
    return sorted(entries, key=lambda e: -means.get(e.number, 0.0))


def choose_patches(
    rows: NDArray[np.void], order: NDArray[np.floating], *, count: int = SHEET
) -> NDArray[np.void]:
    """Pick the first patches of an order, few of each photo, so that the sheet shows variety.

    Args:
        rows: Rows of `PATCH_DTYPE`.
        order: What they are sorted by, smallest first, (N,).
        count: How many are wanted.

    Returns:
        At most `count` rows, in that order; of each photo as few as will fill the sheet.
    """
    first = np.argsort(order, kind="stable")
    photos = rows["picture"][first]
    grouped = np.argsort(photos, kind="stable")
    start = np.searchsorted(photos[grouped], photos[grouped])
    rank = np.empty(len(rows), np.intp)  # how many of the same photo come earlier
    rank[grouped] = np.arange(len(rows)) - start
    each = -(-count // max(np.unique(photos).size, 1))
    chosen: NDArray[np.void] = rows[first[rank < each][:count]]
    return chosen


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo under its heat map, as the page shows it."""

    folder: str
    """What stands before the last slash of its name; may be empty."""
    name: str
    shape: tuple[int, ...]
    """Height and width in pixels, and channels."""
    fit: float
    """Share of the width of its mount that it takes."""
    uri: str
    heat_uri: str
    cover: float
    """Width of the heat map over that of the photo: it ends with a whole cell."""
    kept: float
    """Share of its patches."""
    error: str
    """Mean restoration error of these with its unit."""
    facts: dict[str, str]
    credit: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch in its surroundings, as a contact sheet shows it."""

    photo: str
    place: tuple[int, int]
    """First row and column in the photo."""
    uri: str
    frame: tuple[float, ...]
    """Top, left, height and width of the patch, as shares of the picture."""
    number: str


def show_photos(
    prepared: PreparedSet, entries: Iterable[PictureEntry], scale: HeatScale
) -> Iterator[Photo]:
    """Draw photos, each under its heat map.

    Args:
        prepared: The set.
        entries: The photos.
        scale: Colours of the errors.

    Yields:
        What the page shows of each; only that photo is looked at meanwhile.
    """
    owner = np.ascontiguousarray(prepared.patches["picture"])
    for entry in entries:
        yield _photo(prepared, entry, prepared.patches[owner == entry.number], scale)


def _photo(
    prepared: PreparedSet, entry: PictureEntry, rows: NDArray[np.void], scale: HeatScale
) -> Photo:
    picture = prepared.picture(entry.number)
    height, width = picture.shape[:2]
    heat = HeatMap.of(rows, picture.shape, side=prepared.manifest.settings.patch, scale=scale)
    kept = rows["reason"] == ""
    share = float(kept.mean()) if len(rows) else 0.0
    errors = rows["restoration_error"][kept]
    error = f"{format_number(errors.mean())} levels²" if errors.size else "–"
    folder, slash, name = entry.name.rpartition("/")
    credit = [entry.credit.get(key, "") for key in ("author", "licence")]
    return Photo(
        folder=folder + slash,
        name=name,
        shape=picture.shape,
        fit=min(1.0, width / height / MOUNT),
        uri=thumbnail_uri(picture),
        heat_uri=heat.data_uri(),
        cover=heat.cells.shape[1] * heat.cell_side / width,
        kept=share,
        error=error,
        facts={
            "Restoration error": error,
            "Patches kept": f"{100 * share:.3g}% of {len(rows):,}",
            "Pixels": f"{width:,} × {height:,}",
            **{
                PICTURE_MEASURES.get(key, (key, ""))[0]: _with_unit(key, value)
                for key, value in entry.measures.items()
            },
            **({"Repaired": entry.repaired} if entry.repaired else {}),
        },
        credit=" · ".join(filter(None, credit)) or "licence not stated",
    )


def _with_unit(key: str, value: float) -> str:
    unit = PICTURE_MEASURES.get(key, ("", ""))[1]
    if unit == "share":
        return f"{format_number(100 * value)}%"
    short = f" {unit.split()[0]}" if unit and not unit.startswith("ratio") else ""
    return format_number(value) + short


def show_patches(prepared: PreparedSet, rows: NDArray[np.void], *, column: str) -> Iterator[Patch]:
    """Cut patches out for a contact sheet.

    Args:
        prepared: The set.
        rows: Rows of `PATCH_DTYPE`.
        column: Which number is written below each patch.

    Yields:
        What the sheet shows of each.
    """
    names = {entry.number: entry.name for entry in prepared.manifest.pictures}
    side = prepared.manifest.settings.patch
    for row in rows:
        picture = prepared.picture(int(row["picture"]))
        place = int(row["top"]), int(row["left"])
        corner = window(place, picture.shape, side=side)
        shown = [min(2 * side, n) for n in picture.shape[:2]]
        inside = ((p - c) / n for p, c, n in zip(place, corner, shown, strict=True))
        yield Patch(
            photo=names[int(row["picture"])],
            place=place,
            uri=cutout_uri(picture, corner, 2 * side),
            frame=(*inside, *(side / n for n in shown)),
            number=format_number(float(row[column])),
        )
