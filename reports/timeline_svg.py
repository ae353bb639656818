"""A timeline as SVG: panels of daily values over lanes of events, all under the same dates.

Every state is told by place, height and words, so that it reads without colour.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from markupsafe import escape

from reports.document import Timeline, TimelineLane, TimelinePanel
from reports.escape import clip, visible
from reports.words import short_date

_PANEL, _PANEL_GAP, _LANE, _TITLE, _AXIS = 58, 22, 22, 22, 24
_TOP, _MARKS = 6, 14
_LEFT_WIDE, _LEFT_NARROW, _RIGHT = 206, 44, 8
Place = Callable[[float], float]


def timeline(
    chart: Timeline, width: int, wide: bool, ticks: Callable[[float, int], list[float]]
) -> tuple[int, list[str]]:
    """Height and parts; `ticks` gives the round values of an axis."""
    left = _LEFT_WIDE if wide else _LEFT_NARROW
    right = width - _RIGHT
    step = (right - left) / max(1, len(chart.days))

    def x(day: float) -> float:
        return left + step * day

    parts: list[str] = []
    head = top = _TOP + (_MARKS if chart.marks else 0)
    for panel in chart.panels:
        if not any(value is not None for value in panel.values):
            continue
        if not wide:
            parts.append(_text(0, top + 12, _titled(panel)))
            top += _TITLE
        parts += _panel(panel, (left, right), top, x, ticks, wide)
        top += _PANEL + _PANEL_GAP
    for lane in chart.lanes:
        if not wide:
            parts.append(_text(0, top + 12, clip(lane.label, 38)))
            top += _TITLE
        parts += _lane(lane, (left, right), top, x, step, wide)
        top += _LANE + 6
    for day, label in chart.marks:
        at = x(day + 0.5)
        parts.append(
            f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{head - 4}" y2="{top - 4}"/>'
        )
        side = "end" if day > 0.9 * len(chart.days) else "middle"
        parts.append(_text(at, head - 7, label, f"axis {side}"))
    parts += _dates(chart.days, x, top, wide)
    return top + _AXIS, parts


def _panel(
    panel: TimelinePanel,
    ends: tuple[float, float],
    top: float,
    x: Place,
    ticks: Callable[[float, int], list[float]],
    wide: bool,
) -> Iterator[str]:
    left, right = ends
    known = [value for value in panel.values if value is not None and math.isfinite(value)]
    highest = max(known, default=0.0)
    limit = panel.limit
    if limit is not None and highest < limit <= 2.5 * highest:
        highest = limit
    marks = ticks(highest, 2)
    bottom = top + _PANEL

    def y(value: float) -> float:
        return bottom - _PANEL * min(max(value / marks[-1], 0.0), 1.0)

    if wide:
        yield _text(0, top + _PANEL / 2 + 4, _titled(panel))
    for mark in marks:
        at = y(mark)
        yield f'<line class="grid" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield _text(left - 5, at + 4, f"{mark:,.6g}", "end axis")
    if limit is not None and limit <= marks[-1]:
        at = y(limit)
        yield f'<line class="limit" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
    for run in _runs(panel.values):
        points = " ".join(f"{x(day + 0.5):.1f},{y(value):.1f}" for day, value in run)
        if len(run) == 1:
            day, value = run[0]
            yield f'<circle class="middle" cx="{x(day + 0.5):.1f}" cy="{y(value):.1f}" r="2"/>'
        else:
            yield f'<polyline class="line" points="{points}"/>'


def _lane(
    lane: TimelineLane,
    ends: tuple[float, float],
    top: float,
    x: Place,
    step: float,
    wide: bool,
) -> Iterator[str]:
    left, right = ends
    bottom = top + _LANE
    most = max(lane.counts, default=0)
    if wide:
        yield _text(0, bottom - 5, clip(lane.label, 26))
    yield f'<line class="grid" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
    if most:
        yield _text(left - 5, top + 11, f"{most:,}", "end axis")
    bar = max(1.2, 0.7 * step)
    path = ""
    for day, count in enumerate(lane.counts):
        if count:
            height = max(3.0, _LANE * count / most)
            at = x(day + 0.5) - bar / 2
            path += f"M{at:.1f} {bottom}v{-height:.1f}h{bar:.1f}v{height:.1f}z"
    if path:
        yield f'<path class="bar" d="{path}"/>'


def _dates(days: Sequence[date], x: Place, top: float, wide: bool) -> Iterator[str]:
    """A date at the start, then at even steps as many as there is room for."""
    room = 9 if wide else 4
    every = max(1, math.ceil(len(days) / room))
    for day in range(0, len(days), every):
        at = x(day)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 6}" y2="{top}"/>'
        if len(days) - day < every / 2:
            continue  # it would run over the edge
        yield _text(at, top + 14, short_date(days[day]), "axis")


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for day, value in enumerate(values):
        if value is not None and math.isfinite(value):
            run.append((day, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _titled(panel: TimelinePanel) -> str:
    return f"{panel.title}, {panel.unit}" if panel.unit else panel.title


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    return f'<text{classes} x="{x:.1f}" y="{y:.1f}">{escape(visible(text))}</text>'
