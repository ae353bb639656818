"""Syslog messages as they stand in files: RFC 5424, RFC 3164, and what daemons write of them.

In a file the priority is often left out, and the time often written as RFC 3339 has it, before the
rest of RFC 3164. RFC 3164's own time has neither year nor zone: `Message.time` is then without a
zone, and its year that of `Years`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, Protocol

from nethealth.wire.errors import WireError

MESSAGE_MAX = 8192  # octets; what is longer is cut (RFC 5425 section 4.3.1 asks for as many)
_LINE_MAX = MESSAGE_MAX + 16
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PRI = re.compile(r"<(0|[1-9]\d{0,2})>")
_PRI_MAX = 191  # facility 23, severity 7
_BOM = "\ufeff"
# RFC 5424 section 6.2.3: upper-case T and Z, at most 6 digits of a second, no leap second.
_TIME_5424 = (
    r"(?P<date>\d{4}-\d\d-\d\d)T(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<part>\d{1,6}))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)"
)
_ISO = re.compile(_TIME_5424)
_HEADER_5424 = re.compile(
    r"1 (?P<time>\S{1,40}) (?P<host>[!-~]{1,255}) (?P<program>[!-~]{1,48})"
    r" (?P<process>[!-~]{1,128}) (?P<id>[!-~]{1,32}) "
)
_SD_NAME = re.compile(r"[^\s=\]\"]{1,32}")
_SD_VALUE = re.compile(r' ([^\s=\]"]{1,32})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_SD_ESCAPED = re.compile(r'\\(["\\\]])')
_STAMP = (
    r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}(?P<day>\d{1,2})"
    r"(?: (?P<year>\d{4}))? (?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<part>\d{1,6}))?"
)
_BSD = re.compile(_STAMP)
# Some devices send their own time once more, behind what the server wrote when it came.
_SENDERS = re.compile(
    rf"(?:\d{{1,10}}: )?[*.]?{_STAMP}(?: (?P<zone>[A-Z]{{1,5}}))?: {{1,3}}(?P<rest>%.*)", re.DOTALL
)
_TAG = re.compile(r"(?P<program>[^\s:\[\]]{1,48})(?:\[(?P<process>[^\]\s]{1,32})\])?: ?")
_COUNT = re.compile(rb"([1-9]\d{0,4}) <\d{1,3}>")

Form = Literal["rfc5424", "rfc3164"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    `time` has no zone where the text has none. `sent`: the device's own time where the server
    wrote another before it. `accuracy_s`: what the sender says of its clock (RFC 5424, 7.1.3).
    """

    form: Form
    time: datetime
    host: str | None
    program: str | None
    text: str
    facility: int | None = None
    severity: int | None = None
    process: str | None = None
    message_id: str | None = None
    structured: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sent: datetime | None = None
    accuracy_s: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One message's octets and where they stand: its line, or its number where lengths part."""

    number: int
    octets: bytes
    cut: bool = False


class Lines(Protocol):
    """What a binary file does."""

    def readline(self, size: int, /) -> bytes: ...
    def read(self, size: int, /) -> bytes: ...


class Years:
    """The year of times that have none, by the order of the messages.

    From a late month to an early one a year has ended; the other way round a message has come
    late, and belongs to the year before.
    """

    def __init__(self, year: int) -> None:
        self.year = year
        self._month: int | None = None

    def of(self, month: int) -> int:
        """The year of the next message."""
        if self._month is not None and self._month - month > 6:
            self.year += 1
        elif self._month is not None and month - self._month > 6:
            return self.year - 1  # the month stays: the late message ends nothing
        self._month = month
        return self.year


def frames(file: Lines) -> Iterator[Frame]:
    """Part a file into messages: by lines, or where they have them by lengths (RFC 6587, 3.4.1).

    Never holds more than one message and a line; empty lines are counted and passed over.
    """
    number, pending = 0, b""
    while line := pending if pending.endswith(b"\n") else pending + file.readline(_LINE_MAX):
        pending = b""
        number += 1
        if counted := _COUNT.match(line):
            begin = counted.end(1) + 1
            end = begin + int(counted[1])
            if end > len(line):
                line += file.read(end - len(line))
            pending = line[end:].removeprefix(b"\r").removeprefix(b"\n")
            octets = line[begin:end]
        else:
            octets, whole = line, line.endswith(b"\n")
            while not whole and (passed := file.readline(_LINE_MAX)):
                octets, whole = octets[: MESSAGE_MAX + 1], passed.endswith(b"\n")
        octets = octets.rstrip(b"\r\n\0")
        if octets:
            yield Frame(number, octets[:MESSAGE_MAX], len(octets) > MESSAGE_MAX)


def parse(octets: bytes, years: Years) -> Message:
    """One message; WireError for what is neither of the two, with what is wrong."""
    text = octets[:MESSAGE_MAX].decode("utf-8", "replace").lstrip(_BOM)
    facility = severity = None
    priority = _PRI.match(text)
    if priority:
        if int(priority[1]) > _PRI_MAX:
            raise WireError(f"priority {priority[1]}; at most {_PRI_MAX}")
        facility, severity = divmod(int(priority[1]), 8)
        text = text[priority.end() :]
        if text.startswith("1 "):
            return _parse_5424(text, facility, severity)
    return _parse_3164(text, facility, severity, years)


