"""Charts of a report as inline SVG: histograms with limits, and the scale of the colours."""

import io
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from numpy.typing import NDArray

from pixelift.report.thumbnails import HeatScale, heat_colors
from pixelift.report.wording import format_number, printable

_BINS = 32
_FEW = 30  # from this many in one bar the count is drawn logarithmically, or rare ones vanish
_LOG_SPAN = 50.0  # ratio of largest to smallest value from which an axis is logarithmic

# What is drawn in a colour here gets the one that the page has under that name, light or dark.
_COLORS = {
    "kept": "#c2571a",
    "rejected": "#1f78b4",
    "limit": "#1b1b1d",
    "soft": "#5c5c63",
    "line": "#dcdcde",
}

_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.sans-serif": "DejaVu Sans",  # comes with matplotlib, so texts are as wide everywhere
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlecolor": _COLORS["soft"],
    "axes.labelcolor": _COLORS["soft"],
    "axes.edgecolor": _COLORS["soft"],
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "grid.color": _COLORS["line"],
    "xtick.color": _COLORS["soft"],
    "xtick.labelcolor": "black",
    "ytick.major.size": 0,
}

PEAK = 255.0
"""White less black in 8-bit levels: what decibels of an error are counted from."""

SHARE = "share"
"""Unit of measures from 0 to 1, of which the axis starts at 0."""

Limit = tuple[str, float]
"""What a limit is called on the chart, and its value on the axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What a chart shows from left to right; values beyond an end are counted in the bar there."""

    title: str
    unit: str
    low: float
    high: float
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

    def edges(self, parts: int) -> NDArray[np.float64]:
        """Divide the axis into parts that are drawn equally wide.

        Args:
            parts: How many.

        Returns:
            (parts + 1,) values, from end to end.
        """
        return (np.geomspace if self.is_log else np.linspace)(self.low, self.high, parts + 1)

    def lay(self, axes: Axes) -> None:
        """Give a drawing this axis, with a few round values along it.

        Args:
            axes: The drawing.
        """
        axes.set(xscale="log" if self.is_log else "linear", xlim=(self.low, self.high))
        steps = (1, 2, 5) if self.is_log and self.high < 300 * self.low else (1,)
        axes.xaxis.set_major_locator(
            LogLocator(subs=steps) if self.is_log else MaxNLocator(7, steps=(1, 2, 5, 10))
        )
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value)))


