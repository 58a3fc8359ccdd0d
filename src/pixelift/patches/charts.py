"""Charts of a report, drawn as inline SVG: histograms with limits, and the scale of the colours."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from pixelift.patches.markup import format_number
from pixelift.patches.thumbnails import HeatScale, heat_colors

_BINS = 32
_WIDTH, _HEIGHT = 330, 216
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 318, 26, 172  # the plotting area, in units of the drawing
_FEW = 30  # from this many in one bar the count is drawn logarithmically, or rare ones vanish
_LOG_SPAN = 50.0  # ratio of largest to smallest value from which an axis is logarithmic

PEAK = 255.0
"""White less black in 8-bit levels: what decibels of an error are counted from."""

SHARE = "share"
"""Unit of measures from 0 to 1, of which the axis starts at 0."""

Limit = tuple[str, float]
"""What a limit is called on the chart, and its value on the axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What a chart shows from left to right."""

    title: str
    unit: str
    low: float
    """Left end; smaller values are counted in the first bar."""
    high: float
    """Right end; larger values are counted in the last bar."""
    is_log: bool

    @classmethod
    def fitting(
        cls, title: str, unit: str, *, values: NDArray[np.floating], limits: Iterable[Limit] = ()
    ) -> "Axis":
        """Choose ends that show the values, less a few outermost ones, and the limits.

        Args:
            title: Name of the measure.
            unit: Its unit.
            values: What will be shown, (N,), finite.
            limits: What must be visible too.

        Returns:
            The axis; logarithmic where positive values differ by much.
        """
        marks = [value for _, value in limits]
        positive = values[values > 0]
        # Zeros have no place on a logarithmic axis: a few may stand in the first bar, not most.
        if positive.size > 0.9 * values.size:
            low, high = (float(q) for q in np.percentile(positive, (0.5, 99.9)))
            low, high = min([low, *(m for m in marks if m > 0)]), max([high, *marks])
            if high > _LOG_SPAN * low and unit != SHARE:
                return cls(title, unit, max(low, high / 1e6) / 1.2, high * 1.2, is_log=True)
        ends = [*marks, *np.percentile(values, (0, 99.9)).tolist()] if values.size else marks
        low, high = min(ends, default=0.0), max(ends, default=1.0)
        if unit == SHARE:
            return cls(title, unit, 0.0, min(high * 1.05, 1.0) or 1.0, is_log=False)
        margin = (high - low) * 0.05 or max(abs(high) * 0.05, 0.5)
        return cls(title, unit, low - margin, high + margin, is_log=False)

    def place(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Tell where values lie between the ends.

        Args:
            values: In the unit of the axis, (N,).

        Returns:
            0 at the left end to 1 at the right end; what lies outside is moved to the end.
        """
        inside = np.clip(values.astype(np.float64), self.low, self.high)
        if self.is_log:
            place: NDArray[np.float64] = np.log(inside / self.low) / np.log(self.high / self.low)
            return place
        return (inside - self.low) / (self.high - self.low)

    def value(self, place: float) -> float:
        """Tell the value at a place, the inverse of `place`."""
        if self.is_log:
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)

    def ticks(self) -> list[float]:
        """Choose three to eight round values between the ends."""
        if self.is_log:
            first, last = np.floor(np.log10(self.low)), np.ceil(np.log10(self.high))
            decades: list[float] = (10.0 ** np.arange(first, last + 1)).tolist()
            shown = [t for t in decades if self.low <= t <= self.high]
            if len(shown) < 3:
                shown = [m * t for t in decades for m in (1, 2, 5)]
            return [t for t in shown if self.low <= t <= self.high]
        span = self.high - self.low
        step = 10 ** np.floor(np.log10(span / 2))
        step = next(step * m for m in (0.5, 1, 2, 5) if span / (step * m) <= 7)
        first = np.ceil(self.low / step - 1e-9)
        digits = int(10 - np.floor(np.log10(step)))
        # Adding zero turns -0 into 0.
        return [
            round(float(k * step), digits) + 0.0 for k in np.arange(first, self.high / step + 1e-9)
        ]


def histogram(
    axis: Axis,
    *,
    kept: NDArray[np.floating],
    rejected: NDArray[np.floating],
    what: str,
    limits: Iterable[Limit] = (),
) -> str:
    """Draw how often values occur: kept ones as bars, rejected ones as thinner bars before them.

    Args:
        axis: Left to right.
        kept: Values of what is kept, (N,); those not finite are left out.
        rejected: Values of what is rejected.
        what: What is counted, "patches" or "photos".
        limits: Drawn as lines from bottom to top.

    Returns:
        An SVG element for a page whose style sheet knows the classes `kept`, `rejected`, `limit`,
        `grid` and `unit`.
    """
    counts = np.stack([_count(axis, kept), _count(axis, rejected)])
    top = max(int(counts.max(initial=0)), 1)
    is_log = top >= _FEW
    floor = 0.5 if is_log else 0.0  # so that a single one is seen on a logarithmic axis
    scale = np.log10(top / floor) if is_log else float(top)

    def height(count: float) -> float:
        if count <= floor:
            return 0.0
        return float((np.log10(count / floor) if is_log else count) / scale) * (_BOTTOM - _TOP)

    summary = (
        f"Histogram of {axis.title.lower()} ({axis.unit}) of {counts[0].sum():,} kept and "
        f"{counts[1].sum():,} rejected {what}"
    )
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(summary)}">',
        *_count_axis(top, height, is_log=is_log),
        *_bars(axis, counts, height, what),
        *_value_axis(axis),
        *(_limit_line(axis, limit) for limit in limits),
    ]
    scale_note = ", log scale" if is_log else ""
    parts.append(f'<text class="unit" x="4" y="12">number of {what}{scale_note}</text></svg>')
    return "".join(parts)


