"""The page of a report: what its template shows of a prepared set."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from pixelift.atomic import replacing
from pixelift.errors import DatasetError
from pixelift.patches.dataset import PreparedSet, Settings
from pixelift.report.charts import color_scale
from pixelift.report.gallery import (
    Patch,
    choose_patches,
    choose_photos,
    show_patches,
    show_photos,
)
from pixelift.report.numbers import patch_charts, photo_charts
from pixelift.report.thumbnails import HeatScale
from pixelift.report.wording import format_number, printable

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

_PATCH_RULES = {
    "flat": ("flat_variance", "Nothing but one colour: luma variance below {} levels²."),
    "clipped": ("clipped_max", "Blown out or drowned: a share of more than {} at either end."),
}
"""Reason: the limit that decided, and what it means."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some patches were rejected."""

    name: str
    meaning: str
    count: int
    share: float
    """Of all patches."""
    examples: Iterator[Patch]


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
    page = _templates().get_template("page.html")
    try:
        with (
            replacing(path) as hidden,
            hidden.open("w", encoding="utf-8", newline="\n") as stream,
        ):
            stream.writelines(page.generate(_context(prepared)))
    except OSError as error:
        raise DatasetError(
            f"no report at {path}: {error.strerror or error}. The training set itself is whole; "
            "make room or choose a folder that exists, and run the same command again."
        ) from error


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("pixelift.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Names of files are not trusted. What is Markup was printable before it became that.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    templates.filters |= {"number": format_number, "count": "{:,}".format}
    templates.filters["percent"] = "{:.2%}".format
    return templates


def _context(prepared: PreparedSet) -> dict[str, object]:
    manifest, patches = prepared.manifest, prepared.patches
    kept = patches[patches["reason"] == ""]
    errors = kept["restoration_error"]
    scale = HeatScale.of(errors)
    shown = choose_photos(prepared)
    hardest, easiest = choose_patches(kept, -errors), choose_patches(kept, errors)
    licences = Counter(e.credit.get("licence") or "not stated" for e in manifest.pictures)
    return {
        "name": prepared.folder.name or "training set",
        "manifest": manifest,
        "half_in": _half_in(errors),
        "tiles": _tiles(prepared, len(kept)),
        "settings": _settings(manifest.settings),
        "licences": {
            k: f"{n:,}" for k, n in sorted(licences.items(), key=lambda kn: (-kn[1], kn[0]))
        },
        "trained": sum(e.split == "train" for e in manifest.pictures),
        "shown": len(shown),
        "legend": color_scale(scale),
        "photos": show_photos(prepared, shown, scale),
        "hardest": show_patches(prepared, hardest, column="restoration_error"),
        "easiest": show_patches(prepared, easiest, column="restoration_error"),
        "patch_charts": patch_charts(manifest.settings, patches),
        "photo_charts": list(photo_charts(manifest)),
        "rules": Counter(r.rule for r in manifest.rejected).most_common(),
        "most_listed": MAX_REJECTED,
        "reasons": list(_reasons(prepared)),
    }


def _tiles(prepared: PreparedSet, kept: int) -> dict[str, str]:
    manifest, patches = prepared.manifest, len(prepared.patches)
    trained = [e for e in manifest.pictures if e.split == "train"]
    return {
        "photos to train on": f"{len(trained):,}",
        "megapixels in them": f"{sum(e.height * e.width for e in trained) / 1e6:,.1f}",
        "patches kept": f"{kept:,}",
        f"patches rejected, {(patches - kept) / max(patches, 1):.1%}": f"{patches - kept:,}",
        "photos rejected": f"{len(manifest.rejected):,}",
        "photos set aside for validation": f"{len(manifest.pictures) - len(trained):,}",
    }


def _half_in(errors: NDArray[np.floating]) -> str | None:
    """Find which share of the patches holds half of all error, if there is any."""
    if errors.size == 0 or not errors.any():
        return None
    running = np.cumsum(np.sort(errors.astype(np.float64))[::-1])
    return f"{(np.searchsorted(running, running[-1] / 2) + 1) / errors.size:.1%}"


def _settings(settings: Settings) -> dict[str, str]:
    plain = msgspec.to_builtins(settings)
    limits = plain.pop("limits")
    shown = {**plain, **(limits if settings.screens else {})}
    return {_SETTINGS.get(k, k.replace("_", " ")): _word(v) for k, v in shown.items()}


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return format_number(value) if isinstance(value, (int, float)) else str(value) or "none"


def _reasons(prepared: PreparedSet) -> Iterator[Reason]:
    patches, limits = prepared.patches, prepared.manifest.settings.limits
    reasons = Counter(patches["reason"].tolist())
    del reasons[""]
    for name, count in reasons.most_common():
        found = patches[patches["reason"] == name]
        # The first of a spread order rather than the worst ones: what this rule usually takes.
        spread = np.argsort(np.arange(count) * 0.6180339887 % 1, kind="stable")
        examples = choose_patches(found, spread.astype(np.float64), count=EXAMPLES)
        limit, meaning = _PATCH_RULES.get(name, ("", ""))
        yield Reason(
            name=name,
            meaning=meaning.format(format_number(getattr(limits, limit))) if limit else "",
            count=count,
            share=count / len(patches),
            examples=show_patches(prepared, examples, column="number"),
        )
