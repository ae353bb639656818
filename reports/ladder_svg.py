"""The ladder of a call as parts of an SVG, for a wide and for a narrow page."""

from collections.abc import Iterator

from markupsafe import escape

from reports.document import Ladder, LadderStep
from reports.escape import clip, visible
from reports.ladder import PLACES_MAX, drawn_steps, label, letter

_HEAD, _HEAD_WITH_ADDRESSES, _ROW = 34, 52, 36
_GUTTER_WIDE, _GUTTER_NARROW = 64, 52  # for the times
_CHARACTER = 7.0  # about as wide as a character of 13 pixels is
_TIP = 7
_ADDRESS_PITCH = 150  # lifelines closer than this bear letters alone


def drawing(ladder: Ladder, width: int, wide: bool) -> tuple[int, list[str]]:
    """The height of the drawing, and its parts."""
    places = ladder.places[:PLACES_MAX]
    left = _GUTTER_WIDE if wide else _GUTTER_NARROW
    first, last = left + 24.0, width - 24.0
    pitch = (last - first) / max(len(places) - 1, 1)
    addressed = wide and pitch >= _ADDRESS_PITCH
    head = _HEAD_WITH_ADDRESSES if addressed else _HEAD
    steps = drawn_steps(ladder)
    bottom = head + _ROW * len(steps) + 6

    def x(index: int) -> float:
        return first + pitch * index

    parts = []
    for index, place in enumerate(places):
        parts.append(
            f'<line class="life" x1="{x(index):.1f}" x2="{x(index):.1f}" y1="{head - 8}" '
            f'y2="{bottom}"/><text class="place middle" x="{x(index):.1f}" y="16">'
            f"{letter(index)}</text>"
        )
        if addressed:
            side, at = "middle", x(index)
            if index == 0:
                side, at = "", left + 0.0
            elif index == len(places) - 1:
                side, at = "end", float(width)
            shown = _safe(clip(place, int(pitch / _CHARACTER) - 2))
            parts.append(f'<text class="axis {side}" x="{at:.1f}" y="33">{shown}</text>')
    for number, step in enumerate(steps):
        y = head + _ROW * (number + 1) - 6
        parts.append(f'<text class="axis end" x="{left - 6}" y="{y + 4}">{_safe(step.time)}</text>')
        parts += _arrow(step, x(step.source), x(step.destination), y)
        parts.append(_label(step, x(step.source), x(step.destination), y, left, width))
    return bottom, parts


def _arrow(step: LadderStep, start: float, end: float, y: int) -> Iterator[str]:
    kind = "arrow again" if step.again else "arrow"
    if step.source == step.destination:
        yield (
            f'<path class="{kind}" d="M{start:.1f} {y - 8}h22v8h-22"/>'
            f'<path class="head" d="M{start:.1f} {y}l{_TIP} -4v8z"/>'
        )
        return
    back = -_TIP if end > start else _TIP
    yield f'<path class="{kind}" d="M{start:.1f} {y}H{end + back:.1f}"/>'
    yield f'<path class="head" d="M{end:.1f} {y}l{back} -4v8z"/>'


def _label(step: LadderStep, start: float, end: float, y: int, left: int, width: int) -> str:
    """The label over its arrow: centred where it fits, else from the side with more room."""
    low, high = min(start, end), max(start, end)
    text = label(step)
    needed = len(text) * _CHARACTER
    if needed <= high - low - 8:
        side, at, room = " middle", (low + high) / 2, needed
    elif width - low >= high - left:
        side, at, room = "", low + 4, width - low - 4
    else:
        side, at, room = " end", high - 4, high - left - 4
    shown = _safe(clip(text, max(3, int(room / _CHARACTER) + (needed <= room))))
    return f'<text class="step{side}" x="{at:.1f}" y="{y - 6}">{shown}</text>'


def _safe(text: str) -> str:
    return str(escape(visible(text)))
