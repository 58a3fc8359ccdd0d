"""A prepared set as one page to look at: what training will see, what it will not, and why."""

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pixelift.atomic import replacing
from pixelift.errors import DatasetError
from pixelift.patches.charts import SHARE, Axis, Limit, color_scale, histogram
from pixelift.patches.dataset import Manifest, PreparedSet, Settings
from pixelift.patches.gallery import (
    PICTURE_MEASURES,
    choose_patches,
    choose_photos,
    photo_figures,
    sheet,
)
from pixelift.patches.markup import clean, facts, format_number, table
from pixelift.patches.thumbnails import HeatScale

MAX_REJECTED = 1000
"""Rejected photos listed at most; the page says how many more there are."""

EXAMPLES = 10
"""Patches shown for each reason of rejection."""

_SETTINGS = {
    "patch": "side of a patch, px",
    "holdout": "share set aside",
    "network": "network measured",
    "noise_sigma_max": "noise at most, levels",
    "blockiness_max": "blockiness at most, ratio",
    "sharpness_min": "sharpness at least, dB",
    "clipped_max": "clipped at most, share",
    "flat_variance": "flat below, levels²",
    "duplicate_distance": "near-duplicate up to, bits",
}
"""What settings are called where their own name does not say it."""

_PATCH_MEASURES = (
    ("restoration_error", "Restoration error", "levels²", ""),
    ("network_loss", "Network loss", "levels²", ""),
    ("edge_density", "Edge density", SHARE, ""),
    ("variance", "Luma variance", "levels²", "flat_variance"),
    ("clipped", "Clipped pixels", SHARE, "clipped_max"),
)
"""Column, title, unit, and the limit that is drawn."""

_PATCH_RULES = {
    "flat": ("flat_variance", "Nothing but one colour: luma variance below {} levels²."),
    "clipped": ("clipped_max", "Blown out or drowned: a share of more than {} at either end."),
}
"""Reason: the limit that decided, and what it means."""

_RULE_MEASURES = {"noise": "noise_sigma", "blockiness": "blockiness", "blur": "sharpness"}
"""Rule that rejects photos: the measure whose number it gives, where their names differ."""


def write_report(prepared: PreparedSet, path: Path) -> None:
    """Write a set as one HTML page that needs no other file, no network and no script.

    The same set gives the same bytes. One photo is looked at at a time, and the page is written
    as it grows, so memory does not depend on the number of photos.

    Args:
        prepared: The set.
        path: The page; an older one is replaced when the new one is whole.

    Raises:
        DatasetError: The page cannot be written.
    """
    try:
        with (
            replacing(path) as hidden,
            hidden.open("w", encoding="utf-8", newline="\n") as stream,
        ):
            stream.writelines(_page(prepared))
    except OSError as error:
        raise DatasetError(
            f"no report at {path}: {error.strerror or error}. The training set itself is whole; "
            "make room or choose a folder that exists, and run the same command again."
        ) from error


def _page(prepared: PreparedSet) -> Iterator[str]:
    name = clean(prepared.folder.name or "training set")
    style = files("pixelift.patches").joinpath("report.css").read_text(encoding="utf-8")
    # The policy makes the browser itself refuse whatever is not inside the page.
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: what training sees</title>\n<style>\n{style}</style></head><body>\n"
    )
    patches = prepared.patches
    kept = patches[patches["reason"] == ""]
    yield _head(prepared, name, kept)
    yield "<main>\n"
    yield from _photos(prepared, HeatScale.of(kept["restoration_error"]))
    yield _sheets(prepared, kept)
    yield _patch_charts(prepared.manifest.settings, patches)
    yield _photo_charts(prepared.manifest)
    yield _rejected(prepared)
    yield "</main></body></html>\n"


def _head(prepared: PreparedSet, name: str, kept: NDArray[np.void]) -> str:
    manifest = prepared.manifest
    trained = [e for e in manifest.pictures if e.split == "train"]
    megapixels = sum(e.height * e.width for e in trained) / 1e6
    rejected = len(prepared.patches) - len(kept)
    tiles = {
        "photos to train on": f"{len(trained):,}",
        "megapixels in them": f"{megapixels:,.1f}",
        "patches kept": f"{len(kept):,}",
        f"patches rejected, {rejected / max(len(prepared.patches), 1):.1%}": f"{rejected:,}",
        "photos rejected": f"{len(manifest.rejected):,}",
        "photos set aside for validation": f"{len(manifest.pictures) - len(trained):,}",
    }
    licences = Counter(e.credit.get("licence") or "not stated" for e in manifest.pictures)
    counted = {k: f"{n:,}" for k, n in sorted(licences.items(), key=lambda kn: (-kn[1], kn[0]))}
    return (
        f"<header><h1>What training sees of {name}</h1>\n{_gist(kept['restoration_error'])}"
        f'<ul class="tiles">{"".join(f"<li><b>{v}</b>{clean(k)}</li>" for k, v in tiles.items())}'
        f"</ul>\n<details><summary>Settings, licences, hash</summary>"
        '<div class="cards"><div class="card"><h3>Settings</h3>'
        f"{facts(_settings(manifest.settings))}</div>\n"
        f'<div class="card"><h3>Licences of the photos</h3>{facts(counted)}</div>\n'
        f'<div class="card"><h3>Hash of the training photos</h3><p class="soft">SHA-256; the card '
        f"of a model names the photos behind it by this.</p><code>{manifest.photos_sha256}</code>"
        '</div></div></details>\n<nav><a href="#photos">Photos</a><a href="#patches">Patches</a>'
        '<a href="#numbers">Numbers</a><a href="#rejected">Rejected</a></nav></header>\n'
    )


