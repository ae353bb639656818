"""Rooms that grow hot: by level and by slope, sure where two sensors agree.

A sensor of a room, of the air or of an inlet tells of the room; one within a switch tells only by
its rise. What earlier runs saw belongs to it: a room is often hot before its link drops, and after
that nothing can be read.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import mean

from nethealth.diagnosis.device import devices, past_of
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, Place, Round, number
from nethealth.diagnosis.moments import aware, moment_of
from nethealth.diagnosis.text import listing
from nethealth.model.finding import Finding, Refutation, Severity, Verdict
from nethealth.model.observation import Observation, Passport

WINDOW = timedelta(hours=1)  # of a slope, and how old a last reading may be
SPAN_LEAST = timedelta(minutes=10)
READINGS_LEAST = 3
# A room is rarely so warm and steady, and 60 to 95 °F is a room.
FAHRENHEIT_LIKE = (59.0, 95.0)
_AIR = re.compile(r"\b(inlet|intake|ambient|room|rack|air|ceiling|door)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Point:
    time: datetime
    celsius: float
    seen: Observation | None  # null for what an earlier run saw


@dataclass(frozen=True)
class _Sensor:
    """One sensor's course, oldest first."""

    name: str
    of_room: bool
    points: tuple[_Point, ...]

    @property
    def last(self) -> _Point:
        return self.points[-1]

    @property
    def recent(self) -> tuple[_Point, ...]:
        since = self.last.time - WINDOW
        return tuple(point for point in self.points if point.time >= since)

    @property
    def slope_per_hour(self) -> float | None:
        """Least squares over the last hour; null below three readings, or ten minutes."""
        recent = self.recent
        if len(recent) < READINGS_LEAST or recent[-1].time - recent[0].time < SPAN_LEAST:
            return None
        hours = [(point.time - recent[0].time).total_seconds() / 3600 for point in recent]
        centre, level = mean(hours), mean(point.celsius for point in recent)
        pairs = zip(hours, recent, strict=True)
        above = sum((hour - centre) * (point.celsius - level) for hour, point in pairs)
        return above / sum((hour - centre) ** 2 for hour in hours)


@dataclass(frozen=True)
class _Room:
    """What all sensors of a site say together."""

    place: Place
    sensors: tuple[_Sensor, ...]
    rounds: tuple[Round, ...]
    on_battery: Observation | None
    silent: bool  # nothing of it could be read the last time


def overheating(evidence: Evidence) -> Iterator[Finding]:
    """One `overheating` for each site, or lone device, that is hot or on its way there."""
    for place, hosts in evidence.groups:
        room = _room(evidence, place, hosts)
        if room is not None and (found := _judged(evidence, room)):
            yield found


def _judged(evidence: Evidence, room: _Room) -> Finding | None:
    limits = evidence.record.settings.thresholds
    of_room = [sensor for sensor in room.sensors if sensor.of_room]
    hot = [sensor for sensor in of_room if sensor.last.celsius >= limits.temperature_c]
    rising = [
        sensor for sensor in room.sensors if _rises(sensor, limits.temperature_rise_c_per_hour)
    ]
    if hot:
        verdict = _verdict(hot, of_room, rising, limits.temperature_high_c)
        return _finding(evidence, room, hot, rising, verdict)
    on_the_way = [sensor for sensor in rising if sensor.of_room]
    if on_the_way and len(rising) >= 2:
        found = _finding(evidence, room, on_the_way, rising, Verdict.SUPPORTED)
        least = min(found.severity, Severity.WARNING, key=lambda each: each.rank)
        return replace(found, severity=least)  # it is not hot yet
    return None


def _verdict(
    hot: Sequence[_Sensor], of_room: Sequence[_Sensor], rising: Sequence[_Sensor], high_c: float
) -> Verdict:
    """Two that agree are sure; one alone needs readings enough, and a level or a slope besides."""
    if len(hot) > 1 and not all(_like_fahrenheit(sensor, rising) for sensor in hot):
        return Verdict.DEMONSTRATED
    (alone, *_) = hot
    if _like_fahrenheit(alone, rising):
        return Verdict.INSUFFICIENT_DATA
    others_rise = any(sensor is not alone for sensor in rising)
    if alone in rising and others_rise:
        return Verdict.DEMONSTRATED
    contradicted = len(of_room) > len(hot)
    known = len(alone.recent) >= READINGS_LEAST
    if known and not contradicted and (alone in rising or alone.last.celsius >= high_c):
        return Verdict.SUPPORTED
    return Verdict.INSUFFICIENT_DATA


def _rises(sensor: _Sensor, limit_per_hour: float) -> bool:
    slope = sensor.slope_per_hour
    return slope is not None and slope >= limit_per_hour


def _like_fahrenheit(sensor: _Sensor, rising: Sequence[_Sensor]) -> bool:
    low, high = FAHRENHEIT_LIKE
    return sensor not in rising and low <= sensor.last.celsius <= high


