"""The ladder of one call out of the lists that its observation carries."""

from typing import Any

from nethealth.model.observation import Observation
from reports.document import Column, Ladder, LadderStep, Table
from reports.escape import clip
from reports.ladder import PLACES_MAX, letter
from reports.words import count

STEPS_MAX = 60
_PLACE_MAX, _LABEL_MAX, _METHOD_MAX = 60, 60, 20


def ladder(messages: Observation, call: str) -> Ladder | None:
    """None where the lists are not there, or do not fit together: a record may be hand-made."""
    method = messages.method
    places = [clip(str(place), _PLACE_MAX) for place in _listed(method.get("places"))]
    columns = [
        _listed(method.get(key))
        for key in ("times_s", "from", "to", "labels", "of", "media", "again")
    ]
    length = len(columns[0])
    if not places or not length or any(len(column) != length for column in columns):
        return None
    steps, rows = [], []
    for number, (at_s, source, destination, label, of, media, again) in enumerate(
        zip(*columns, strict=True), 1
    ):
        if not _is_place(source, places) or not _is_place(destination, places):
            return None
        if not isinstance(at_s, int | float):
            return None
        if number > STEPS_MAX:
            break
        text = clip(str(label), _LABEL_MAX)
        if of and of != "INVITE":
            text += f" ({clip(str(of), _METHOD_MAX)})"
        time = f"{at_s:.3f}"
        steps.append(LadderStep(time, source, destination, text, media is True, again is True))
        rows.append(
            (
                str(number), f"{time} s", _place(source, places), _place(destination, places), text,
                _notes(str(of), media=media is True, again=again is True),
            )
        )  # fmt: skip
    left = method.get("left_out")
    more = (left if isinstance(left, int) else 0) + length - len(steps)
    return Ladder(
        id=f"ladder-{call}",
        title=f"Messages of call {call}",
        description=_description(places, steps, more),
        places=tuple(places),
        steps=tuple(steps),
        table=Table(f"Messages of call {call}, in full", _COLUMNS, tuple(rows), telling=0),
    )


_COLUMNS = (
    Column("No.", numeric=True),
    Column("Time", numeric=True),
    Column("From"),
    Column("To"),
    Column("Message"),
    Column("Notes"),
)


def _description(places: list[str], steps: list[LadderStep], more: int) -> str:
    named = [f"{letter(index)} is {place}" for index, place in enumerate(places[:PLACES_MAX])]
    text = f"{count(len(steps), 'message')} between {count(len(places), 'place')}: "
    text += "; ".join(named) + "."
    hidden = len(places) - PLACES_MAX
    if hidden > 0:
        text += f" {count(hidden, 'further place')} stand in the table alone."
    if more > 0:
        text += f" {count(more, 'later message')} are counted and not shown."
    return text


def _place(index: int, places: list[str]) -> str:
    return f"{letter(index)} {places[index]}"


def _notes(of: str, *, media: bool, again: bool) -> str:
    notes = [f"answers {clip(of, 20)}"] if of else []
    if media:
        notes.append("session description")
    if again:
        notes.append("again")
    return ", ".join(notes) or "–"


def _listed(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else []


def _is_place(found: Any, places: list[str]) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(places)
