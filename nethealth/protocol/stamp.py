"""A STAMP Session-Sender without a socket or a clock (RFC 8762 section 4.2, RFC 8972 section 3).

An answer counts if it comes from the address that was asked, bears our session's identifier (or
none, of a reflector older than RFC 8972), and repeats number, time stamp and error estimate of a
packet that we sent. What does not is counted by its reason and gives no number.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from nethealth.wire.errors import WireError
from nethealth.wire.stamp import (
    BASE_OCTETS,
    CLASS_OF_SERVICE,
    EXTRA_PADDING,
    TLV_HEADER_OCTETS,
    ClassOfService,
    ErrorEstimate,
    ReflectedPacket,
    SenderPacket,
    Tlv,
    nanoseconds,
    ntp_of_unix_ns,
    stamped,
)

# Number 0 is never sent. To a reflector it is a packet lost on the way: one that counts by itself
# is then behind our numbers from the first answer on, and one that copies them is not.
FIRST_SEQUENCE = 1
_COS_OCTETS = TLV_HEADER_OCTETS + 4
OCTETS_MIN = BASE_OCTETS + _COS_OCTETS + TLV_HEADER_OCTETS


class Rejection(StrEnum):
    """Why an answer was not believed."""

    WRONG_SOURCE = "wrong source"
    MALFORMED = "malformed"
    WRONG_SSID = "wrong session identifier"
    UNKNOWN_SEQUENCE = "number that was not sent"
    WRONG_TIMESTAMP = "time stamp that was not sent"


class Counting(StrEnum):
    """Where a reflector's sequence numbers come from (RFC 8762 section 4.3)."""

    STATEFUL = "stateful"  # its own counter: loss can be told by direction
    STATELESS = "stateless"  # a copy of ours
    UNKNOWN = "unknown"  # neither is consistent with what was sent


@dataclass(frozen=True, slots=True)
class Answer:
    """The first answer to one packet; times in seconds, None where the reflector gave none.

    `forward_s` and `return_s` are differences of two clocks: only their variation is measured,
    unless both are synchronised. `dscp_forward` is null without a Class of Service TLV.
    """

    counter: int
    received_s: float
    raw_s: float  # send to receive, the reflector's own time included
    residence_s: float | None
    forward_s: float | None
    return_s: float | None
    plausible: bool  # the reflector's time stamps fit between ours
    error_estimate: ErrorEstimate
    dscp_forward: int | None
    dscp_return: int | None
    dscp_refused: bool  # the reflector was not allowed to answer with the DSCP that we asked for

    @property
    def delay_s(self) -> float | None:
        """The round trip less the reflector's own time; None if its time stamps are impossible."""
        return self.raw_s - (self.residence_s or 0.0) if self.plausible else None


@dataclass(frozen=True, slots=True)
class Way:
    """Loss of one direction: of `sent` packets whose fate there is known, `lost` did not pass.

    `passed` is the same packet by packet, in the order of sending; None if only the sum is known.
    """

    sent: int
    lost: int
    passed: tuple[bool, ...] | None


@dataclass(frozen=True, slots=True)
class Directions:
    """Loss told apart; `undetermined` packets were lost after the last one that was answered."""

    forward: Way
    back: Way
    undetermined: int


@dataclass(slots=True)
class _Request:
    sent_s: float
    timestamp: int
    answer: Answer | None = None


