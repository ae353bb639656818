"""Charts as inline SVG: real text, title and description inside, coloured by the page's style.

Each chart is drawn for a wide and for a narrow page, since text in a scaled drawing cannot reflow.
"""

import math
from collections.abc import Iterable, Iterator

from markupsafe import Markup, escape

from reports.document import Chart, IntervalChart, Ladder, SeriesChart, Timeline, Tornado
from reports.escape import clip, visible
from reports.ladder_svg import drawing
from reports.timeline_svg import timeline
from reports.tornado_svg import tornado

WIDE, NARROW = 680, 300
_ROW_WIDE, _ROW_NARROW = 26, 40
_TOP, _AXIS = 8, 34
_LABEL, _VALUE = 250, 70
_SERIES_HEIGHT = 180
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def svg(chart: Chart, *, width: int, name: str) -> Markup:
    """One drawing; `name` makes the ids of its title and description unique in the page."""
    wide = width == WIDE
    if isinstance(chart, IntervalChart):
        height, parts = _intervals(chart, width, wide)
    elif isinstance(chart, Tornado):
        height, parts = tornado(chart, width)
    elif isinstance(chart, Ladder):
        height, parts = drawing(chart, width, wide)
    elif isinstance(chart, Timeline):
        height, parts = timeline(chart, width, wide, ticks)
    else:
        height, parts = _series(chart, width)
    head = (
        f'<svg class="chart {"wide" if wide else "narrow"}" role="img" '
        f'viewBox="0 0 {width} {height}" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{_safe(chart.title)}</title>'
        f'<desc id="{name}-d">{_safe(chart.description)}</desc>'
    )
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - every text went through _safe


def key(chart: Chart) -> str:
    """What its marks mean, in a sentence."""
    dashed = "dashed: the limit, where it lies within the chart."
    if isinstance(chart, Tornado):
        return "Bar: from the low to the high value of the figure; dashed: all figures central."
    if isinstance(chart, Ladder):
        return "Times in seconds from the first message; a broken arrow: sent again."
    if isinstance(chart, Timeline):
        return (
            "A gap: nothing measured that day; dashed across: the limit, where it lies within the "
            "chart; dashed down: a change. Bars: how many that day; the number is the tallest."
        )
    if isinstance(chart, SeriesChart):
        if chart.limit is None:
            return "A gap: no value then."
        return f"A gap: no value then; {dashed}"
    if chart.unit == "ms":
        return f"Line: from minimum to 95th percentile; dot: median; {dashed}"
    return f"Line: 95 % interval; dot: measured share; {dashed}"


def ticks(highest: float, most: int = 5) -> list[float]:
    """Round values from 0 to at least `highest`, at most `most` steps."""
    if not (math.isfinite(highest) and highest > 0):
        highest = 1.0
    raw = highest / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in _STEPS if size * power >= raw * (1 - 1e-9))
    return [index * step for index in range(math.ceil(highest / step - 1e-9) + 1)]


