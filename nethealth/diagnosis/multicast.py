"""Multicast that is sent to every port: who sends it, and whether anybody asked for it.

Without a querier no switch learns who wants a group (RFC 4541 section 2.1), and paging or music on
hold reaches every port. A switch's counters alone give a hint; a capture shows the source, what it
sends, and that nobody joined. Whether that is telephony is the source's affair: a backup by
multicast floods in the same way.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from nethealth.diagnosis.capture import Capture, whole, words
from nethealth.diagnosis.device import Device
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.text import counted, listing, percent
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

FLOODED_LEAST = 3  # ports that send the same multicast
MULTICAST_PER_S = 100.0  # two telephone calls' worth of packets, at every port
NOTICED_PER_S = 40.0  # a single stream of music on hold has 50: worth naming, and no flood yet
ALIKE = 1.2
QUERIED_S = 135.0  # a querier asks every 125 s and is answered within 10 (RFC 3376 section 8)
RTP_LEAST = 0.9


def multicast_floods(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `multicast-flood` for each source that a capture shows, else for each switch."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        spread = [found for device in lan.devices if (found := _spread(device)) is not None]
        captured = [
            finding
            for capture in lan.captures
            for stream in _streams(capture)
            if (finding := _of_source(evidence, lan, stream, spread)) is not None
        ]
        yield from captured
        if not captured:
            yield from (_of_switch(evidence, lan, each) for each in spread)


@dataclass(frozen=True)
class _Spread:
    """Many ports of one switch that send the same multicast that others take in."""

    device: Device
    per_s: float
    sources: tuple[str, ...]
    alike: tuple[str, ...]
    ports: int
    seen: tuple[Observation, ...]


def _spread(device: Device) -> _Spread | None:
    out, into = _rates(device, "out"), _rates(device, "in")
    top = max((number(seen) or 0 for seen in out.values()), default=0)
    alike = [port for port, seen in out.items() if (number(seen) or 0) * ALIKE >= top]
    sources = {
        port: seen
        for port, seen in into.items()
        if (number(seen) or 0) * ALIKE >= top and port not in alike
    }
    if top < MULTICAST_PER_S or len(alike) < FLOODED_LEAST or not sources:
        return None
    seen = (*sources.values(), *(out[port] for port in alike))
    return _Spread(device, top, tuple(sources), tuple(alike), len(out), seen)


def _rates(device: Device, way: str) -> Mapping[str, Observation]:
    found = {
        interface: device.now(f"interface_{way}_multicast_per_s", interface=interface)
        for interface in device.ports
    }
    return {port: seen for port, seen in found.items() if seen is not None}


def _of_switch(evidence: Evidence, lan: Lan, spread: _Spread) -> Finding:
    where = spread.device.place
    telephony = any(spread.device.telephone_at(port) for port in spread.sources)
    joined, groups = _joined(lan)
    refuted = len(spread.alike) <= joined
    return draft(
        evidence,
        "multicast-flood",
        where,
        f"{where.name} sends some {spread.per_s:.0f} multicast packets a second out of "
        f"{counted(len(spread.alike), 'port')} alike; they come in at {listing(spread.sources)}.",
        rounds=spread.device.rounds[-1:],
        seen=[*spread.seen, *groups],
        verdict=Verdict.CONTRADICTED if refuted else Verdict.SUGGESTIVE,
        direction=(
            Direction.TELEPHONY_TO_NETWORK if telephony and not refuted
            else Direction.UNDETERMINED
        ),
        refutations=(
            Refutation(
                "Does it reach only the ports that asked for it?",
                f"no: {counted(len(spread.alike), 'port')} of {spread.ports} get as much",
            ),
            *(
                [
                    Refutation(
                        "Did as many join the group as ports send it?",
                        f"{'yes' if refuted else 'no'}: a capture shows "
                        f"{counted(joined, 'member')}",
                    )
                ]
                if groups
                else []
            ),
        ),
        missing=(
            "whether the VLAN has a querier, and who joined the group",
            "what the packets are, from a capture",
        ),
        alternatives=("pictures sent to many on purpose", "every port has a member"),
    )  # fmt: skip


def _joined(lan: Lan) -> tuple[int, list[Observation]]:
    """Most members of one group that a capture of the place saw, where somebody asks for them."""
    groups = [
        seen
        for capture in lan.captures
        if capture.count("igmp_querier_count")
        for seen in capture.all("multicast_group_packet_count", flooded_by_rule=False)
    ]
    return max((whole(seen, "members") or 0 for seen in groups), default=0), groups


@dataclass(frozen=True, eq=False)
class _Stream:
    """All that one source sends to groups that nobody joined."""

    capture: Capture
    source: str
    groups: tuple[Observation, ...]

    @cached_property
    def per_s(self) -> float:
        """In its busiest bin."""
        bins: dict[datetime, float] = defaultdict(float)
        width_s = 1.0
        for seen in self.groups:
            series = self.capture.bins("multicast_group_per_bin_max", group=seen.method["group"])
            for one in series:
                bins[one.from_] += one.count
                width_s = (one.to - one.from_).total_seconds()
        return max(bins.values(), default=0.0) / width_s

    @property
    def rtp_ratio(self) -> float:
        packets = sum(number(seen) or 0 for seen in self.groups)
        return sum(whole(seen, "rtp_packets") or 0 for seen in self.groups) / max(packets, 1)

    @property
    def queriers(self) -> Observation | None:
        return self.capture.first("igmp_querier_count")

    @property
    def asked(self) -> bool | None:
        """Whether a querier asks who wants what; None where the capture is too short to tell."""
        found = self.capture.count("igmp_querier_count")
        if found:
            return True
        long = (self.capture.lasted_s or 0) >= QUERIED_S
        return False if long and found is not None else None


def _streams(capture: Capture) -> Iterator[_Stream]:
    """By the busiest source of each group that has no member; bins of a group are of all of it."""
    by_source: dict[str, list[Observation]] = defaultdict(list)
    for seen in capture.all("multicast_group_packet_count", flooded_by_rule=False):
        sources = words(seen, "source_addresses")
        named = isinstance(seen.method.get("group"), str)
        if whole(seen, "members") == 0 and sources and named:
            by_source[sources[0]].append(seen)
    for source in sorted(by_source):
        stream = _Stream(capture, source, tuple(by_source[source]))
        if stream.per_s >= NOTICED_PER_S:
            yield stream


def _of_source(
    evidence: Evidence, lan: Lan, stream: _Stream, spread: Sequence[_Spread]
) -> Finding | None:
    telephony, other = lan.telephones.why(stream.source), lan.telephones.why_not(stream.source)
    media = stream.rtp_ratio >= RTP_LEAST
    ports = [each for each in spread if stream.per_s * ALIKE >= MULTICAST_PER_S]
    tested = stream.asked is False or (stream.asked is None and bool(ports))
    known = telephony is not None if media else other is not None
    strong = stream.per_s >= MULTICAST_PER_S
    verdict = Verdict.SUPPORTED if tested and known and strong else Verdict.SUGGESTIVE
    direction = Direction.UNDETERMINED
    if verdict is Verdict.SUPPORTED:
        direction = Direction.TELEPHONY_TO_NETWORK if media else Direction.NOT_TELEPHONY
    elif other is not None and not media:
        direction = Direction.NOT_TELEPHONY
    names = listing([str(seen.method["group"]) for seen in stream.groups])
    what = "RTP, as paging and music on hold are" if media else "no RTP"
    who = telephony or other
    return draft(
        evidence,
        "multicast-flood",
        lan.at(stream.source),
        f"{stream.source} sends up to {stream.per_s:.0f} multicast packets a second to {names}, "
        f"which nobody at {lan.place.name} joined in the capture; it is {what}"
        f"{f', and {who}' if who else ''}.",
        times=stream.capture.span,
        seen=[
            *stream.groups, stream.queriers,
            *(seen for each in ports for seen in each.seen),
        ],
        verdict=verdict,
        direction=direction,
        refutations=(
            Refutation("Did anybody join the groups?", "no: the capture holds no report of one"),
            Refutation("Does a querier ask who wants them?", _querier(stream)),
            Refutation("Is the source telephony?", _telephony(telephony, other, stream)),
            *(
                Refutation(
                    "Does it reach only the ports that asked for it?",
                    f"no: {counted(len(each.alike), 'port')} of {each.device.place.name} get as "
                    "much",
                )
                for each in ports
            ),
        ),
        missing=_missing(stream, tested, known),
        alternatives=(
            "members whose reports do not pass where the capture was taken",
            *(() if telephony and media else ("pictures or a backup sent to many on purpose",)),
        ),
    )  # fmt: skip


def _querier(stream: _Stream) -> str:
    if stream.asked is None:
        return f"unknown: none asked, in a capture of less than {QUERIED_S:.0f} s"
    return "yes: snooping may work, and this port may be a mirror" if stream.asked else "no: none"


def _telephony(telephony: str | None, other: str | None, stream: _Stream) -> str:
    share = f"{percent(stream.rtp_ratio)} of it is RTP"
    if telephony is not None:
        return f"yes: {telephony}; {share}"
    if other is not None:
        return (
            f"no: {other}; {share}"
            if stream.rtp_ratio < RTP_LEAST
            else (f"unknown: {other}, and yet {share}")
        )
    return f"unknown: nothing says what {stream.source} is; {share}"


def _missing(stream: _Stream, tested: bool, known: bool) -> tuple[str, ...]:
    found = []
    if not known:
        found.append(f"what {stream.source} is: give it a kind in the inventory")
    if not tested:
        found.append("whether a port that asked for nothing gets it: look at one that is no mirror")
    return (*found, "whether the trouble begins and ends with one test page")
