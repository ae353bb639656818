"""Whether the calls themselves fill a site's line, by how many there were and what it carried.

A call has a known rate each way, so that calls predict a load. Where the line was full and the
prediction meets what it carried, calls filled it; where the line was full of something else, that
clears the telephony, which is said too.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median

from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Round
from nethealth.diagnosis.lan import Lan, lans, overlap
from nethealth.diagnosis.link_load import FULL, Carried, Line, line_of
from nethealth.diagnosis.loss import loss_of_rounds
from nethealth.diagnosis.moments import aware, joined, ran_at
from nethealth.diagnosis.recorded import Recordings, Stream
from nethealth.diagnosis.text import counted, percent
from nethealth.model.finding import Direction, Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Event, Observation
from nethealth.quality.loss import LossStatistics

AGREES = 0.2  # how far prediction and reading may differ, of the reading
# G.711, 20 ms, as an interface counts it: 160 octets and 40 of headers, 18 of Ethernet, 50 a second
G711_BPS = 87_200.0
FRAME_OCTETS = 18
INTERVAL_LEAST_S = 5.0
NEARLY = 0.5  # of the calls that filled the line
INTERVAL_MOST_S = 3600.0  # over a longer one calls and load are both averages of everything


@dataclass(frozen=True)
class Calls:
    """How many calls there were, moment by moment, and what one of them needs each way."""

    steps: tuple[tuple[datetime, int], ...]  # one more, or one fewer
    from_: datetime
    to: datetime
    each_bps: float
    by: str
    seen: tuple[Observation | Event, ...]

    def mean(self, from_: datetime, to: datetime) -> float | None:
        """The mean number of calls between two moments; None where calls were not watched."""
        if from_ < self.from_ or to > self.to or to <= from_:
            return None
        first = bisect_right(self._moments, from_)
        now, last, total_s = self._after[first - 1] if first else 0, from_, 0.0
        for at in range(first, bisect_left(self._moments, to)):
            total_s += now * (self._moments[at] - last).total_seconds()
            now, last = self._after[at], self._moments[at]
        total_s += now * (to - last).total_seconds()
        return total_s / (to - from_).total_seconds()

    def most(self) -> int:
        return max(self._after, default=0)

    @cached_property
    def _moments(self) -> list[datetime]:
        return [moment for moment, _ in self.steps]

    @cached_property
    def _after(self) -> list[int]:
        """How many calls there were after each step; one that began unseen ends without a trace."""
        now, found = 0, []
        for _, change in self.steps:
            now = max(0, now + change)
            found.append(now)
        return found


@dataclass(frozen=True)
class _Compared:
    """A full interval: what the line carried in its fuller direction, and what calls predict."""

    one: Carried
    carried_bps: float
    predicted_bps: float
    calls: float

    @property
    def ratio(self) -> float:
        return self.predicted_bps / self.carried_bps

    @property
    def explained(self) -> bool:
        agrees = abs(self.predicted_bps - self.carried_bps) <= AGREES * self.carried_bps
        # A call goes both ways, so that the other direction carries as much at the least.
        both = min(self.one.in_bps, self.one.out_bps) >= (1 - AGREES) * self.predicted_bps
        return agrees and both


def call_loads(held: Recordings) -> Iterator[Finding]:
    """`call-load` of each site whose calls were counted and whose line was full."""
    evidence = held.evidence
    for lan in lans(evidence):
        if lan.place.site is None:
            continue
        calls, line = _of_records(lan), line_of(lan)
        if line is None:
            yield from _unread(evidence, lan, calls) if calls is not None else ()
            continue
        calls = calls or _of_captures(lan, held)
        if calls is None:
            continue
        compared = [
            found
            for one in line.carried
            if (filled_bps := line.filled(one)) is not None
            if (found := _compare(one, filled_bps, calls)) is not None
        ]
        if compared:
            yield _finding(evidence, lan, line, calls, compared)


def _of_records(lan: Lan) -> Calls | None:
    """Calls by the records of the telephone system: each answered one begins, and ends."""
    found = lan.happened("call-start", "call-end")
    if not any(event.kind == "call-start" for event in found):
        return None
    # At one moment what ends goes before what begins.
    ordered = sorted(found, key=lambda event: (event.time, event.kind != "call-end", event.id))
    steps = tuple((one.time, 1 if one.kind == "call-start" else -1) for one in ordered)
    return Calls(
        steps, ordered[0].time, ordered[-1].time, G711_BPS,
        "call records, G.711 with 20 ms taken", tuple(ordered),
    )  # fmt: skip


def _of_captures(lan: Lan, held: Recordings) -> Calls | None:
    """Calls by the streams of a capture that leave the site; of one that shows none, that come."""
    for capture in held.captures:
        span = capture.span
        streams = [one for one in held.streams(capture) if one.span is not None]
        leaving = [one for one in streams if _crosses(one.source.site, one.destination.site, lan)]
        coming = [one for one in streams if _crosses(one.destination.site, one.source.site, lan)]
        chosen = leaving or coming
        rates = [rate for stream in chosen if (rate := _framed_bps(stream)) is not None]
        if len(span) < 2 or not rates:
            continue
        steps = sorted(
            step
            for stream in chosen
            if stream.span is not None
            for step in ((stream.span[0], 1), (stream.span[1], -1))
        )
        return Calls(
            tuple(steps), span[0], span[-1], median(rates),
            "streams of a capture, at their own rate",
            tuple(stream.seen["rtp_packets_expected"] for stream in chosen),
        )  # fmt: skip
    return None


def _crosses(inside: str | None, outside: str | None, lan: Lan) -> bool:
    return inside == lan.place.site and outside != lan.place.site


def _framed_bps(stream: Stream) -> float | None:
    """The rate of a stream as an interface counts it, with the frame of Ethernet."""
    if stream.bits_per_s is None or stream.span is None:
        return None
    lasted_s = (stream.span[1] - stream.span[0]).total_seconds()
    packets = stream.number("rtp_packets_received") or 0.0
    return stream.bits_per_s + FRAME_OCTETS * 8 * packets / lasted_s


def _compare(one: Carried, carried_bps: float, calls: Calls) -> _Compared | None:
    lasted_s = (one.to - one.from_).total_seconds()
    if not INTERVAL_LEAST_S <= lasted_s <= INTERVAL_MOST_S:
        return None
    mean = calls.mean(one.from_, one.to)
    if mean is None or carried_bps <= 0:
        return None
    return _Compared(one, carried_bps, mean * calls.each_bps, mean)


def _finding(
    evidence: Evidence, lan: Lan, line: Line, calls: Calls, compared: Sequence[_Compared]
) -> Finding:
    explained = [found for found in compared if found.explained]
    suffered = _suffered(evidence, lan, compared, calls)
    if not explained:
        verdict = Verdict.CONTRADICTED
    elif len(explained) < len(compared) or not suffered.while_full or suffered.otherwise:
        verdict = Verdict.SUGGESTIVE
    else:
        verdict = Verdict.SUPPORTED
    worst = max(explained or compared, key=lambda found: found.carried_bps)
    carried = f"{worst.carried_bps / 1e6:.2f} Mb/s"
    predicted = f"{worst.predicted_bps / 1e6:.2f} Mb/s"
    many = f"{worst.calls:.0f} calls at {worst.predicted_bps / max(worst.calls, 1e-9) / 1000:.1f}"
    if verdict is Verdict.CONTRADICTED:
        statement = (
            f"The line of {lan.place.name} was full, at {carried}, and not of calls: {many} kb/s "
            f"each way are {predicted}, {percent(min(1.0, worst.ratio))} of it."
        )
    else:
        statement = (
            f"Calls fill the line of {lan.place.name}: {many} kb/s each way are {predicted}, and "
            f"it carried {carried} of {_capacity(line)}, in "
            f"{len(explained)} of {counted(len(compared), 'full interval')}."
        )
    supported = verdict is Verdict.SUPPORTED
    direction = Direction.TELEPHONY_TO_NETWORK if supported else Direction.UNDETERMINED
    if verdict is Verdict.CONTRADICTED:
        direction = Direction.NOT_TELEPHONY
    return draft(
        evidence,
        "call-load",
        lan.place,
        statement,
        times=[moment for found in compared for moment in (found.one.from_, found.one.to)],
        seen=[
            *(seen for found in (explained or compared) for seen in found.one.seen),
            *suffered.seen,
            *_near(calls, compared),
        ],
        verdict=verdict,
        direction=direction,
        refutations=(
            Refutation(
                f"Do the calls explain what it carried, within {AGREES * 100:.0f} %?",
                f"in {len(explained)} of {counted(len(compared), 'full interval')}: predicted "
                f"{predicted}, carried {worst.one.in_bps / 1e6:.2f} in and "
                f"{worst.one.out_bps / 1e6:.2f} Mb/s out",
            ),
            Refutation("Does anything suffer while it is full?", suffered.words),
            Refutation("Does it suffer as much when it is not full?", suffered.control),
        ),
        missing=(
            *(() if line.declared else ("what the line is sold as: wan_down_mbps, wan_up_mbps",)),
            *(() if suffered.while_full else ("loss, or frames thrown away, while it was full",)),
        ),
        alternatives=(
            "calls within the site, which do not cross the line",
            "another codec than the one that is taken: G.729 needs 31.2 kb/s",
        ),
        effect=Effect(estimate=worst.ratio),
    )


@dataclass(frozen=True)
class _Suffered:
    """What the network suffered while the line was full, and when it was not."""

    while_full: bool
    otherwise: bool
    words: str
    control: str
    seen: tuple[Observation, ...]


def _suffered(
    evidence: Evidence, lan: Lan, compared: Sequence[_Compared], calls: Calls
) -> _Suffered:
    limit = evidence.record.settings.thresholds.loss
    spans = joined((found.one.from_, found.one.to) for found in compared)
    inside = _loss(evidence, lan, spans, within=True)
    outside = _loss(evidence, lan, _busy(calls, compared), within=False)
    thrown = [found.one.discards for found in compared if found.one.discards is not None]
    lossy = inside is not None and inside.interval[0] > limit
    words = []
    if inside is not None:
        words.append(f"{inside.lost} of {counted(inside.sent, 'echo request')} lost")
    if thrown:
        words.append(f"{sum(thrown):.0f} frames thrown away at {lan.place.name}'s router")
    seen = [
        one for host in lan.hosts for each in host.pings for one in each.all("packet_loss_ratio")
    ]
    control = "not measured"
    if outside is not None:
        control = f"{outside.lost} of {counted(outside.sent, 'echo request')} lost then"
    return _Suffered(
        while_full=lossy or sum(thrown) > 0,
        otherwise=outside is not None and outside.interval[0] > limit,
        words=", ".join(words) or "not measured",
        control=control,
        seen=tuple(seen),
    )


def _busy(calls: Calls, compared: Sequence[_Compared]) -> list[tuple[datetime, datetime]]:
    """When the line was full, or had nearly as many calls: what ran then is no control.

    Calls come in the midst of an interval between two readings. In order, none in common.
    """
    many = max(1.0, NEARLY * min(found.calls for found in compared))
    found = [(each.one.from_, each.one.to) for each in compared]
    now, since = 0, None
    for moment, change in (*calls.steps, (calls.to, -len(calls.steps))):
        now = max(0, now + change)
        if now >= many and since is None:
            since = moment
        elif now < many and since is not None:
            found.append((since, moment))
            since = None
    return joined(found)


def _loss(
    evidence: Evidence, lan: Lan, spans: Sequence[tuple[datetime, datetime]], *, within: bool
) -> LossStatistics | None:
    """Loss of the site's echo requests in these spans of time, or out of all of them."""
    return loss_of_rounds(
        one
        for host in lan.hosts
        if host.echoes
        for one in host.pings
        if _during(evidence, one, spans) is within
    )