class StampSession:
    """The state of one session; times are monotonic seconds, `epoch_ns` their Unix time at 0.

    `octets` (at least OCTETS_MIN) is the UDP payload, filled by an Extra Padding TLV; `dscp` is
    asked for on the answers.
    """

    def __init__(
        self,
        *,
        ssid: int,
        epoch_ns: int,
        error_estimate: ErrorEstimate,
        octets: int,
        dscp: int,
        timeout_s: float,
    ) -> None:
        if octets < OCTETS_MIN:
            raise ValueError(f"{octets} octets; a packet with its TLVs has {OCTETS_MIN} or more")
        self.ssid = ssid
        self.error_estimate = error_estimate
        self.timeout_s = timeout_s
        self.rejected: Counter[Rejection] = Counter()
        self.duplicate_count = 0
        self.ttls: Counter[int] = Counter()
        self._epoch_ns = epoch_ns
        padding = Tlv(EXTRA_PADDING, bytes(octets - OCTETS_MIN))
        tlvs = (Tlv(CLASS_OF_SERVICE, ClassOfService(dscp).build()), padding)
        self._template = SenderPacket(0, 0, error_estimate, ssid, tlvs).build()
        self._requests: dict[int, _Request] = {}
        self._answered_count = 0
        self._counters_again: set[int] = set()  # of further answers to an answered packet

    def packet(self, now_s: float) -> bytes:
        """The next packet, to be sent at `now_s`; it counts as sent."""
        sequence = FIRST_SEQUENCE + len(self._requests)
        timestamp = ntp_of_unix_ns(self._epoch_ns + round(now_s * 1e9))
        self._requests[sequence] = _Request(now_s, timestamp)
        packet = bytearray(self._template)
        packet[:4] = sequence.to_bytes(4, "big")
        stamped(packet, timestamp)
        return bytes(packet)

    def unsent(self) -> None:
        """The packet that was made last did not leave this machine."""
        self._requests.popitem()

    def received(
        self,
        data: bytes,
        received_s: float,
        *,
        from_peer: bool = True,
        ttl: int | None = None,
        dscp: int | None = None,
    ) -> None:
        """Something came; `from_peer` if from the address and port that was asked."""
        packet = self._believed(data, from_peer)
        if isinstance(packet, Rejection):
            self.rejected[packet] += 1
            return
        request = self._requests[packet.sender_sequence_number]
        if request.answer is not None:
            self.duplicate_count += 1
            if packet.sequence_number != request.answer.counter:
                self._counters_again.add(packet.sequence_number)
            return
        request.answer = self._answer(packet, request, received_s, dscp)
        self._answered_count += 1
        if ttl is not None:
            self.ttls[ttl] += 1

    def forget_unfinished(self, now_s: float) -> None:
        """Drop every packet whose wait is not over: an answer in time must not be preferred."""
        whole = {n: r for n, r in self._requests.items() if now_s - r.sent_s >= self.timeout_s}
        self._requests = whole
        self._answered_count = len(self._answered())

    @property
    def sent_count(self) -> int:
        return len(self._requests)

    @property
    def unanswered_count(self) -> int:
        return len(self._requests) - self._answered_count

    @property
    def late_count(self) -> int:
        """Answers that came after the wait."""
        return sum(self._late(one) for one in self._requests.values())

    @property
    def implausible_count(self) -> int:
        """Answers whose own time stamps cannot be."""
        return sum(not one.plausible for _, one in self._answered())

    def answers(self) -> tuple[Answer | None, ...]:
        """The answer in time of each packet, in the order of sending."""
        return tuple(None if self._late(one) else one.answer for one in self._requests.values())

    @property
    def counting(self) -> Counting:
        """Whether the reflector counts by itself; unknown without an answer."""
        answered = self._answered()
        if answered and all(sequence == answer.counter for sequence, answer in answered):
            return Counting.STATELESS
        return Counting.UNKNOWN if self.directions() is None else Counting.STATEFUL

    def directions(self) -> Directions | None:
        """Loss by direction, from the reflector's counter; None unless that is consistent.

        A counter above the number of packets that were sent, or one that two packets share, is
        no count of this session.
        """
        answered = self._answered()
        counters = {answer.counter for _, answer in answered}
        if not answered or len(counters) < len(answered) or counters & self._counters_again:
            return None
        if all(sequence == answer.counter for sequence, answer in answered):
            return None
        order = sorted(
            counter - sum(again < counter for again in self._counters_again) for counter in counters
        )
        last = answered[-1][0]
        resolved = last - FIRST_SEQUENCE + 1
        arrived = order[-1] + 1
        if order[0] < 0 or not len(answered) <= arrived <= resolved:
            return None
        passed = _passed([sequence for sequence, _ in answered], order)
        forward, back = passed if passed else (None, None)
        return Directions(
            Way(resolved, resolved - arrived, forward),
            Way(arrived, arrived - len(answered), back),
            self.sent_count - resolved,
        )

    def reordered(self) -> tuple[int, int | None, int | None]:
        """Packets that came after a later one (RFC 4737 section 3): both ways, there, and back."""
        answered = self._answered()
        arrival = sorted(answered, key=lambda pair: pair[1].received_s)
        both = _descents([sequence for sequence, _ in arrival])
        if self.counting is not Counting.STATEFUL:
            return both, None, None
        counted = sorted(answered, key=lambda pair: pair[1].counter)
        forward = _descents([sequence for sequence, _ in counted])
        return both, forward, _descents([answer.counter for _, answer in arrival])

    def _believed(self, data: bytes, from_peer: bool) -> ReflectedPacket | Rejection:
        if not from_peer:
            return Rejection.WRONG_SOURCE
        try:
            packet = ReflectedPacket.parse(data)
        except WireError:
            return Rejection.MALFORMED
        if packet.ssid not in (self.ssid, 0):
            return Rejection.WRONG_SSID
        request = self._requests.get(packet.sender_sequence_number)
        if request is None:
            return Rejection.UNKNOWN_SEQUENCE
        ours = (request.timestamp, self.error_estimate)
        if (packet.sender_timestamp, packet.sender_error_estimate) != ours:
            return Rejection.WRONG_TIMESTAMP
        return packet

    def _answer(
        self, packet: ReflectedPacket, request: _Request, received_s: float, dscp: int | None
    ) -> Answer:
        raw_s = received_s - request.sent_s
        residence_s = forward_s = return_s = None
        if packet.timestamp and packet.receive_timestamp:
            there_ns = nanoseconds(packet.receive_timestamp, packet.error_estimate)
            back_ns = nanoseconds(packet.timestamp, packet.error_estimate)
            residence_s = (back_ns - there_ns) * 1e-9
            sent_ns = nanoseconds(request.timestamp, self.error_estimate)
            forward_s = (there_ns - sent_ns) * 1e-9
            return_s = (self._epoch_ns + round(received_s * 1e9) - back_ns) * 1e-9
        plausible = raw_s >= 0 and (residence_s is None or 0 <= residence_s <= raw_s)
        marks = _class_of_service(packet)
        return Answer(
            counter=packet.sequence_number,
            received_s=received_s,
            raw_s=raw_s,
            residence_s=residence_s,
            forward_s=forward_s if plausible else None,
            return_s=return_s if plausible else None,
            plausible=plausible,
            error_estimate=packet.error_estimate,
            dscp_forward=marks.dscp2 if marks else None,
            dscp_return=dscp,
            dscp_refused=bool(marks and marks.rp),
        )

    def _answered(self) -> list[tuple[int, Answer]]:
        """Number and answer of each packet that was answered, late ones too."""
        return [(n, one.answer) for n, one in self._requests.items() if one.answer is not None]

    def _late(self, request: _Request) -> bool:
        return request.answer is not None and request.answer.raw_s > self.timeout_s