def yearless(octets: bytes, year: int) -> datetime | None:
    """The time of a line that has no year, in that one, without a zone; None for any other."""
    text = octets[:64].decode("ascii", "replace")
    priority = _PRI.match(text)
    found = _BSD.match(text, priority.end() if priority else 0)
    if found is None or found["year"]:
        return None
    try:
        return _stamp(found, year)
    except WireError:
        return None


def _parse_5424(text: str, facility: int, severity: int) -> Message:
    header = _HEADER_5424.match(text)
    if header is None:
        raise WireError("no whole header of RFC 5424 behind the version 1")
    if header["time"] == "-":
        raise WireError("a message without a time")
    found = _ISO.fullmatch(header["time"])
    if found is None:
        raise WireError(f"no time of RFC 5424: {header['time']!r}")
    structured, at = _structured(text, header.end())
    if text[at : at + 1] not in ("", " "):
        raise WireError("no space behind the structured data")
    quality = structured.get("timeQuality", {})
    accuracy = quality.get("syncAccuracy", "")
    synced = quality.get("isSynced") == "1" and accuracy.isascii() and accuracy.isdigit()
    return Message(
        "rfc5424", _iso(found), _or_none(header["host"]), _or_none(header["program"]),
        text[at + 1 :].removeprefix(_BOM), facility, severity, _or_none(header["process"]),
        _or_none(header["id"]), structured,
        accuracy_s=int(accuracy[:15]) / 1e6 if synced else None,
    )  # fmt: skip


def _structured(text: str, at: int) -> tuple[dict[str, dict[str, str]], int]:
    """The elements from `at` on, and where they end; as many as the message's octets allow."""
    if text.startswith("-", at):
        return {}, at + 1
    elements: dict[str, dict[str, str]] = {}
    while text.startswith("[", at):
        name = _SD_NAME.match(text, at + 1)
        if name is None:
            raise WireError(f"structured data without a name at character {at + 1}")
        values: dict[str, str] = {}
        at = name.end()
        while value := _SD_VALUE.match(text, at):
            values[value[1]] = _SD_ESCAPED.sub(r"\1", value[2])
            at = value.end()
        if not text.startswith("]", at):
            raise WireError(f"structured data that does not end, at character {at + 1}")
        elements[name[0]] = values
        at += 1
    if not elements:
        raise WireError(f"neither structured data nor - at character {at + 1}")
    return elements, at


def _parse_3164(text: str, facility: int | None, severity: int | None, years: Years) -> Message:
    if found := _ISO.match(text):
        time = _iso(found)
    elif found := _BSD.match(text):
        month = _MONTHS.index(found["month"]) + 1
        time = _stamp(found, int(found["year"]) if found["year"] else years.of(month))
    else:
        raise WireError("no time where RFC 3164 or RFC 3339 has one")
    rest = text[found.end() :]
    if not rest.startswith(" "):
        raise WireError("no host behind the time")
    host, _, content = rest.lstrip(" ").partition(" ")  # Junos writes two spaces
    if not host or len(host) > 255:
        raise WireError("no host behind the time")
    sent = None
    if own := _SENDERS.match(content):
        sent, content = _senders(own, time), own["rest"]
    tag = _TAG.match(content)
    return Message(
        "rfc3164", time, host.rstrip(":"), tag["program"] if tag else None,
        content[tag.end() :] if tag else content, facility, severity,
        tag["process"] if tag else None, sent=sent,
    )  # fmt: skip


def _senders(found: "re.Match[str]", received: datetime) -> datetime | None:
    """The sender's own time, in the year in which it came; of an unknown zone nothing is said."""
    try:
        own = _stamp(found, int(found["year"]) if found["year"] else received.year)
    except WireError:
        return None
    if found["zone"] in ("UTC", "GMT", "Z"):
        return own.replace(tzinfo=UTC)
    return own if found["zone"] is None else None


def _iso(found: "re.Match[str]") -> datetime:
    part = f".{found['part']:0<6}" if found["part"] else ""
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{found['clock']}{part}")
        zone = found["zone"]
        if zone == "Z":
            return moment.replace(tzinfo=UTC)
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        return moment.replace(tzinfo=timezone(-offset if zone[0] == "-" else offset))
    except ValueError:
        raise WireError(f"no moment of the calendar: {found[0]!r}") from None


def _stamp(found: "re.Match[str]", year: int) -> datetime:
    month = _MONTHS.index(found["month"]) + 1
    part = f".{found['part']:0<6}" if found["part"] else ""
    try:
        return datetime.fromisoformat(
            f"{year:04}-{month:02}-{int(found['day']):02}T{found['clock']}{part}"
        )
    except ValueError:
        raise WireError(f"no moment of the calendar in {year}: {found[0]!r}") from None


def _or_none(text: str) -> str | None:
    return None if text == "-" else text