def _during(
    evidence: Evidence, one: Round, spans: Sequence[tuple[datetime, datetime]]
) -> bool | None:
    """Whether a round ran in one of the spans; None where the record does not say when it ran."""
    ran = ran_at(evidence, one)
    if ran is None:
        return None
    # The last span that begins before the round ends is the only one that can hold it.
    at = bisect_right(spans, ran[1], key=lambda span: span[0]) - 1
    return at >= 0 and overlap(ran, spans[at])


def _unread(evidence: Evidence, lan: Lan, calls: Calls) -> Iterator[Finding]:
    """Calls that would fill the declared line, where nobody read what it carried."""
    site = evidence.site_facts.get(lan.place.site or "")
    sold = [mbps for mbps in (site.wan_down_mbps, site.wan_up_mbps) if mbps] if site else []
    predicted_bps = calls.most() * calls.each_bps
    if not sold or predicted_bps < FULL * min(sold) * 1e6:
        return
    yield draft(
        evidence,
        "call-load",
        lan.place,
        f"{counted(calls.most(), 'call')} at a time at {lan.place.name} would need "
        f"{predicted_bps / 1e6:.2f} Mb/s each way, of a line of {min(sold):g} Mb/s. What it "
        "carried was not read.",
        times=[calls.from_, calls.to],
        seen=calls.seen[:200],
        verdict=Verdict.INSUFFICIENT_DATA,
        direction=Direction.UNDETERMINED,
        refutations=(
            Refutation("Do the calls explain what it carried?", "not measured: no router was read"),
        ),
        missing=("readings by SNMP of the router of the site, while there are calls",),
        alternatives=("calls within the site, which do not cross the line",),
    )


def _capacity(line: Line) -> str:
    known = sorted({bps for bps in (line.down_bps, line.up_bps) if bps})
    shown = " down and ".join(f"{bps / 1e6:g}" for bps in reversed(known))
    return f"{shown}{' up' if len(known) > 1 else ''} Mb/s"


def _near(calls: Calls, compared: Sequence[_Compared]) -> list[Observation | Event]:
    """The calls of the full intervals; all of them would be a list that nobody reads."""
    first = min(found.one.from_ for found in compared)
    last = max(found.one.to for found in compared)
    kept = [
        one for one in calls.seen if not isinstance(one, Event) or first <= aware(one.time) <= last
    ]
    return kept[:200]
