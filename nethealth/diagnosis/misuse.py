"""Data that wear the mark of voice, and so wait in its queue (RFC 3246, RFC 4594 section 4.1).

A queue for voice is small and bounded: what does not belong in it takes the place of calls. But
not all that is marked and no RTP is data: signalling, fax, and tunnels or relays that carry voice
bear the mark by right.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from nethealth.diagnosis.capture import Capture, whole
from nethealth.diagnosis.draft import draft
from nethealth.diagnosis.evidence import Evidence, Host, number
from nethealth.diagnosis.lan import Lan, surest
from nethealth.diagnosis.streams import way_losses
from nethealth.diagnosis.text import listing, percent
from nethealth.model.finding import Direction, Finding, Refutation, Verdict
from nethealth.model.observation import Observation

CALL_BPS = 87_200.0  # G.711 every 20 ms on Ethernet, one way: 218 octets, 50 times a second
OF_CLASS = 0.1
_FLOW = re.compile(r"(TCP|UDP|IP) (\S{1,64}) port (-?\d{1,5}) to (\S{1,64}) port (-?\d{1,5})\Z")
# SIP, Skinny, H.323, MGCP, Megaco, IAX2, UNIStim; fax over UDPTL is told by the capture itself.
_SIGNALLING = frozenset(
    {5060, 5061, 2000, 2443, 1719, 1720, 2427, 2727, 2944, 2945, 4569, 5000, 5001}
)
# Relays of media (TURN, also at 443) and tunnels, which copy the mark of what they carry.
_CARRIERS = frozenset({443, 3478, 3479, 3480, 3481, 5349, 500, 4500, 1194, 1701, 51820})


def marks_misused(places: Sequence[Lan]) -> Iterator[Finding]:
    """One `dscp-misuse` for each network where data bear the mark of voice."""
    yield from surest(_all(places))


def _all(places: Sequence[Lan]) -> Iterator[Finding]:
    for lan in places:
        evidence = lan.evidence
        for capture in lan.captures:
            marked = _Marked(capture)
            if marked.flows and marked.peak_bps >= CALL_BPS and marked.ratio >= OF_CLASS:
                yield _finding(evidence, lan, marked)


@dataclass(frozen=True)
class _Flow:
    source: str
    ports: tuple[int, int]
    octets: int
    seen: Observation

    @property
    def carrier(self) -> bool:
        return not _CARRIERS.isdisjoint(self.ports)


@dataclass(frozen=True, eq=False)
class _Marked:
    """What a capture saw with EF, that is neither voice nor what prepares it."""

    capture: Capture

    @cached_property
    def flows(self) -> tuple[_Flow, ...]:
        """Without signalling, and without what speaks fax; the largest first."""
        faxes = {
            seen.method.get("address")
            for seen in self.capture.all("legacy_signalling_endpoint_packet_count", protocol="t38")
        }
        found = []
        for seen in self.capture.all("ef_not_voice_flow_packet_count"):
            match, octets = _FLOW.match(str(seen.method.get("flow"))), whole(seen, "octets")
            if match is None or octets is None or faxes & {match[2], match[4]}:
                continue
            ports = int(match[3]), int(match[5])
            if _SIGNALLING.isdisjoint(ports):
                found.append(_Flow(match[2], ports, octets, seen))
        return tuple(sorted(found, key=lambda flow: (-flow.octets, flow.seen.id)))

    @cached_property
    def octets(self) -> int:
        return sum(flow.octets for flow in self.flows)

    @property
    def ratio(self) -> float:
        """Of all octets of the class."""
        return self.octets / max(self.capture.count("dscp_octets", dscp=46) or 0.0, self.octets, 1)

    @property
    def sources(self) -> list[str]:
        by_source: Counter[str] = Counter()
        for flow in self.flows:
            by_source[flow.source] += flow.octets
        return [source for source, _ in by_source.most_common()]

    @property
    def carried_ratio(self) -> float:
        return sum(flow.octets for flow in self.flows if flow.carrier) / max(self.octets, 1)

    @cached_property
    def peak_bps(self) -> float:
        """In the busiest bin, as far as the flows shown are what was in it."""
        packets = self.capture.count("ef_not_voice_packet_count") or 0
        shown = sum(number(flow.seen) or 0 for flow in self.flows)
        bins = self.capture.bins("ef_not_voice_per_bin_max")
        if not bins or not packets or not shown:
            return 0.0
        busiest = max(bins, key=lambda one: one.count)
        data_per_s = busiest.per_s * min(shown / packets, 1.0)
        return data_per_s * self.octets / shown * 8


def _finding(evidence: Evidence, lan: Lan, marked: _Marked) -> Finding:
    sources = marked.sources
    telephony = lan.telephones.why(sources[0])
    carried = marked.carried_ratio >= 0.5
    verdict = Verdict.SUGGESTIVE if telephony is not None or carried else Verdict.SUPPORTED
    calls = marked.peak_bps / CALL_BPS
    flows = [str(flow.seen.method["flow"]) for flow in marked.flows]
    return draft(
        evidence,
        "dscp-misuse",
        lan.place,
        f"At {lan.place.name} data bear the mark of voice (EF): {percent(marked.ratio)} of that "
        f"class's octets are no voice, up to {marked.peak_bps / 1000:.0f} kbit/s, as much as "
        f"{calls:.0f} calls; from {listing(sources)}, first {flows[0]}.",
        times=marked.capture.span,
        seen=[
            *(flow.seen for flow in marked.flows),
            marked.capture.first("ef_not_voice_packet_count"),
            marked.capture.first("ef_not_voice_octets"),
            marked.capture.first("dscp_octets", dscp=46),
        ],
        verdict=verdict,
        direction=(
            Direction.NETWORK_TO_TELEPHONY
            if verdict is Verdict.SUPPORTED
            else Direction.UNDETERMINED
        ),
        refutations=(
            Refutation(
                "Is it the signalling or the fax of telephony?", "no: these are not counted in it"
            ),
            Refutation(
                "Does a tunnel or a relay carry voice in it?",
                f"it may: {percent(marked.carried_ratio)} goes by ports of such" if carried
                else "no: its ports are of none",
            ),
            Refutation(
                "Is its source telephony itself?",
                f"yes: {telephony}" if telephony else "nothing says so",
            ),
            Refutation(
                "Does voice lose what best effort does not?", _losses(lan.hosts)
            ),
        ),
        missing=("what the queue for EF drops, at the router of the line",),
        alternatives=(
            "a queue for EF that is wide enough for both",
            "a network that does not heed the mark at all",
        ),
    )  # fmt: skip


def _losses(hosts: Sequence[Host]) -> str:
    """Streams bear EF, echo requests do not."""
    voice = way_losses(hosts)
    sent = sum(host.packets_sent for host in hosts if host.echoes)
    received = sum(one.received for host in hosts if host.echoes for one in host.pings)
    if not voice or not sent:
        return "not measured: it needs a check `stamp` and a check `ping` of the site"
    worst = max(voice.values(), key=lambda loss: loss.ratio)
    words = f"voice lost {worst.lost} of {worst.sent}, echo requests {sent - received} of {sent}"
    more = worst.interval[0] > (sent - received) / sent
    return f"{'yes' if more else 'no'}: {words}"
