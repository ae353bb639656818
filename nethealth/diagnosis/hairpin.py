"""Calls within one site whose media goes over its line to a relay elsewhere, and back.

A relay passes on what it gets: the same SSRC, or as many packets of the other leg of one call. A
mirror port's copy, or one behind an address translator, is no relay: there the second packet does
not leave from where the first arrived.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nethealth.diagnosis.capture import Capture
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.ends import host_of, site_place
from nethealth.diagnosis.evidence import Evidence, Place
from nethealth.diagnosis.lan import surest
from nethealth.diagnosis.recorded import Recordings, Stream
from nethealth.diagnosis.text import counted, listing, percent
from nethealth.model.finding import Direction, Effect, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

PACKETS_LEAST = 50  # of each leg: a second of speech
TOGETHER_LEAST = 0.8  # of the shorter leg lies within the other
ALIKE = 0.05  # how much the packets of two legs of one call may differ
PAIRS_MOST = 20_000  # compared at one relay; more is a damaged record
_NAMES = ("rtp_packets_expected", "rtp_packets_received")


@dataclass(frozen=True)
class Relayed:
    """What went in at a relay and came out of it again; `by` says how the two are known for one."""

    inward: Stream
    outward: Stream
    by: str

    @property
    def ends(self) -> frozenset[str]:
        """The two telephones, whichever speaks."""
        return frozenset((self.inward.endpoints[0], self.outward.endpoints[1]))

    @property
    def sites(self) -> tuple[str | None, str | None, str | None]:
        """Of who speaks, of the relay, and of who hears."""
        return (
            self.inward.source.site, self.inward.destination.site, self.outward.destination.site,
        )  # fmt: skip


def media_hairpins(held: Recordings) -> Iterator[Finding]:
    """One `media-hairpin` for each site whose own calls cross its line twice.

    Where an address is of no known site, one finding of the capture says what is missing; where
    the relay stands at the site itself, nothing crosses the line, which is said too.
    """
    yield from surest(_all(held))


def _all(held: Recordings) -> Iterator[Finding]:
    evidence = held.evidence
    for capture in held.captures:
        groups: dict[tuple[Place, Verdict], list[Relayed]] = defaultdict(list)
        for one in relayed(capture, held.streams(capture)):
            groups[_judged(evidence, one)].append(one)
        for (place, verdict), group in sorted(
            groups.items(), key=lambda pair: (pair[0][0].key, pair[0][1])
        ):
            yield _finding(evidence, place, verdict, group)


def relayed(capture: Capture, streams: Sequence[Stream]) -> Iterator[Relayed]:
    """Every two streams of which the second is the first, passed on by the host between."""
    arriving: dict[str, list[Stream]] = defaultdict(list)
    for stream in streams:
        if (stream.number("rtp_packets_received") or 0) >= PACKETS_LEAST:
            arriving[stream.destination.address].append(stream)
    calls = _calls(capture)
    compared = 0
    for outward in streams:
        if (outward.number("rtp_packets_received") or 0) < PACKETS_LEAST:
            continue
        for inward in arriving.get(outward.source.address, ()):
            compared += 1
            if compared > PAIRS_MOST:
                return
            relay = outward.source.address
            apart = inward.source.address not in {relay, outward.destination.address}
            if apart and outward.destination.address != relay and _together(inward, outward):
                by = _known_by(calls, inward, outward)
                if by is not None:
                    yield Relayed(inward, outward, by)


@dataclass(frozen=True)
class _Leg:
    """One call: who signals to whom, and where its media is wanted."""

    caller: str
    callee: str
    media: frozenset[str]


def _calls(capture: Capture) -> dict[str, list[_Leg]]:
    """Calls by the places at which they want media."""
    media: dict[object, set[str]] = defaultdict(set)
    for seen in capture.all("media_endpoint_announced"):
        media[seen.method.get("call")].add(str(seen.value))
    found: dict[str, list[_Leg]] = defaultdict(list)
    for seen in capture.all("call_outcome"):
        places = frozenset(media.get(seen.method.get("call"), ()))
        hosts = [host_of(seen.method.get(side)) for side in ("caller", "callee")]
        leg = _Leg(str(hosts[0]), str(hosts[1]), places)
        for place in places:
            found[place].append(leg)
    return found


def _known_by(calls: dict[str, list[_Leg]], inward: Stream, outward: Stream) -> str | None:
    kinds = [
        one.seen["rtp_packets_expected"].method.get("payload_type") for one in (inward, outward)
    ]
    if kinds[0] != kinds[1]:
        return None
    if inward.ssrc == outward.ssrc:
        return "equal SSRC and payload type"
    counts = [one.number("rtp_packets_received") or 0.0 for one in (inward, outward)]
    if abs(counts[0] - counts[1]) > ALIKE * max(counts):
        return None
    first = calls.get(inward.endpoints[1], [])
    second = calls.get(outward.endpoints[0], [])
    joined = any(
        one != other and {one.callee, one.caller} & {other.callee, other.caller}
        for one in first
        for other in second
    )
    return "two legs of one call, with as many packets" if joined else None


def _together(one: Stream, other: Stream) -> bool:
    if one.span is None or other.span is None:
        return False
    shared_s = (min(one.span[1], other.span[1]) - max(one.span[0], other.span[0])).total_seconds()
    shorter_s = min((span[1] - span[0]).total_seconds() for span in (one.span, other.span))
    return shorter_s > 0 and shared_s >= TOGETHER_LEAST * shorter_s


def _judged(evidence: Evidence, one: Relayed) -> tuple[Place, Verdict]:
    speaks, relay, hears = one.sites
    if speaks is None or relay is None or hears is None:
        where = one.inward.capture.host.place
        place = site_place(evidence, where.site) if where.site is not None else where
        return replace(place, name=f"the network of {place.name}"), Verdict.SUGGESTIVE
    if speaks == hears and relay != speaks:
        return site_place(evidence, speaks), Verdict.SUPPORTED
    # Between two sites, or with the relay at the site of both: nothing goes out and comes back.
    return site_place(evidence, relay), Verdict.NO_EVIDENCE


def _finding(
    evidence: Evidence, place: Place, verdict: Verdict, group: Sequence[Relayed]
) -> Finding:
    calls = {one.ends for one in group}
    relays = listing(sorted({one.inward.destination.name for one in group}), 3)
    peak_bps = _peak_bps([one.inward for one in group])
    supported = verdict is Verdict.SUPPORTED
    if supported:
        statement = (
            f"The media of {counted(len(calls), 'call')} within {place.name} goes to {relays} and "
            f"back: each crosses the line of the site twice. At the busiest moment that is "
            f"{peak_bps / 1000:.0f} kb/s each way which direct media would not need"
            f"{_share(evidence, place, peak_bps)}."
        )
    elif verdict is Verdict.SUGGESTIVE:
        statement = (
            f"The media of {counted(len(calls), 'call')} passes {place.name} twice, since {relays} "
            "passes it on. Whether both telephones stand at one site is not known."
        )
    else:
        statement = (
            f"{relays} at {place.name} passes on the media of {counted(len(calls), 'call')}, none "
            "of which goes out over a line and comes back to where it began."
        )
    return draft(
        evidence,
        "media-hairpin",
        place,
        statement,
        rounds=[group[0].inward.capture.round],
        times=_times(group),
        seen=_evidence(group),
        verdict=verdict,
        direction=Direction.TELEPHONY_TO_NETWORK if supported else Direction.UNDETERMINED,
        refutations=(
            Refutation(
                "Is the second stream a copy of the first, by a mirror port or an address "
                "translator?",
                f"no: it leaves from where the first arrived, at {relays}",
            ),
            Refutation("Are the two one and the same speech?", _one_speech(group)),
            Refutation(
                "Do both telephones stand at one site, and the relay elsewhere?", _where(group)
            ),
        ),
        missing=(
            ()
            if verdict is not Verdict.SUGGESTIVE
            else ("the sites of these addresses, which the inventory does not have",)
        ),
        alternatives=(
            "a relay that is meant: a recorder, a conference, or telephones that cannot reach each "
            "other",
            "a call that was passed on from a telephone elsewhere",
        ),
        effect=Effect(estimate=peak_bps) if supported else None,
    )


def _share(evidence: Evidence, place: Place, peak_bps: float) -> str:
    """How much that is of the line, where the inventory says what the line can carry."""
    site = evidence.site_facts.get(place.site or "")
    sold = [mbps for mbps in (site.wan_down_mbps, site.wan_up_mbps) if mbps] if site else []
    if not sold:
        return ""
    return f", {percent(min(1.0, peak_bps / (min(sold) * 1e6)))} of {min(sold):g} Mb/s"


def _peak_bps(streams: Sequence[Stream]) -> float:
    """The greatest sum of the rates of streams that go at the same time."""
    steps: list[tuple[datetime, float]] = []
    for stream in streams:
        if stream.span is not None and stream.bits_per_s is not None:
            steps += [(stream.span[0], stream.bits_per_s), (stream.span[1], -stream.bits_per_s)]
    now, most = 0.0, 0.0
    for _, change in sorted(steps):
        now += change
        most = max(most, now)
    return most


def _times(group: Sequence[Relayed]) -> list[datetime]:
    spans = [stream.span for one in group for stream in (one.inward, one.outward)]
    return [moment for span in spans if span is not None for moment in span]


def _evidence(group: Sequence[Relayed]) -> list[Observation | None]:
    return [
        stream.seen.get(name)
        for one in group
        for stream in (one.inward, one.outward)
        for name in _NAMES
    ]


def _one_speech(group: Sequence[Relayed]) -> str:
    return f"yes: {listing(sorted({one.by for one in group}), 2)}"


def _where(group: Sequence[Relayed]) -> str:
    shown = []
    for one in group[:3]:
        who = f"{one.inward.source.name} to {one.outward.destination.name}"
        shown.append(f"{who} by {one.inward.destination.name}")
    return f"by the inventory: {listing(shown, 3)}"