def _finding(
    evidence: Evidence,
    room: _Room,
    told: Sequence[_Sensor],
    rising: Sequence[_Sensor],
    verdict: Verdict,
) -> Finding:
    limits = evidence.record.settings.thresholds
    others = [sensor for sensor in room.sensors if sensor.of_room and sensor not in told]
    levels = listing([f"{sensor.last.celsius:.1f} °C at {sensor.name}" for sensor in told])
    slopes = [sensor.slope_per_hour for sensor in told if sensor in rising]
    slope = max((each for each in slopes if each is not None), default=None)
    pace = f", rising by {slope:.0f} °C an hour" if slope is not None else ""
    last = max(sensor.last.time for sensor in told)
    was = (
        f" when it was last read, at {last:%H:%M} UTC, and cannot be read now"
        if room.silent
        else ""
    )
    supply = (
        " Its supply is on battery: the cooling may be without power." if room.on_battery else ""
    )
    return draft(
        evidence,
        "overheating",
        room.place,
        f"{room.place.name} {'was' if room.silent else 'is'} at {levels}{pace}{was}; the limit is "
        f"{limits.temperature_c:g} °C.{supply}",
        rounds=room.rounds,
        seen=[
            *(point.seen for sensor in (*told, *others) for point in reversed(sensor.points)),
            room.on_battery,
            *(one.first("snmp_unanswered_count") for one in room.rounds if room.silent),
        ],
        verdict=verdict,
        refutations=(
            Refutation("Does a second sensor say otherwise?", _second(told, others, rising)),
            Refutation(
                "Could a sensor read in Fahrenheit?",
                "it may: so steady a value would be a room's in Fahrenheit"
                if any(_like_fahrenheit(sensor, rising) for sensor in told)
                else "no: it rises, or no room is so cold in Fahrenheit",
            ),
            Refutation(
                "Is the site's supply on battery?", "yes" if room.on_battery else "no, or untold"
            ),
        ),
        missing=() if verdict is Verdict.DEMONSTRATED else ("a second sensor that agrees",),
        alternatives=("a sensor in the exhaust of a machine, or in the sun",),
    )  # fmt: skip


def _second(told: Sequence[_Sensor], others: Sequence[_Sensor], rising: Sequence[_Sensor]) -> str:
    if len(told) > 1:
        return f"no: {len(told)} agree"
    if any(sensor not in told for sensor in rising):
        return "no: another rises with it"
    if others:
        return "yes: " + listing([f"{one.name} reads {one.last.celsius:.1f} °C" for one in others])
    return "there is no second one"


def _room(evidence: Evidence, place: Place, hosts: Sequence[Host]) -> _Room | None:
    sensors: list[_Sensor] = []
    answered = {device.place.key: device for device in devices(evidence.only(hosts))}
    for host in hosts:
        if host.of("snmp"):
            sensors += _sensors(evidence, host)
    end = aware(evidence.record.run.finished or evidence.record.run.started)
    fresh = [sensor for sensor in sensors if end - sensor.last.time <= 2 * WINDOW]
    if not fresh:
        return None
    supplies = [device.now("ups_output_source") for device in answered.values()]
    battery = [seen for seen in supplies if seen is not None and seen.value == "battery"]
    rounds = tuple(one for host in hosts for series in host.of("snmp") for one in series.rounds)
    latest = {
        seen.id
        for host in hosts
        for series in host.of("snmp")
        for one in series.rounds[-1:]
        for seen in one.all("temperature_celsius")
    }
    now = any(sensor.last.seen and sensor.last.seen.id in latest for sensor in fresh)
    return _Room(place, tuple(fresh), rounds, battery[0] if battery else None, not now)


def _sensors(evidence: Evidence, host: Host) -> Iterator[_Sensor]:
    courses: dict[tuple[str, str], list[_Point]] = defaultdict(list)
    for past in past_of(evidence, host):
        value = past.value
        if past.name == "temperature_celsius" and isinstance(value, int | float):
            courses[_key(past.method)].append(_Point(past.time, float(value), None))
    for series in host.of("snmp"):
        for one in series.rounds:
            for seen in one.all("temperature_celsius"):
                celsius, moment = number(seen), moment_of(evidence, seen)
                if celsius is not None and moment is not None:
                    courses[_key(seen.method)].append(_Point(moment, celsius, seen))
    asset = evidence.assets.get(host.place.asset or "")
    for (mib, name), points in sorted(courses.items()):
        for_air = mib.startswith("PowerNet") or _AIR.search(name) is not None
        of_room = for_air or (asset is not None and asset.kind == "sensor")
        label = f"{name} of {host.place.name}"
        yield _Sensor(label, of_room, tuple(sorted(points, key=lambda point: point.time)))


def _key(method: Passport) -> tuple[str, str]:
    return str(method.get("mib")), str(method.get("sensor"))
