"""The streams of voice that a capture holds, with their ends and what the receivers say of them.

What was lost before the capture point is missing there; what was lost behind it only the receiver
can tell. Its statement is a claim, and is weighed as evidence for or against what was seen.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from nethealth.diagnosis.capture import Capture, captures
from nethealth.diagnosis.ends import End, Ends
from nethealth.diagnosis.evidence import Evidence, number
from nethealth.model.observation import Observation
from nethealth.quality.loss import LossStatistics, from_burst_ratio

_LONG_MOST_S = 1e7  # a longer stream is a damaged record
_FAR_END = "far end"
_Key = tuple[str, str, str]  # SSRC, source, destination
# A report does not say how its losses cluster: they are taken to come in pairs.
_CLUSTERED = 2.0
# IPv4, UDP and RTP headers of each packet (RFC 791, 768, 3550); IPv6's is 20 octets longer.
HEADER_OCTETS = 40


@dataclass(frozen=True)
class Claim:
    """What a receiver says of one source: where, by which words, and what it rests on."""

    reporter: str
    seen: tuple[Observation, ...]

    def number(self, name: str) -> float | None:
        return next((number(one) for one in self.seen if one.name == name), None)

    @cached_property
    def loss(self) -> LossStatistics | None:
        """What it says was lost; None where it says nothing, or not of how many packets."""
        for one in self.seen:
            if one.name == "far_end_packet_loss_ratio":
                ratio, count = number(one), one.samples or 0
                if ratio is None or not 0 <= ratio <= 1 or count < 1:
                    return None
                return from_burst_ratio(count, round(ratio * count), _CLUSTERED)
        return None


@dataclass(frozen=True, eq=False)
class Stream:
    """One stream of a capture: one SSRC from one end to another."""

    capture: Capture
    source: End
    destination: End
    ssrc: str
    seen: Mapping[str, Observation]
    claims: tuple[Claim, ...]

    def number(self, name: str) -> float | None:
        found = self.seen.get(name)
        return None if found is None else number(found)

    @cached_property
    def loss(self) -> LossStatistics | None:
        """What is missing at the capture point."""
        ratio = self.seen.get("packet_loss_ratio")
        lost, expected = self.number("rtp_packets_lost"), self.number("rtp_packets_expected")
        if lost is None or expected is None or not 0 <= lost <= expected or expected < 1:
            return None
        burst = self.number("packet_loss_burst_ratio")
        run = self.number("rtp_loss_run_max_packets") or 0
        samples = ratio.samples if ratio is not None and ratio.samples else int(expected)
        return from_burst_ratio(max(samples, int(lost)), int(lost), burst, max(0, int(run)))

    @property
    def codec(self) -> str:
        found = self.seen["rtp_packets_expected"].method.get("codec")
        return str(found)[:20]

    @property
    def endpoints(self) -> tuple[str, str]:
        """Source and destination with their ports, as the record has them."""
        method = self.seen["rtp_packets_expected"].method
        return str(method.get("source")), str(method.get("destination"))

    @cached_property
    def span(self) -> tuple[datetime, datetime] | None:
        """From its first packet to its last; None where the record does not say."""
        counted = self.seen["rtp_packets_expected"]
        began, lasted_s = self.capture.moment(counted), counted.method.get("duration_s")
        if (
            began is None
            or not isinstance(lasted_s, int | float)
            or not 0 <= lasted_s < _LONG_MOST_S
        ):
            return None
        return began, began + timedelta(seconds=lasted_s)

    @cached_property
    def bits_per_s(self) -> float | None:
        """Its rate with the headers of IP, UDP and RTP; None of one too short to have a rate."""
        counted = self.seen["rtp_packets_expected"]
        octets, received = counted.method.get("payload_octets"), self.number("rtp_packets_received")
        if self.span is None or not isinstance(octets, int | float) or not received:
            return None
        lasted_s = (self.span[1] - self.span[0]).total_seconds()
        if lasted_s < 1 or octets < 0:
            return None
        return (octets + HEADER_OCTETS * received) * 8 / lasted_s


class Recordings:
    """Every capture of a record and its streams, each read once for all rules that ask for them."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.ends = Ends(evidence)
        self.captures = tuple(captures(evidence))
        self._streams: dict[Capture, tuple[Stream, ...]] = {}

    def streams(self, capture: Capture) -> tuple[Stream, ...]:
        """The streams of one of `captures`."""
        if capture not in self._streams:
            self._streams[capture] = streams_of(capture, self.ends)
        return self._streams[capture]


def streams_of(capture: Capture, ends: Ends) -> tuple[Stream, ...]:
    """Every stream of a capture whose ends are addresses, in the order of the record."""
    facts: dict[_Key, dict[str, Observation]] = defaultdict(dict)
    for seen in capture.round.observations:
        if (key := _key(seen, "source", "destination")) is not None:
            facts[key].setdefault(seen.name, seen)
    claims = _claims(capture, facts)
    found = []
    for key, named in facts.items():
        source, destination = ends.of(key[1]), ends.of(key[2])
        if source is not None and destination is not None and "rtp_packets_expected" in named:
            told = tuple(
                Claim(reporter, tuple(seen)) for reporter, seen in sorted(claims[key].items())
            )
            found.append(Stream(capture, source, destination, key[0], named, told))
    return tuple(found)


def _key(seen: Observation, source: str, destination: str) -> _Key | None:
    method = seen.method  # of thousands of observations: what most of them lack is looked at first
    ssrc = method.get("ssrc")
    if not isinstance(ssrc, str) or (source == "source" and method.get("source") == _FAR_END):
        return None
    begin, end = method.get(source), method.get(destination)
    if not isinstance(begin, str) or not isinstance(end, str):
        return None
    return ssrc, begin, end


def _claims(
    capture: Capture, streams: Mapping[_Key, object]
) -> Mapping[_Key, Mapping[str, list[Observation]]]:
    """What is said of each stream, by whom: RTCP by its SSRC, RFC 6035 by where it arrives."""
    claims: dict[_Key, dict[str, list[Observation]]] = defaultdict(lambda: defaultdict(list))
    arriving: dict[str, list[_Key]] = defaultdict(list)
    for key in streams:
        arriving[key[2]].append(key)
    for seen in capture.round.observations:
        if seen.method.get("source") != _FAR_END:
            continue
        of = _key(seen, "stream_source", "stream_destination")
        if of is None:
            # A voice quality report names the address at which its side received.
            to = arriving.get(_endpoint(seen), [])
            of = to[0] if len(to) == 1 else None
        if of is not None:
            claims[of][str(seen.method.get("reporter"))[:60]].append(seen)
    return claims


def _endpoint(seen: Observation) -> str:
    address, port = seen.method.get("address"), seen.method.get("port")
    text = str(address)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def dropped(capture: Capture) -> int:
    """Packets that the capture itself lost, which look like loss on the way."""
    return max(0, int(capture.count("capture_dropped_packet_count") or 0))


def claimed(streams: Sequence[Stream]) -> Iterator[tuple[Stream, Claim]]:
    """Every statement of a receiver on these streams."""
    for stream in streams:
        for claim in stream.claims:
            yield stream, claim