def _count(axis: Axis, values: NDArray[np.floating]) -> NDArray[np.intp]:
    finite = values[np.isfinite(values)]
    bins = np.minimum((axis.place(finite) * _BINS).astype(np.intp), _BINS - 1)
    return np.bincount(bins, minlength=_BINS)


def _bars(
    axis: Axis, counts: NDArray[np.intp], height: Callable[[float], float], what: str
) -> Iterator[str]:
    step = (_RIGHT - _LEFT) / _BINS
    for n, (kept, rejected) in enumerate(counts.T.tolist()):
        if kept + rejected == 0:
            continue
        ends = " to ".join(format_number(axis.value((n + k) / _BINS)) for k in (0, 1))
        yield f"<g><title>{ends} {axis.unit}: {kept:,} kept, {rejected:,} rejected {what}</title>"
        for kind, count, inset in (("kept", kept, 0.4), ("rejected", rejected, 2.3)):
            if count:
                tall = height(count)
                yield (
                    f'<rect class="{kind}" x="{_LEFT + n * step + inset:.1f}" '
                    f'y="{_BOTTOM - tall:.1f}" width="{step - 2 * inset:.1f}" height="{tall:.1f}"/>'
                )
        yield "</g>"


def _count_axis(top: int, height: Callable[[float], float], *, is_log: bool) -> Iterator[str]:
    if is_log:
        marks = [10.0**n for n in range(len(str(top)))]
    else:
        marks = [float(t) for t in sorted({0, (top + 1) // 2, top})]
    for mark in marks:
        y = _BOTTOM - height(mark)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{mark:,.0f}</text>'
    yield f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}"/>'


def _value_axis(axis: Axis) -> Iterator[str]:
    for tick in axis.ticks():
        x = _across(axis, tick)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_BOTTOM}" y2="{_BOTTOM + 4}"/>'
        label = format_number(tick)
        yield f'<text x="{x:.1f}" y="{_BOTTOM + 17}" text-anchor="middle">{label}</text>'
    scale = ", log scale" if axis.is_log else ""
    yield (
        f'<text class="unit" x="{_RIGHT}" y="{_BOTTOM + 36}" text-anchor="end">'
        f"{escape(axis.unit)}{scale}</text>"
    )


def _limit_line(axis: Axis, limit: Limit) -> str:
    name, value = limit
    x = _across(axis, value)
    is_left = x < (_LEFT + _RIGHT) / 2
    anchor, gap = ("start", 4) if is_left else ("end", -4)
    return (
        f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{_BOTTOM}"/>'
        f'<text class="limit" x="{x + gap:.1f}" y="{_TOP + 3}" text-anchor="{anchor}">'
        f"{escape(name)} {format_number(value)}</text>"
    )


def _across(axis: Axis, value: float) -> float:
    return _LEFT + float(axis.place(np.array([value]))[0]) * (_RIGHT - _LEFT)


def color_scale(scale: HeatScale) -> str:
    """Draw the colours of the heat map with their numbers.

    Args:
        scale: Which error has which colour.

    Returns:
        An SVG element: squared levels below the colours, decibels above them.
    """
    axis = Axis("restoration error", "levels²", scale.low, scale.high, is_log=True)
    step = (_RIGHT - _LEFT) / len(heat_colors())
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} 64" role="img" aria-label="Colours from restoration error '
        f"{format_number(scale.low)} (dark violet) to {format_number(scale.high)} "
        'squared levels (pale yellow)">'
    ]
    parts.append(f'<rect x="{_LEFT}" y="24" width="{_RIGHT - _LEFT}" height="18" fill="#777"/>')
    for n, (red, green, blue, alpha) in enumerate(heat_colors().tolist()):
        x = _LEFT + n * step
        parts.append(
            f'<rect x="{x:.2f}" y="24" width="{step:.2f}" height="18" '
            f'fill="#{red:02x}{green:02x}{blue:02x}" fill-opacity="{alpha / 255:.2f}"/>'
        )
    for tick in axis.ticks():
        x = _across(axis, tick)
        parts.append(
            f'<text x="{x:.1f}" y="58" text-anchor="middle">{format_number(tick)}</text>'
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="42" y2="46"/>'
        )
    for decibels in range(10, 61, 10):
        error = PEAK**2 / 10 ** (decibels / 10)
        if scale.low <= error <= scale.high:
            x = _across(axis, error)
            parts.append(
                f'<text x="{x:.1f}" y="16" text-anchor="middle">{decibels} dB</text>'
                f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="24"/>'
            )
    parts.append('<text class="unit" x="0" y="16">PSNR</text>')
    parts.append('<text class="unit" x="0" y="58">levels²</text></svg>')
    return "".join(parts)
