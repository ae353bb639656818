"""A tornado as a drawing: for each figure a bar from its low to its high, about the middle."""

import math
from collections.abc import Iterator

from markupsafe import escape

from reports.document import Tornado
from reports.escape import clip, visible
from reports.money import pounds

_ROW, _TOP, _AXIS = 40, 8, 34
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def tornado(chart: Tornado, width: int) -> tuple[int, list[str]]:
    """Height and parts; labels stand above their bars, so that they fit any page."""
    left, right = 8, width - 8
    marks = _marks(
        min([chart.middle, *(min(row.at_low, row.at_high) for row in chart.rows)]),
        max([chart.middle, *(max(row.at_low, row.at_high) for row in chart.rows)]),
        4 if width > 400 else 3,
    )
    bottom = _TOP + _ROW * len(chart.rows)

    def x(value: float) -> float:
        return left + (right - left) * (value - marks[0]) / (marks[-1] - marks[0])

    parts = list(_axis(marks, [x(mark) for mark in marks], bottom))
    for index, row in enumerate(chart.rows):
        top = _TOP + index * _ROW
        low, high = sorted((x(row.at_low), x(row.at_high)))
        label = str(escape(visible(clip(row.label, 70 if width > 400 else 38))))
        parts.append(f'<text x="{left}" y="{top + 14}">{label}</text>')
        parts.append(
            f'<rect class="bar" x="{low:.1f}" width="{max(1.0, high - low):.1f}" '
            f'y="{top + 20}" height="13"/>'
        )
    middle = x(chart.middle)
    parts.append(
        f'<line class="limit" x1="{middle:.1f}" x2="{middle:.1f}" y1="{_TOP}" y2="{bottom}"/>'
    )
    return bottom + _AXIS, parts


def _axis(marks: list[float], places: list[float], bottom: int) -> Iterator[str]:
    for mark, at in zip(marks, places, strict=True):
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>'
        side = "" if mark == marks[0] else " end" if mark == marks[-1] else " middle"
        yield (
            f'<text class="axis{side}" x="{at:.1f}" y="{bottom + 20}">{escape(pounds(mark))}</text>'
        )


def _marks(lowest: float, highest: float, most: int) -> list[float]:
    """Round values that hold both, 0 among them where it lies between."""
    span = highest - lowest
    if not (math.isfinite(span) and span > 0):
        return [lowest - 1.0, lowest + 1.0]
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in _STEPS if size * power >= raw * (1 - 1e-9))
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [index * step for index in range(first, max(last, first + 1) + 1)]
