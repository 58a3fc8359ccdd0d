"""Photos under their heat maps, and sheets of patches: the part of a report to look at."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pixelift.patches.dataset import PictureEntry, PreparedSet
from pixelift.patches.markup import clean, facts, format_number
from pixelift.patches.thumbnails import HeatMap, HeatScale, cutout_uri, thumbnail_uri, window

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


def photo_figures(
    prepared: PreparedSet, entries: list[PictureEntry], scale: HeatScale
) -> Iterator[str]:
    """Draw photos, each under its heat map.

    Args:
        prepared: The set.
        entries: The photos.
        scale: Colours of the errors.

    Yields:
        One figure for each photo; only that photo is looked at meanwhile.
    """
    owner = np.ascontiguousarray(prepared.patches["picture"])
    for entry in entries:
        yield _figure(prepared, entry, prepared.patches[owner == entry.number], scale)


def _figure(
    prepared: PreparedSet, entry: PictureEntry, rows: NDArray[np.void], scale: HeatScale
) -> str:
    picture = prepared.picture(entry.number)
    height, width = picture.shape[:2]
    heat = HeatMap.of(rows, picture.shape, side=prepared.manifest.settings.patch, scale=scale)
    cover = 100 * heat.cells.shape[1] * heat.cell_side / width
    kept = rows["reason"] == ""
    share = float(kept.mean()) if len(rows) else 0.0
    errors = rows["restoration_error"][kept]
    name = PurePosixPath(entry.name)
    error = f"{format_number(errors.mean())} levels²" if errors.size else "–"
    facts_shown = {
        "Restoration error": error,
        "Patches kept": f"{100 * share:.3g}% of {len(rows):,}",
        "Pixels": f"{width:,} × {height:,}",
        **{
            PICTURE_MEASURES.get(key, (key, ""))[0]: _with_unit(key, value)
            for key, value in entry.measures.items()
        },
        **({"Repaired": entry.repaired} if entry.repaired else {}),
    }
    credit = [entry.credit.get(key, "") for key in ("author", "licence")]
    credit_line = " · ".join(clean(part) for part in credit if part) or "licence not stated"
    alt = f"Photo {entry.name}, mean restoration error {error}"
    folder = f'<span class="soft">{clean(str(name.parent))}/</span>' if name.parent.name else ""
    return (
        f'<figure><div class="mount"><div class="photo" style="width:'
        f'{min(1.0, width / height / MOUNT):.2%};aspect-ratio:{width}/{height}">'
        f'<img class="base" alt="{clean(alt)}" src="{thumbnail_uri(picture)}">'
        f'<img class="heat" alt="" style="width:{cover:.2f}%" src="{heat.data_uri()}"></div></div>'
        f"<figcaption>{folder}<b>{clean(name.name)}</b>"
        f'<div class="bar"><i style="width:{share:.1%}"></i></div>{facts(facts_shown)}'
        f'<p class="credit">{credit_line}</p></figcaption></figure>\n'
    )


def _with_unit(key: str, value: float) -> str:
    unit = PICTURE_MEASURES.get(key, ("", ""))[1]
    if unit == "share":
        return f"{format_number(100 * value)}%"
    short = f" {unit.split()[0]}" if unit and not unit.startswith("ratio") else ""
    return format_number(value) + short


def sheet(prepared: PreparedSet, rows: NDArray[np.void], *, column: str, name: str = "") -> str:
    """Lay patches out as a contact sheet, each in its darkened surroundings.

    Args:
        prepared: The set.
        rows: Rows of `PATCH_DTYPE`.
        column: Which number is written below each patch.
        name: A further class of the sheet, for the style.

    Returns:
        A list of pictures.
    """
    items = (_patch(prepared, row, column) for row in rows)
    return f'<ul class="sheet {name}">{"".join(items)}</ul>\n'


def _patch(prepared: PreparedSet, row: np.void, column: str) -> str:
    picture = prepared.picture(int(row["picture"]))
    side = prepared.manifest.settings.patch
    place = int(row["top"]), int(row["left"])
    corner = window(place, picture.shape, side=side)
    shown = [min(2 * side, n) for n in picture.shape[:2]]
    top, left = (100 * (p - c) / n for p, c, n in zip(place, corner, shown, strict=True))
    tall, wide = (100 * side / n for n in shown)
    photo = next(e for e in prepared.manifest.pictures if e.number == row["picture"])
    where = clean(f"{photo.name}, row {place[0]}, column {place[1]}")
    return (
        f'<li title="{where}"><div class="patch">'
        f'<img alt="Patch of {where}" src="{cutout_uri(picture, corner, 2 * side)}">'
        f'<i style="left:{left:.2f}%;top:{top:.2f}%;width:{wide:.2f}%;height:{tall:.2f}%"></i>'
        f"</div>{format_number(float(row[column]))}</li>"
    )