def histogram(
    axis: Axis,
    *,
    kept: NDArray[np.floating],
    rejected: NDArray[np.floating],
    what: str,
    limits: Iterable[Limit] = (),
) -> Markup:
    """Draw how often values occur: kept ones as bars, rejected ones as thinner bars before them.

    Args:
        axis: Left to right.
        kept: Values of what is kept, (N,); those not finite are left out.
        rejected: Values of what is rejected.
        what: What is counted, "patches" or "photos".
        limits: Drawn as lines from bottom to top.

    Returns:
        An SVG element for a page whose style sheet defines the colours. Its parts have the classes
        `kept`, `rejected` and `limit`, and the title of a bar says what it counts.
    """
    edges = axis.edges(_BINS)
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    inside = [np.clip(v[np.isfinite(v)], axis.low, axis.high) for v in (kept, rejected)]
    counts = np.stack([np.histogram(values, edges)[0] for values in inside])
    top = max(int(counts.max()), 1)
    is_log = top >= _FEW
    floor = 0.5 if is_log else 0.0  # so that a single one is seen on a logarithmic axis
    summary = printable(
        f"Histogram of {axis.title.lower()} ({axis.unit}) of {counts[0].sum():,} kept and "
        f"{counts[1].sum():,} rejected {what}"
    )
    with _style(summary):
        figure = Figure((3.3, 2.16), frameon=False)
        axes = figure.add_axes((0.13, 0.2, 0.83, 0.68), facecolor="none")
        axis.lay(axes)
        axes.set(yscale="log" if is_log else "linear", ylim=(floor, top))
        if not is_log:
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.grid(visible=True)
        axes.minorticks_off()
        for kind, row, share in zip(("kept", "rejected"), counts, (0.9, 0.45), strict=True):
            seen = np.flatnonzero(row)
            places = middles[seen], row[seen] - floor, share * widths[seen], floor
            for n, bar in zip(seen, axes.bar(*places, color=_COLORS[kind]), strict=True):
                ends = " to ".join(format_number(edge) for edge in edges[n : n + 2])
                told = f"{counts[0, n]:,} kept, {counts[1, n]:,} rejected {what}"
                bar.set_gid(f"{kind} {ends} {axis.unit}: {told}")
        for name, value in limits:
            axes.axvline(value, color=_COLORS["limit"], linestyle="--", gid="limit")
            at_left = value < edges[_BINS // 2]
            axes.annotate(
                f"{name} {format_number(value)}",
                (value, top),
                (4 if at_left else -4, -2),  # points from there
                textcoords="offset points",
                ha="left" if at_left else "right",
                fontweight="bold",
                gid="limit",
            )
        axes.set_title(f"number of {what}{', log scale' * is_log}", loc="left", x=-0.14, pad=8)
        axes.set_xlabel(f"{axis.unit}{', log scale' * axis.is_log}", loc="right")
        return _inline(figure, summary)


def color_scale(scale: HeatScale) -> Markup:
    """Draw the colours of the heat map with their numbers.

    Args:
        scale: Which error has which colour.

    Returns:
        An SVG element: squared levels below the colours, decibels above them.
    """
    summary = (
        f"Colours from restoration error {format_number(scale.low)} (dark violet) to "
        f"{format_number(scale.high)} squared levels (pale yellow)"
    )
    axis = Axis("restoration error", "levels²", scale.low, scale.high, is_log=True)
    edges = axis.edges(len(heat_colors()))
    decibels = {PEAK**2 / 10 ** (n / 10): f"{n} dB" for n in range(10, 61, 10)}
    shown = {error: n for error, n in decibels.items() if scale.low <= error <= scale.high}
    with _style(summary):
        figure = Figure((3.3, 0.64), frameon=False)
        axes = figure.add_axes((0.13, 0.34, 0.83, 0.28), facecolor="#777", ylim=(0, 1), yticks=[])
        axis.lay(axes)
        colors = ListedColormap(heat_colors() / 255)
        axes.pcolormesh(edges, (0, 1), np.arange(len(edges) - 1)[None], cmap=colors)
        above = axes.twiny()
        axis.lay(above)
        above.set_xticks([*shown], [*shown.values()])
        figure.text(0, 0.75, "PSNR", color=_COLORS["soft"])
        figure.text(0, 0.08, axis.unit, color=_COLORS["soft"])
        return _inline(figure, summary)


def _style(salt: str) -> AbstractContextManager[None]:
    """Draw the same whatever this machine's settings of matplotlib are."""
    # Drawings on one page need different salts, from which matplotlib makes its ids.
    return style.context(["default", {**_STYLE, "svg.hashsalt": salt}])


def _inline(figure: Figure, summary: str) -> Markup:
    """Write a drawing as an element of a page: no ids but those it refers to, no style of its own.

    What has a gid of "kind text" gets that class, and the text as its title.
    """
    stream = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(stream, format="svg", metadata=nothing)
    drawing = stream.getvalue().replace("'DejaVu Sans'", "system-ui")
    for name, color in _COLORS.items():
        drawing = drawing.replace(color, f"var(--{name})")
    root = ElementTree.fromstring(drawing)
    for part in root.findall("{*}defs"):  # its style would hold for the whole page
        root.remove(part)
    for part in list(root.iter()):
        part.tag = part.tag.rpartition("}")[2]
        part.attrib = {name.rpartition("}")[2]: value for name, value in part.items()}
        part.attrib.pop("clip-path", None)
        part.text, part.tail = (part.text or "").strip(), None
        if part.tag == "g":
            kind, _, told = part.attrib.pop("id", "").partition(" ")
            if kind in _COLORS:
                part.set("class", kind)
            if told:
                part.insert(0, ElementTree.Element("title"))
                part[0].text = told
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": summary}
    return Markup(ElementTree.tostring(root, encoding="unicode"))
