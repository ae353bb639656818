"""Telephones that fall off the register when broadcasts rise, while computers carry on.

Old sets look at every broadcast with a small processor; vendors advise no more than some 500 a
second. That telephones are lost while broadcasts are many is a coincidence until it was tried, so
that this is a hint at the most: a registered experiment makes more of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import TELEPHONY_KINDS, Lan
from nethealth.diagnosis.moments import joined, ran_at
from nethealth.diagnosis.text import counted, percent
from nethealth.diagnosis.tree import CHANGES_LEAST, tree_changes, unrest
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation

LOST_LEAST = 3
TIMES_MORE = 5.0  # as often as in calm time
NOTICED = timedelta(minutes=3)  # until a server misses a telephone that is silent


@dataclass(frozen=True)
class _Storm:
    """A stretch of time with more broadcasts than the limit."""

    from_: datetime
    to: datetime

    @property
    def counted_to(self) -> datetime:
        return self.to + NOTICED


@dataclass(frozen=True, eq=False)
class _Course:
    """What a site's captures and switches saw of broadcasts, and when nobody looked."""

    storms: tuple[_Storm, ...]
    watched: tuple[tuple[datetime, datetime], ...]
    seen: tuple[Observation, ...]

    def in_storm(self, moment: datetime) -> bool:
        return any(storm.from_ <= moment <= storm.counted_to for storm in self.storms)

    def is_watched(self, moment: datetime) -> bool:
        return any(begin <= moment <= end + NOTICED for begin, end in self.watched)

    @property
    def storm_s(self) -> float:
        return sum((storm.counted_to - storm.from_).total_seconds() for storm in self.storms)

    @property
    def calm_s(self) -> float:
        whole = sum((end + NOTICED - begin).total_seconds() for begin, end in self.watched)
        return max(whole - self.storm_s, 0.0)


def sensitive_telephones(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `broadcast-sensitive-phones` for each site that loses registrations in storms."""
    for lan in places:
        evidence = lan.evidence
        lost = lan.happened("registration-lost")
        if len(lost) < LOST_LEAST:
            continue
        course = _course(evidence, lan)
        inside = [event for event in lost if course.in_storm(event.time)]
        calm = [
            event
            for event in lost
            if course.is_watched(event.time) and not course.in_storm(event.time)
        ]
        if len(inside) >= LOST_LEAST and _more(course, len(inside), len(calm)):
            yield _finding(evidence, lan, course, inside, calm)


def _more(course: _Course, inside: int, calm: int) -> bool:
    """Whether registrations are lost so much more often in storms; unknown without calm time."""
    if course.calm_s <= 0 or course.storm_s <= 0:
        return False
    return inside / course.storm_s >= TIMES_MORE * calm / course.calm_s


def _course(evidence: Evidence, lan: Lan) -> _Course:
    limit = evidence.record.settings.thresholds.broadcast_packets_per_s
    stretches: list[tuple[datetime, datetime]] = []
    watched: list[tuple[datetime, datetime]] = []
    seen: list[Observation] = []
    for capture in lan.captures:
        bins = capture.bins("broadcast_per_bin_max")
        stretches += [(one.from_, one.to) for one in bins if one.per_s >= limit]
        if len(span := capture.span) == 2:
            watched.append((span[0], span[1]))
            seen += capture.all("broadcast_per_bin_max")
    for device in lan.devices:
        for one in device.rounds:
            rates = one.all("interface_in_broadcast_per_s")
            ran = ran_at(evidence, one)
            if not rates or ran is None:
                continue
            watched.append(ran)
            many = [each for each in rates if (number(each) or 0) >= limit]
            if many:
                stretches.append(ran)
                seen += many
    storms = tuple(_Storm(*each) for each in joined(stretches, NOTICED))
    return _Course(storms, tuple(joined(watched)), tuple(seen))


def _finding(
    evidence: Evidence, lan: Lan, course: _Course, inside: list[Event], calm: list[Event]
) -> Finding:
    before = [
        event
        for event in lan.happened("registration-lost")
        if any(storm.from_ - NOTICED <= event.time < storm.from_ for storm in course.storms)
    ]
    first = 2 * len(before) >= len(inside)
    lost, sent = _computers(evidence, lan, course)
    limit = evidence.record.settings.thresholds.loss
    hurt = sent > 0 and lost > limit * sent
    moved = _tree_moved(lan)
    refuted = first or hurt or bool(moved)
    return draft(
        evidence,
        "broadcast-sensitive-phones",
        lan.place,
        f"{counted(len(inside), 'registration')} of telephones at {lan.place.name} were lost in "
        f"{counted(len(course.storms), 'storm')} of broadcasts, and {len(calm)} in the "
        f"{course.calm_s / 60:.0f} calm minutes that were watched.",
        times=[event.time for event in inside],
        seen=[*inside, *course.seen],
        verdict=Verdict.CONTRADICTED if refuted else Verdict.SUGGESTIVE,
        direction=Direction.UNDETERMINED if refuted else Direction.NETWORK_TO_TELEPHONY,
        refutations=(
            Refutation(
                "Do computers suffer as well, so that it is no matter of telephones?",
                "not measured: nothing else of the site was asked in those storms" if not sent
                else f"{'yes' if hurt else 'no'}: {lost} of {sent} echo requests to others were "
                f"lost, {percent(lost / sent)}",
            ),
            Refutation(
                "Were the telephones lost first, and broadcast when they came back?",
                f"yes: {len(before)} were lost just before a storm" if first
                else f"no: {len(before)} were lost just before a storm",
            ),
            Refutation(
                "Did the spanning tree change, which cuts off both?", moved or "nothing says so"
            ),
        ),
        missing=(
            "the same telephone in a VLAN that is quiet",
            "a registered hypothesis, tried on what comes (`nethealth experiment`)",
        ),
        alternatives=(
            "a cause of both: a morning's start, a loop, a server that fails",
        ),
    )  # fmt: skip


def _computers(evidence: Evidence, lan: Lan, course: _Course) -> tuple[int, int]:
    """Echo requests that were lost and sent in storms, of hosts that are no telephony."""
    lost = sent = 0
    for host in lan.hosts:
        asset = evidence.assets.get(host.place.asset or "")
        if asset is None or asset.kind in TELEPHONY_KINDS or not host.echoes:
            continue
        for one in host.pings:
            ran = ran_at(evidence, one)
            if ran is None:
                continue
            if any(storm.from_ <= ran[0] <= storm.to for storm in course.storms):
                sent += one.sent
                lost += one.sent - one.received
    return lost, sent


def _tree_moved(lan: Lan) -> str:
    heard = [found for capture in lan.captures if (found := unrest(capture)) is not None]
    if any(found.at_work for found in heard):
        return "yes: a capture heard it"
    if any(tree_changes(device) >= CHANGES_LEAST for device in lan.devices):
        return "yes: a switch counted it"
    return ""
