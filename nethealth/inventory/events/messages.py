"""Files of syslog to events: what matches a rule, when, and where."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from nethealth.inventory.events.distinct import Distinct
from nethealth.inventory.events.places import Place, Places
from nethealth.inventory.events.rules import Matched, Rule, matched
from nethealth.inventory.faults import printable
from nethealth.model.observation import Event
from nethealth.wire import syslog
from nethealth.wire.errors import WireError

UNREAD_SHOWN_MAX = 10  # of each file
_LATE = timedelta(days=1)  # a file's last message may be younger than the file by another clock
_YEARS_BACK_MAX = 8  # a 29 February is found within them
_OTHER_YEAR_S = 180 * 86400


@dataclass(slots=True)
class Tally:
    """What came of one file. `unread`: the first lines that were refused, each with its reason."""

    read: int = 0
    events: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    cut: int = 0
    refused: int = 0
    unread: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        if len(self.unread) < UNREAD_SHOWN_MAX:
            self.unread.append((number, printable(reason[:200])))


class SyslogReader:
    """Reads one file after the other; what two of them tell alike is one event.

    `clock_error_s` goes before what the messages themselves tell of clocks.
    """

    def __init__(
        self, rules: Sequence[Rule], places: Places, zone: tzinfo, clock_error_s: float | None
    ) -> None:
        self._rules = rules
        self._places = places
        self._zone = zone
        self._clock_error_s = clock_error_s
        self._distinct = Distinct()

    def events(self, file: syslog.Lines, year: int, tally: Tally) -> Iterator[Event]:
        """The events of a file whose first message is of `year`, where it has none itself."""
        years = syslog.Years(year)
        for frame in syslog.frames(file):
            try:
                message = syslog.parse(frame.octets, years)
                time = _utc(message.time, self._zone)
            except WireError as error:
                tally.refuse(frame.number, str(error))
                continue
            tally.read += 1
            tally.cut += frame.cut
            event = self._event(message, time, tally)
            if event is not None:
                tally.events[event.kind] += 1
                yield event

    def _event(self, message: syslog.Message, time: datetime, tally: Tally) -> Event | None:
        said = f"{message.program}: {message.text}" if message.program else message.text
        found = matched(self._rules, said)
        if found is None:
            return None
        host = message.host or ""
        key = f"{time.isoformat()}|{found.kind}|{host.casefold()}"
        id_ = self._distinct.id(found.kind, key, said)
        if id_ is None:
            tally.repeated += 1
            return None
        place = self._place(found, message.host)
        return Event(
            id_, time, found.kind, place.site, place.asset,
            f"syslog {printable(host)[:200]}".rstrip(), self._error_s(message, time),
        )  # fmt: skip

    def _place(self, found: Matched, host: str | None) -> Place:
        """The asset that the message names, else the host that wrote it."""
        named = self._places.find(found.asset)
        site = self._places.site(found.site)
        if named is None or site is not None:
            told = self._places.of_host(host) if named is None else named
            return Place(site or told.site, told.asset)
        return named

    def _error_s(self, message: syslog.Message, time: datetime) -> float | None:
        if self._clock_error_s is not None:
            return self._clock_error_s
        if message.sent is not None:
            apart_s = abs((_utc(message.sent, self._zone) - time).total_seconds())
            return apart_s if apart_s < _OTHER_YEAR_S else None
        return message.accuracy_s


def first_year(file: syslog.Lines, latest: datetime, zone: tzinfo) -> int:
    """The year of a file's first message that has none, if its last is of `latest` or before.

    The roll-overs between them are counted. Reads the file to its end.
    """
    years, last = syslog.Years(0), None
    for frame in syslog.frames(file):
        moment = syslog.yearless(frame.octets, 2000)  # a leap year
        if moment is not None and years.of(moment.month) == years.year:
            last = moment
    local = (latest + _LATE).astimezone(zone).replace(tzinfo=None)
    if last is None:
        return local.year
    for year in range(local.year, local.year - _YEARS_BACK_MAX - 1, -1):
        try:
            if last.replace(year=year) <= local:
                return year - years.year
        except ValueError:  # a 29 February
            continue
    return local.year - years.year


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise WireError(f"a time beyond the calendar: {moment}") from None
