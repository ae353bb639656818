"""What was received of one RTP stream: its packets in their order, and what became of the rest.

Counts follow the record's contract: a duplicate is no packet of its own, and the lost are the
expected less the distinct received.
"""

from collections import Counter
from dataclasses import dataclass, field

from nethealth.protocol.call_media import CLOCK_HZ
from nethealth.wire.rtcp import ReportBlock
from nethealth.wire.rtp import RtpPacket

DROPOUT_MAX = 3000  # RFC 3550 appendix A.1: a greater step is no step of this stream
_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32


@dataclass(frozen=True, slots=True)
class Arrival:
    """One packet; `number` is its sequence number without wraps, `timestamp` likewise."""

    number: int
    timestamp: int
    received_s: float


@dataclass
class RtpStream:
    """One SSRC from one source."""

    ssrc: int
    arrivals: list[Arrival] = field(default_factory=list)  # as they came, duplicates included
    dscps: Counter[int] = field(default_factory=Counter)
    payload_types: Counter[int] = field(default_factory=Counter)
    out_of_step_count: int = 0
    _expected_before: int = 0
    _received_before: int = 0
    _jitter: float = 0.0  # in timestamp units, for reports

    def take(self, packet: RtpPacket, received_s: float, dscp: int | None) -> None:
        """Book one packet."""
        number, timestamp = packet.sequence, packet.timestamp
        if self.arrivals:
            last = self.arrivals[-1]
            number = _nearest(packet.sequence, last.number, _SEQUENCES)
            timestamp = _nearest(packet.timestamp, last.timestamp, _TIMESTAMPS)
            if abs(number - last.number) > DROPOUT_MAX:
                self.out_of_step_count += 1
                return
            # RFC 3550 appendix A.8, over all packets in the order of arrival
            transit = (received_s - last.received_s) * CLOCK_HZ - (timestamp - last.timestamp)
            self._jitter += (abs(transit) - self._jitter) / 16
        self.arrivals.append(Arrival(number, timestamp, received_s))
        self.payload_types[packet.payload_type] += 1
        if dscp is not None:
            self.dscps[dscp] += 1

    @property
    def first_of_each(self) -> dict[int, Arrival]:
        """The first arrival of each packet, in the order of sending."""
        found: dict[int, Arrival] = {}
        for arrival in self.arrivals:
            found.setdefault(arrival.number, arrival)
        return dict(sorted(found.items()))

    @property
    def duplicate_count(self) -> int:
        return len(self.arrivals) - len(self.first_of_each)

    @property
    def reordered_count(self) -> int:
        """First arrivals below the highest number seen before them."""
        seen: set[int] = set()
        highest: int | None = None
        count = 0
        for arrival in self.arrivals:
            if arrival.number not in seen:
                count += highest is not None and arrival.number < highest
                seen.add(arrival.number)
            highest = arrival.number if highest is None else max(highest, arrival.number)
        return count

    def numbers(self) -> range:
        """From the first to the last packet that is known of."""
        numbers = [arrival.number for arrival in self.arrivals]
        return range(min(numbers), max(numbers) + 1) if numbers else range(0)

    def transits_s(self) -> list[float | None]:
        """By packet in the order of sending, arrival less sending by the stream's own clock.

        Only their differences mean something; None for a lost packet.
        """
        first = self.first_of_each
        return [
            None
            if (arrival := first.get(number)) is None
            else arrival.received_s - arrival.timestamp / CLOCK_HZ
            for number in self.numbers()
        ]

    def report(self, last_sr: int, delay_since_last_sr: int) -> ReportBlock:
        """A reception report since the last one (RFC 3550 section 6.4.1, appendix A.3).

        Here, as there, duplicates count as received, so that the loss may be negative.
        """
        numbers = self.numbers()
        expected, received = len(numbers), len(self.arrivals)
        expected_now = expected - self._expected_before
        lost_now = expected_now - (received - self._received_before)
        self._expected_before, self._received_before = expected, received
        fraction = min(255, lost_now * 256 // expected_now) if lost_now > 0 else 0
        cumulative = max(-0x800000, min(0x7FFFFF, expected - received))
        highest = numbers[-1] & 0xFFFFFFFF if numbers else 0
        return ReportBlock(
            self.ssrc,
            fraction,
            cumulative,
            highest,
            int(self._jitter),
            last_sr,
            delay_since_last_sr,
        )


def _nearest(value: int, last: int, modulus: int) -> int:
    """`value` without its wraps: of all that it may stand for, the one nearest to `last`."""
    return last + (value - last + modulus // 2) % modulus - modulus // 2
