"""Line charts as inline SVG, small however long the series: at most two points for each pixel column."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt

from corpusforge.train.log import Column

COLUMNS = 600
"""Parts of a series that keep their lowest and highest value."""
POINTS = 60
"""Up to so many points are drawn as dots too, with their values."""
TREND = 240
"""Places of a trend."""
HEIGHT = 220
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 24
"""Margins of a chart, in its pixels."""
MARKS = 100
"""Marks drawn at most; the table of events has them all."""
COLOURS = 8
"""Series that can be told apart by colour."""


@dataclass(frozen=True)
class Series:
    """A line: values ``y`` at steps ``x``, ascending; ``colour`` is a number below ``COLOURS``.

    ``kind`` is ``line``, or ``faint`` for a line that stands behind its trend and is in no legend.
    """

    label: str
    x: npt.NDArray[np.int64]
    y: Column
    colour: int
    kind: str = "line"


@dataclass(frozen=True)
class Level:
    """A horizontal line that a series is compared with."""

    label: str
    value: float


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step; ``kind`` is ``spike`` or ``resume``."""

    step: int
    kind: str
    text: str


@dataclass(frozen=True)
class Frame:
    """Where steps and values lie in a chart of ``width`` pixels."""

    width: int
    x0: float
    x1: float
    low: float
    high: float

    def x(self, step: float) -> float:
        return LEFT + (step - self.x0) / (self.x1 - self.x0) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Values far outside lie a little outside: a loss of 1e30 is no coordinate."""
        share = (self.high - value) / (self.high - self.low)
        return TOP + min(max(share, -2.0), 3.0) * (HEIGHT - TOP - BOTTOM)


def downsample(x: npt.NDArray[np.int64], y: Column, columns: int) -> tuple[npt.NDArray[np.int64], Column]:
    """The first and last point, the lowest and highest of each of ``columns`` parts; what is not finite is left out."""
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) <= 2 * columns:
        return x, y
    kept = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), columns):
        values = y[part]
        kept.update((int(part[values.argmin()]), int(part[values.argmax()])))
    places = np.array(sorted(kept))
    return x[places], y[places]


def trend(x: npt.NDArray[np.int64], y: Column) -> tuple[npt.NDArray[np.int64], Column]:
    """Medians of the fiftieth of a series around each of ``TREND`` places; a spike does not move them."""
    finite = np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) < 20:
        return x, y
    places = np.unique(np.linspace(0, len(x) - 1, min(TREND, len(x))).round().astype(np.int64))
    reach = max(len(x) // 100, 3)
    # At the beginning the part is as narrow as it must be to stay centred: a steep fall would be flattened else.
    begins = places - np.minimum(reach, places)
    ends = places + np.minimum(reach, places) + 1
    return x[places], np.array([np.median(y[begin:end]) for begin, end in zip(begins, ends, strict=True)])


def chart(
    series: Sequence[Series],
    unit: str,
    width: int = 560,
    from_zero: bool = False,
    levels: Sequence[Level] = (),
    marks: Sequence[Mark] = (),
    settled: float = 0.0,
) -> str:
    """An SVG of ``series``, or a note that nothing was measured. ``unit`` names the values in words.

    The first ``settled`` share of the steps may leave the chart at its top: a loss falls most at the beginning, and
    what comes later would be a flat line below it.
    """
    drawn = [s for s in series if np.isfinite(s.y).any()]
    if not drawn:
        return '<p class="note">not measured</p>'
    frame = _frame(drawn, width, from_zero, levels, settled)
    body = [*_grid(frame), *_levels(frame, levels), *_marks(frame, marks)]
    # The inner picture cuts what lies outside; its coordinates are those of the outer one.
    inner = f"{LEFT - 4} {TOP} {width - LEFT - RIGHT + 8} {HEIGHT - TOP - BOTTOM + 4}"
    x, y, wide, high = inner.split()
    body.append(f'<svg x="{x}" y="{y}" width="{wide}" height="{high}" viewBox="{inner}">')
    for one in drawn:
        body += _line(frame, one, unit)
    body.append("</svg>")
    label = escape(f"{unit} by step", quote=True)
    legend = _legend([s for s in drawn if s.kind == "line"])
    return (
        f'{legend}<svg viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{label}">{"".join(body)}</svg>'
        f"{_cut(frame, drawn)}"
    )


def number(value: float) -> str:
    """A number in few characters: ``3.41``, ``1,200``, ``12k``, ``3.2M``, ``3e-04``."""
    size = abs(value)
    if not math.isfinite(value):
        return str(value)
    if size == 0:
        return "0"
    for limit, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            return f"{value / (1e3 if sign == 'k' else limit):.3g}{sign}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size >= 1e-3 else f"{value:.1e}"


def _frame(series: Sequence[Series], width: int, from_zero: bool, levels: Sequence[Level], settled: float) -> Frame:
    x0, x1 = min(int(s.x[0]) for s in series), max(int(s.x[-1]) for s in series)
    spans = [_span(_later(s, settled)) for s in series]
    values = [value for span in spans for value in span] + [level.value for level in levels]
    low, high = min(values), max(values)
    if from_zero:
        low = min(low, 0.0)
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    return Frame(width, x0, max(x1, x0 + 1), low if from_zero and low == 0 else low - room, high + room)


def _later(series: Series, settled: float) -> Column:
    """The finite values after the first ``settled`` share of the steps, or all if there are few."""
    finite = series.y[np.isfinite(series.y)]
    begin = series.x[0] + settled * (series.x[-1] - series.x[0])
    later = series.y[np.isfinite(series.y) & (series.x > begin)]
    return later if len(later) > POINTS else finite


def _span(values: Column) -> tuple[float, float]:
    """Lowest and highest value to show: all, unless the farthest thousandth would flatten the rest."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(value) for value in np.quantile(values, (0.002, 0.998)))
    reach = 0.5 * (inner_high - inner_low)
    if reach and len(values) > POINTS:
        low = low if low >= inner_low - reach else inner_low
        high = high if high <= inner_high + reach else inner_high
    return low, high


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between ``low`` and ``high``: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _grid(frame: Frame) -> Iterator[str]:
    right = frame.width - RIGHT
    for value in _ticks(frame.low, frame.high, 4):
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick end" x="{LEFT - 6}" y="{y + 4:.1f}">{number(value)}</text>'
    for value in _ticks(frame.x0, frame.x1, frame.width // 110):
        x = frame.x(value)
        place = "end" if x > right - 15 else "middle"
        yield f'<text class="tick {place}" x="{min(x, right):.1f}" y="{HEIGHT - 6}">{number(value)}</text>'


def _levels(frame: Frame, levels: Sequence[Level]) -> Iterator[str]:
    right, last = frame.width - RIGHT, -math.inf
    for level in sorted(levels, key=lambda level: -level.value):
        y = frame.y(level.value)
        # Labels of lines that lie close together are moved apart, downwards.
        last = max(y - 4, last + 13)
        yield f'<line class="level" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = escape(f"{level.label} {level.value:.3f}")
        yield f'<text class="tick end" x="{right}" y="{last:.1f}">{text}</text>'


def _marks(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    inside = [mark for mark in marks if frame.x0 <= mark.step <= frame.x1]
    bottom = HEIGHT - BOTTOM
    for mark in inside[-MARKS:]:
        x, told = frame.x(mark.step), escape(mark.text)
        if mark.kind == "spike":
            shape = f'<path class="spike" d="M{x - 5:.1f},{TOP - 10}h10l-5,8z"/>'
        else:
            shape = f'<line class="resume" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
        yield f"<g>{shape}<title>{told}</title></g>"


def _line(frame: Frame, series: Series, unit: str) -> Iterator[str]:
    x, y = downsample(series.x, series.y, COLUMNS)
    points = [(frame.x(step), frame.y(value)) for step, value in zip(x.tolist(), y.tolist(), strict=True)]
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    yield f'<polyline class="{series.kind} c{series.colour}" points="{path}"/>'
    if series.kind == "line" and len(points) <= POINTS:
        for (px, py), step, value in zip(points, x.tolist(), y.tolist(), strict=True):
            told = escape(f"{series.label}: {value:.4g} {unit} at step {step:,}")
            yield f'<circle class="c{series.colour}" cx="{px:.1f}" cy="{py:.1f}" r="3"><title>{told}</title></circle>'


def _legend(series: Sequence[Series]) -> str:
    if len(series) < 2:
        return ""
    items = []
    for one in series:
        last = one.y[np.isfinite(one.y)][-1]
        items.append(f'<span><i class="c{one.colour}"></i>{escape(one.label)} <b>{_last_value(float(last))}</b></span>')
    return f'<p class="legend">{"".join(items)}</p>'


def _last_value(value: float) -> str:
    """A number with as many digits as its neighbours in a legend: ``1.00`` beside ``3.43``."""
    return f"{value:#.3g}".removesuffix(".") if 1e-3 <= abs(value) < 1000 else number(value)


def _cut(frame: Frame, series: Sequence[Series]) -> str:
    """What lies outside the chart, in words: it is drawn at its edge."""
    measured = [s for s in series if s.kind == "faint"] or series  # a trend would count them again
    values = np.concatenate([s.y[np.isfinite(s.y)] for s in measured])
    above, below = values[values > frame.high], values[values < frame.low]
    told = []
    if len(above):
        told.append(f"{len(above):,} above the chart, up to {number(float(above.max()))}")
    if len(below):
        told.append(f"{len(below):,} below it, down to {number(float(below.min()))}")
    return f'<p class="note">{"; ".join(told)}</p>' if told else ""
