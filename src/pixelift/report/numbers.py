"""What the charts of a report count: the measures of its patches and of its photos."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from pixelift.patches.dataset import Manifest, Settings
from pixelift.report.charts import SHARE, Axis, Limit, histogram
from pixelift.report.gallery import PICTURE_MEASURES
from pixelift.report.wording import format_number

_PATCH_MEASURES = (
    ("restoration_error", "Restoration error", "levels²", ""),
    ("network_loss", "Network loss", "levels²", ""),
    ("edge_density", "Edge density", SHARE, ""),
    ("variance", "Luma variance", "levels²", "flat_variance"),
    ("clipped", "Clipped pixels", SHARE, "clipped_max"),
)
"""Column, title, unit, and the limit that is drawn."""

_RULE_MEASURES = {"noise": "noise_sigma", "blockiness": "blockiness", "blur": "sharpness"}
"""Rule that rejects photos: the measure whose number it gives."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its heading and what to read in it."""

    title: str
    drawing: Markup
    middle: str
    """Median and spread of what is kept, as a sentence."""


def patch_charts(settings: Settings, patches: NDArray[np.void]) -> Iterator[Chart]:
    """Chart the measures of patches.

    Args:
        settings: Of the set.
        patches: Rows of `PATCH_DTYPE`.

    Yields:
        A chart for each measure that was taken.
    """
    is_kept = patches["reason"] == ""
    for column, title, unit, limit in _PATCH_MEASURES:
        values = patches[column]
        if np.isfinite(values).any():
            is_limited = limit and settings.screens
            limits = [("limit", float(getattr(settings.limits, limit)))] if is_limited else []
            kept, rejected = values[is_kept], values[~is_kept]
            yield _chart((title, unit), kept, rejected, what="patches", limits=limits)


def photo_charts(manifest: Manifest) -> Iterator[Chart]:
    """Chart the measures of training photos beside those of rejected ones.

    Args:
        manifest: Of the set.

    Yields:
        A chart for each measure.
    """
    trained = [e for e in manifest.pictures if e.split == "train"]
    for key in dict.fromkeys(key for e in trained for key in e.measures):
        kept = np.array([e.measures.get(key, np.nan) for e in trained])
        numbers = [r.number for r in manifest.rejected if _RULE_MEASURES.get(r.rule, r.rule) == key]
        rejected = np.array([n for n in numbers if n is not None], np.float64)
        title = PICTURE_MEASURES.get(key, (key, ""))
        limits = _photo_limits(manifest.settings, key)
        yield _chart(title, kept, rejected, what="photos", limits=limits)


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
) -> Chart:
    values = np.concatenate([kept, rejected])
    axis = Axis.fitting(*heading, values=values[np.isfinite(values)], limits=limits)
    middle = ""
    if np.isfinite(kept).any():
        low, half, high = (format_number(q) for q in np.nanpercentile(kept, (5, 50, 95)))
        middle = f"Kept: median {half}; nine in ten from {low} to {high}."
    drawing = histogram(axis, kept=kept, rejected=rejected, what=what, limits=limits)
    return Chart(heading[0], drawing, middle)
