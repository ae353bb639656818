"""A call's messages as a ladder diagram: lifelines from top to bottom, an arrow for each message.

Here in characters for a terminal; `ladder_svg` draws it for a page. The table tells it in full.
"""

from reports.document import Ladder, LadderStep
from reports.escape import clip, visible

PLACES_MAX = 6  # lifelines that fit side by side
_TERMINAL_TIME = 10
_TERMINAL_PITCH_MAX = 44


def drawn_steps(ladder: Ladder) -> tuple[LadderStep, ...]:
    """The steps between the places that are drawn."""
    return tuple(step for step in ladder.steps if max(step.source, step.destination) < PLACES_MAX)


def letter(index: int) -> str:
    """A, B, C: what a place is called in the drawing."""
    return chr(ord("A") + index) if index < 26 else f"place {index + 1}"


def label(step: LadderStep) -> str:
    """What stands over the arrow."""
    return step.label + (", SDP" if step.media else "") + (" (again)" if step.again else "")


def terminal_lines(ladder: Ladder, width: int) -> list[str]:
    """The ladder in characters, at most `width` columns; no more than one line a message."""
    places = ladder.places[:PLACES_MAX]
    count = len(places)
    pitch = min(_TERMINAL_PITCH_MAX, (width - _TERMINAL_TIME - 4) // max(count - 1, 1))
    columns = [_TERMINAL_TIME + 2 + pitch * index for index in range(count)]
    lines = [_line({column: letter(index) for index, column in enumerate(columns)})]
    for step in drawn_steps(ladder):
        marks = dict.fromkeys(columns, "│")
        start, end = columns[step.source], columns[step.destination]
        low, high = min(start, end), max(start, end)
        text = visible(label(step))
        if low == high and step.source == count - 1 > 0:
            shown = clip(f"{text} ↺", pitch - 3)
            marks[low - 1 - len(shown)] = shown
        elif low == high:
            marks[low + 2] = clip(f"↺ {text}", (pitch if count > 1 else width - low) - 3)
        else:
            room = high - low - 1
            shown = clip(text, max(1, room - 6))
            shaft = "╌" if step.again else "─"
            body = f" {shown} ".center(room - 1, shaft)
            marks[low + 1] = f"{body}▶" if end > start else f"◀{body}"
        marks[0] = step.time.rjust(_TERMINAL_TIME - 1)
        lines.append(_line(marks))
    return lines


def _line(marks: dict[int, str]) -> str:
    """Marks at their columns; one that would stand on another is left out."""
    line = ""
    for column in sorted(marks):
        if column >= len(line):
            line = line.ljust(column) + marks[column]
    return line