def _intervals(chart: IntervalChart, width: int, wide: bool) -> tuple[int, list[str]]:
    left = _LABEL if wide else 8
    right = width - (_VALUE if wide else 8)
    row_height = _ROW_WIDE if wide else _ROW_NARROW
    bottom = _TOP + row_height * len(chart.rows)
    marks = ticks(_top(chart.limit, (row.high for row in chart.rows)), 5 if wide else 4)
    if chart.unit == "%" and marks[-1] > 100:
        marks = [mark for mark in marks if mark < 100] + [100.0]

    def x(value: float) -> float:
        return left + (right - left) * min(max(value / marks[-1], 0.0), 1.0)

    parts = list(_x_axis(marks, x_of=[x(mark) for mark in marks], unit=chart.unit, bottom=bottom))
    if chart.limit is not None and chart.limit <= marks[-1]:
        at = x(chart.limit)
        parts.append(f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
    for index, row in enumerate(chart.rows):
        top = _TOP + index * row_height
        middle = top + (row_height / 2 if wide else row_height - 12)
        low, mid, high = x(row.low), x(row.middle), x(row.high)
        label_y = middle + 4 if wide else top + 15
        shown = _safe(clip(row.label, 31 if wide else 27))
        parts.append(f'<text x="{0 if wide else 8}" y="{label_y:.1f}">{shown}</text>')
        parts.append(
            f'<line class="span" x1="{low:.1f}" x2="{max(high, low + 1):.1f}" '
            f'y1="{middle:.1f}" y2="{middle:.1f}"/>'
            f'<circle class="middle" cx="{mid:.1f}" cy="{middle:.1f}" r="4.5"/>'
        )
        parts.append(
            f'<text class="end" x="{width - (0 if wide else 14)}" y="{label_y:.1f}">'
            f"{_safe(_value(row.middle, chart.unit))}</text>"
        )
    return bottom + _AXIS, parts


def _series(chart: SeriesChart, width: int) -> tuple[int, list[str]]:
    left, right, bottom = 58, width - 10, _SERIES_HEIGHT - _AXIS
    marks = ticks(_top(chart.limit, (y for _, y in chart.points if y is not None)), 4)
    if not chart.unit:
        marks = [mark for mark in marks if mark == int(mark)]  # there is no half of a thing
    last = max((at for at, _ in chart.points), default=0.0) or 1.0

    def x(at: float) -> float:
        return left + (right - left) * min(max(at / last, 0.0), 1.0)

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * min(max(value / marks[-1], 0.0), 1.0)

    parts = []
    for mark in marks:
        at = y(mark)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(
            f'<text class="end axis" x="{left - 6}" y="{at + 4:.1f}">'
            f"{_tick(mark)} {chart.unit}</text>"
        )
    if chart.limit is not None and chart.limit <= marks[-1]:
        at = y(chart.limit)
        parts.append(f'<line class="limit" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
    for run in _runs(chart.points):
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in run)
        parts.append(f'<polyline class="line" points="{path}"/>')
        parts += [
            f'<circle class="middle" cx="{x(at):.1f}" cy="{y(value):.1f}" r="2"/>'
            for at, value in run
        ]
    scale, unit = (60.0, "min") if last >= 300 else (1.0, "s")
    if last >= 4 * 3600:
        scale, unit = 3600.0, "h"
    parts.append(f'<text class="axis" x="{left}" y="{bottom + 20}">0 {unit}</text>')
    end = f"{_tick(round(last / scale, 1))} {unit} since {_safe(chart.since)}"
    parts.append(f'<text class="end axis" x="{right}" y="{bottom + 20}">{end}</text>')
    return _SERIES_HEIGHT, parts


def _x_axis(marks: list[float], *, x_of: list[float], unit: str, bottom: float) -> Iterator[str]:
    for mark, at in zip(marks, x_of, strict=True):
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>'
        side = " middle" if mark else ""
        if mark == marks[-1]:
            side = " end"
        last = f" {unit}" if mark == marks[-1] else ""
        yield (
            f'<text class="axis{side}" x="{at:.1f}" y="{bottom + 20}">{_tick(mark)}{last}</text>'
        )


def _runs(
    points: Iterable[tuple[float, float | None]],
) -> Iterator[list[tuple[float, float]]]:
    """The stretches between gaps."""
    run: list[tuple[float, float]] = []
    for at, value in points:
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _top(limit: float | None, values: Iterable[float]) -> float:
    """The highest value; the limit too where that does not squeeze the values into a corner."""
    highest = max((value for value in values if math.isfinite(value)), default=0.0)
    if limit is not None and highest < limit <= 2.5 * highest:
        return limit
    return highest


def _value(value: float, unit: str) -> str:
    digits = 0 if value == 0 or abs(value) >= 100 else 2 if abs(value) < 1 else 1
    return f"{value:.{digits}f} {unit}"


def _tick(value: float) -> str:
    return f"{value:,.6g}"


def _safe(text: str) -> str:
    return str(escape(visible(text)))
