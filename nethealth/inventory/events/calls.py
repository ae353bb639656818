"""Call detail records to events: when a call was tried, was answered and ended.

Numbers and names serve to place a call, and leave here as `Names` has them. Of each of a call's
legs that has a row there is an event.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from nethealth.inventory.assets.columns import normal
from nethealth.inventory.assets.sheet import Register, Row
from nethealth.inventory.events.call_map import FIELDS, CallMap
from nethealth.inventory.events.distinct import Distinct
from nethealth.inventory.events.messages import Tally
from nethealth.inventory.events.places import Place, Places
from nethealth.model.observation import Event
from nethealth.model.pseudonym import Names

DURATION_MAX_S = 7 * 86400.0
_ANSWERED = frozenset({"answered", "answer", "connected", "completed", "complete", "yes", "true"})
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,6})?")
_SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,6})?")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:\.\d{1,6})?")
_NEVER = frozenset({"", "0", "-", "0000-00-00 00:00:00"})
# Day before month, as here; the map's `time_format` says otherwise.
_FORMS = (
    "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
)  # fmt: skip


class CallError(ValueError):
    """A row that is no call; the message says why."""


@dataclass(frozen=True, slots=True)
class _Call:
    start: datetime
    answer: datetime | None
    end: datetime | None


def register(map_: CallMap) -> Register:
    """What call records look like to the reader of sheets."""
    return Register(lambda cells: len(columns_of(cells, map_)), times=True)


def columns_of(headers: Iterable[str], map_: CallMap) -> dict[str, str]:
    """Field to header: the map's, else the first usual name that the file has."""
    by_name: dict[str, str] = {}
    for header in headers:
        if header:
            by_name.setdefault(normal(header), header)
    found: dict[str, str] = {
        field: by_name[normal(header)]
        for field, header in map_.columns.items()
        if normal(header) in by_name
    }
    for field, names in FIELDS.items():
        for name in names:
            usual = by_name.get(normal(name))
            if usual is not None and field not in found and usual not in found.values():
                found[field] = usual
    return found


class CallReader:
    """Reads one file's rows after the other's; a row that comes twice is one call."""

    def __init__(
        self, map_: CallMap, places: Places, zone: tzinfo, names: Names,
        clock_error_s: float | None,
    ) -> None:  # fmt: skip
        self._map = map_
        self._places = places
        self._zone = zone
        self._names = names
        self._clock_error_s = clock_error_s
        self._distinct = Distinct()

    def events(self, rows: Iterable[Row], tally: Tally) -> Iterator[Event]:
        """Up to three events of each row; a row that is no call is refused with its reason."""
        columns: dict[str, str] | None = None
        for row in rows:
            if columns is None:
                columns = columns_of(row, self._map)
                if "start" not in columns:
                    raise CallError(
                        f"no column for the start of a call among {', '.join(map(repr, row))[:500]}"
                        ': a map file names it, [columns] start = "…"'
                    )
            cells = {field: row.get(header, "") for field, header in columns.items()}
            if cells["start"].upper() in ("INTEGER", "DATETIME"):
                continue  # Cisco's second line: the types of the columns
            try:
                call = self._call(cells)
            except CallError as error:
                tally.refuse(row.number, str(error))
                continue
            tally.read += 1
            yield from self._of(call, cells, tally)

    def _of(self, call: _Call, cells: Mapping[str, str], tally: Tally) -> Iterator[Event]:
        caller, callee = cells.get("caller", ""), cells.get("callee", "")
        key = f"{call.start.isoformat()}|{call.end}|{cells.get('id', '')}"
        id_ = self._distinct.id("call", key, f"{caller}|{callee}|{call.answer}")
        if id_ is None:
            tally.repeated += 1
            return
        place = self._place(cells, caller, callee)
        source = f"calls {self._named(caller)} to {self._named(callee)}"
        moments = [("call", call.start)]
        if call.answer is not None:
            moments.append(("call-start", call.answer))
            if call.end is not None:
                moments.append(("call-end", call.end))
        for kind, moment in moments:
            tally.events[kind] += 1
            yield Event(id_.replace("call", kind, 1), moment, kind, place.site, place.asset,
                        source, self._clock_error_s)  # fmt: skip

    def _call(self, cells: Mapping[str, str]) -> _Call:
        start_text = cells["start"]
        if cells.get("time") and ":" not in start_text:
            start_text = f"{start_text} {cells['time']}"
        start = self._moment(start_text)
        ring, talk = _duration_s(cells.get("ring", "")), _duration_s(cells.get("talk", ""))
        whole = _duration_s(cells.get("duration", ""))
        end_text = cells.get("end", "")
        end = None if end_text in _NEVER else self._moment(end_text)
        if end is None and whole is not None:
            end = start + timedelta(seconds=whole)
        if end is not None and end < start:
            raise CallError(f"it ends before it starts, at {end_text or whole!r}")
        if not self._answered(cells, talk):
            return _Call(start, None, end)
        answer_text = cells.get("answer", "")
        if answer_text not in _NEVER:
            answer = self._moment(answer_text)
        elif ring is not None:
            answer = start + timedelta(seconds=ring)
        elif talk is not None and end is not None:
            answer = max(start, end - timedelta(seconds=talk))
        else:
            answer = start
        if end is None and talk is not None:
            end = answer + timedelta(seconds=talk)
        return _Call(start, answer, end)

    def _answered(self, cells: Mapping[str, str], talk: float | None) -> bool:
        """By its state, else the time of an answer, else that somebody talked."""
        if state := cells.get("state", "").casefold():
            return state in _ANSWERED
        if "answer" in cells:
            return cells["answer"] not in _NEVER
        return talk is None or talk > 0

    def _moment(self, text: str) -> datetime:
        try:
            return self._read_moment(text.strip()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise CallError(f"no time: {text[:60]!r}") from None

    def _read_moment(self, text: str) -> datetime:
        if self._map.time_format is not None:
            found = datetime.strptime(text, self._map.time_format)  # noqa: DTZ007  (below)
        elif _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        else:
            found = _by_form(text)
        return found if found.tzinfo else found.replace(tzinfo=self._zone)

    def _place(self, cells: Mapping[str, str], caller: str, callee: str) -> Place:
        site = self._places.site(cells.get("site"))
        host = cells.get("host")
        told = self._places.find(host)
        if site is None and told is None:
            for number in (caller, callee):
                if site := self._map.site_of(number):
                    break
        if site is None and told is None:
            return self._places.of_host(self._named(host) if host else None)
        return Place(site or (told.site if told else None), told.asset if told else None)

    def _named(self, text: str) -> str:
        return self._names.user(text[:200]) or "nobody"


def _by_form(text: str) -> datetime:
    if ":" not in text:
        raise ValueError("a day alone is no moment")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for form in _FORMS:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007  (the caller adds the zone)
            except ValueError:
                continue
    raise ValueError("no time")


def _duration_s(text: str) -> float | None:
    """Of `63`, `63.5`, `1:03` or `00:01:03`; None for an empty cell."""
    text = text.strip()
    if not text or text == "-":
        return None
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif clock := _CLOCK.fullmatch(text):
        seconds = int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60 + int(clock[3])
    else:
        raise CallError(f"no duration: {text[:60]!r}")
    if seconds > DURATION_MAX_S:
        raise CallError(f"a duration above a week: {text[:60]!r}")
    return seconds