def _gist(errors: NDArray[np.floating]) -> str:
    """Say in one sentence how unevenly there is something to learn."""
    if errors.size == 0 or not errors.any():
        return '<p class="lead">No patch of this set has anything to teach.</p>\n'
    running = np.cumsum(np.sort(errors.astype(np.float64))[::-1])
    share = (np.searchsorted(running, running[-1] / 2) + 1) / errors.size
    return (
        '<p class="lead">Half of all that interpolation gets wrong lies in '
        f"<b>{share:.1%}</b> of the patches. Training looks there most often.</p>\n"
    )


def _settings(settings: Settings) -> dict[str, str]:
    plain = msgspec.to_builtins(settings)
    limits = plain.pop("limits") if settings.screens else plain.pop("limits") and {}
    named = (_SETTINGS.get(key, key.replace("_", " ")) for key in {**plain, **limits})
    return dict(zip(named, map(_word, {**plain, **limits}.values()), strict=True))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return format_number(value) if isinstance(value, (int, float)) else str(value) or "none"


def _photos(prepared: PreparedSet, scale: HeatScale) -> Iterator[str]:
    shown = choose_photos(prepared)
    count = sum(e.split == "train" for e in prepared.manifest.pictures)
    left_out = (
        f" Shown are {len(shown):,} of {count:,} photos, spread evenly over the set; "
        f"{count - len(shown):,} are left out to keep this page small."
        if count > len(shown)
        else ""
    )
    factor = prepared.manifest.settings.scale
    yield (
        '<section id="photos"><h2>Where there is something to learn</h2>\n'
        "<p>Each square is one patch. Its colour is the restoration error: how far bicubic "
        f"interpolation stays from the photo when it enlarges it ×{factor}. Photos with the most "
        f"to learn come first.{left_out}</p>\n"
        f'<div class="legend">{color_scale(scale)}<ul>'
        '<li><span class="swatch hatch"></span>rejected: not sought out by training</li>'
        '<li><span class="swatch bare"></span>no patch: the rest beside the last whole one</li>'
        "</ul></div>\n"
        '<input type="checkbox" id="plain"><label for="plain">Show the photos as they are '
        "(pointing at one does the same)</label>\n"
        '<div class="gallery">\n'
    )
    yield from photo_figures(prepared, shown, scale)
    yield "</div></section>\n"


def _sheets(prepared: PreparedSet, kept: NDArray[np.void]) -> str:
    errors = kept["restoration_error"]
    side = prepared.manifest.settings.patch
    return (
        '<section id="patches"><h2>Contact sheets</h2>\n'
        f"<p>Patches of {side} × {side} pixels in their surroundings, as few of each photo as fill "
        "the sheet. Below each its restoration error in levels².</p>\n"
        '<div class="sheets"><div><h3>Most to learn: the largest errors</h3>'
        f"{sheet(prepared, choose_patches(kept, -errors), column='restoration_error')}</div>"
        "<div><h3>Least to learn: the smallest errors</h3>"
        f"{sheet(prepared, choose_patches(kept, errors), column='restoration_error')}</div>"
        "</div></section>\n"
    )


def _patch_charts(settings: Settings, patches: NDArray[np.void]) -> str:
    is_kept = patches["reason"] == ""
    cards = []
    for column, title, unit, limit in _PATCH_MEASURES:
        values = patches[column]
        if not np.isfinite(values).any():
            continue  # not measured
        limits = [("limit", float(getattr(settings.limits, limit)))] if limit else []
        shown = limits if settings.screens else []
        kept, rejected = values[is_kept], values[~is_kept]
        cards.append(_chart((title, unit), kept, rejected, what="patches", limits=shown))
    return (
        '<section id="numbers"><h2>The patches in numbers</h2>\n'
        f'<p><span class="key kept"></span>kept<span class="key rejected"></span>rejected</p>\n'
        f'<div class="charts">{"".join(cards)}</div></section>\n'
    )