def _class_of_service(packet: ReflectedPacket) -> ClassOfService | None:
    tlv = packet.tlv(CLASS_OF_SERVICE)
    if tlv is None:
        return None
    try:
        return ClassOfService.parse(tlv.value)
    except WireError:
        return None


def _passed(
    answered: list[int], counters: list[int]
) -> tuple[tuple[bool, ...], tuple[bool, ...]] | None:
    """Which packets passed on the way there, and which of those on the way back.

    Between two answered packets the counter tells how many passed there, and not which: the first
    ones of the gap are taken. None where reordering and loss together leave even that open.
    """
    forward: list[bool] = []
    back: list[bool] = []
    before = (FIRST_SEQUENCE - 1, -1)
    for (number0, counter0), (number, counter) in pairwise(
        [before, *zip(answered, counters, strict=True)]
    ):
        missing, reflected = number - number0 - 1, counter - counter0 - 1
        if reflected > missing:
            return None
        forward += [True] * reflected + [False] * (missing - reflected) + [True]
        back += [False] * reflected + [True]
    return tuple(forward), tuple(back)


def _descents(numbers: list[int]) -> int:
    """How many are below one that stands before them."""
    count, greatest = 0, -1
    for number in numbers:
        count += number < greatest
        greatest = max(greatest, number)
    return count