def _photo_charts(manifest: Manifest) -> str:
    trained = [e for e in manifest.pictures if e.split == "train"]
    keys = dict.fromkeys(key for e in trained for key in e.measures)
    cards = []
    for key in keys:
        kept = np.array([e.measures.get(key, np.nan) for e in trained])
        numbers = [r.number for r in manifest.rejected if _RULE_MEASURES.get(r.rule, r.rule) == key]
        rejected = np.array([n for n in numbers if n is not None], np.float64)
        title = PICTURE_MEASURES.get(key, (key, ""))
        limits = _photo_limits(manifest.settings, key)
        cards.append(_chart(title, kept, rejected, what="photos", limits=limits))
    if not cards:
        return ""
    is_screened = manifest.settings.screens
    note = "Dashed lines are the limits beyond which a photo is rejected."
    note = note if is_screened else "This set was not screened: nothing was held against a photo."
    return (
        f"<section><h2>The photos in numbers</h2>\n<p>{note}</p>\n"
        f'<div class="charts">{"".join(cards)}</div></section>\n'
    )


def _photo_limits(settings: Settings, key: str) -> list[Limit]:
    found = [(end, getattr(settings.limits, f"{key}_{end}", None)) for end in ("min", "max")]
    is_screened = settings.screens and key in _RULE_MEASURES.values()
    return [(f"{end}.", float(v)) for end, v in found if v is not None and is_screened]


def _chart(
    heading: tuple[str, str],
    kept: NDArray[np.floating],
    rejected: NDArray[np.floating],
    *,
    what: str,
    limits: list[Limit],
) -> str:
    title, unit = heading
    values = np.concatenate([kept, rejected])
    axis = Axis.fitting(title, unit, values=values[np.isfinite(values)], limits=limits)
    middle = ""
    if np.isfinite(kept).any():
        low, half, high = (format_number(q) for q in np.nanpercentile(kept, (5, 50, 95)))
        middle = f"Kept: median {half}; nine in ten from {low} to {high}."
    drawing = histogram(axis, kept=kept, rejected=rejected, what=what, limits=limits)
    return f'<div class="card"><h3>{clean(title)}</h3>{drawing}<p class="soft">{middle}</p></div>\n'


def _rejected(prepared: PreparedSet) -> str:
    return (
        '<section id="rejected"><h2>Rejected, and why</h2>\n'
        f"{_rejected_photos(prepared.manifest)}{_rejected_patches(prepared)}</section>\n"
    )


def _rejected_photos(manifest: Manifest) -> str:
    if not manifest.rejected:
        return "<h3>Photos</h3><p>Not one photo was rejected.</p>\n"
    listed = manifest.rejected[:MAX_REJECTED]
    rows = (
        (
            f"<b>{clean(r.name)}</b>",
            clean(r.rule),
            f'<span class="number">{"–" if r.number is None else format_number(r.number)}</span>',
            clean(r.reason),
        )
        for r in listed
    )
    counts = Counter(r.rule for r in manifest.rejected).most_common()
    summary = ", ".join(f"{n:,} × {clean(rule)}" for rule, n in counts)
    more = len(manifest.rejected) - len(listed)
    left_out = f"<p>{more:,} more are in manifest.json.</p>\n" if more else ""
    return (
        f"<h3>Photos</h3><p>{len(manifest.rejected):,} in all: {summary}.</p>\n"
        f"{table(('Photo', 'Rule', 'Number', 'Reason'), rows)}\n{left_out}"
    )


def _rejected_patches(prepared: PreparedSet) -> str:
    patches = prepared.patches
    rejected = patches[patches["reason"] != ""]
    if not len(rejected):
        return "<h3>Patches</h3><p>Not one patch was rejected.</p>\n"
    limits = prepared.manifest.settings.limits
    blocks = []
    for reason, count in Counter(rejected["reason"].tolist()).most_common():
        found = rejected[rejected["reason"] == reason]
        # The first of a spread order rather than the worst ones: what this rule usually takes.
        spread = np.argsort(np.arange(len(found)) * 0.6180339887 % 1, kind="stable")
        examples = choose_patches(found, spread.astype(np.float64), count=EXAMPLES)
        limit, meaning = _PATCH_RULES.get(reason, ("", ""))
        explained = meaning.format(format_number(getattr(limits, limit))) if limit else ""
        blocks.append(
            f'<div class="card"><h3>{clean(reason)}: <span class="number">{count:,} '
            f"{'patch' if count == 1 else 'patches'}, "
            f"{count / len(patches):.2%}</span></h3><p>{explained}</p>"
            f"{sheet(prepared, examples, column='number', name='few')}</div>\n"
        )
    return (
        "<h3>Patches</h3><p>Below each example the number that decided.</p>\n"
        f'<div class="whys">{"".join(blocks)}</div>'
    )
