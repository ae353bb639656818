"""A stateful STAMP Session-Reflector without a socket or a clock (RFC 8762 section 4.3).

It answers allowed peers alone, each at no more than a set rate, and every packet with exactly as
many octets as it had: it cannot be used to flood anybody.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nethealth.protocol.reflector_peers import Allowed, Peers
from nethealth.wire.errors import WireError
from nethealth.wire.stamp import (
    CLASS_OF_SERVICE,
    EXTRA_PADDING,
    MALFORMED,
    TIMESTAMP_INFORMATION,
    TLVS_MAX,
    UNRECOGNISED,
    ClassOfService,
    ErrorEstimate,
    ReflectedPacket,
    SenderPacket,
    TimestampInformation,
    Tlv,
)

SESSIONS_MAX = 4096
SESSIONS_OF_A_PEER_MAX = 512
EXPIRY_S = 60.0  # a session that was silent for so long is over
_SYNC_NTP, _SYNC_FREE = 1, 5  # RFC 8972 section 4.3, the lists of its codes
_STAMPED_BY_SOFTWARE = 2


class Refusal(StrEnum):
    """Why a packet was not answered."""

    NOT_ALLOWED = "not allowed"
    TOO_FAST = "too fast"
    NO_STAMP = "no STAMP packet"
    NO_ROOM = "too many sessions"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One datagram as the kernel handed it over; `receive_timestamp` is NTP's."""

    data: bytes
    address: str
    port: int
    now_s: float
    receive_timestamp: int
    ttl: int
    traffic_class: int = 0  # DSCP and ECN


@dataclass(frozen=True, slots=True)
class Reflection:
    """The answer, but for its own time stamp, and the DSCP that it is to bear."""

    packet: bytearray
    dscp: int


@dataclass(slots=True)
class _Session:
    seen_s: float
    count: int = 0


class Reflector:
    """What is kept between packets; `rate` is packets a second for each peer's address."""

    def __init__(
        self, allow: Sequence[Allowed], rate: float, error_estimate: ErrorEstimate
    ) -> None:
        self.error_estimate = error_estimate
        self.reflected_count = 0
        self.refused: Counter[Refusal] = Counter()
        self._peers = Peers(allow, rate)
        self._sessions: OrderedDict[tuple[str, int, int], _Session] = OrderedDict()
        self._sessions_of: Counter[str] = Counter()

    @property
    def session_count(self) -> int:
        return len(self._sessions)

    def reflect(self, arrived: Arrived) -> Reflection | None:
        """The answer to one datagram, or None; the reason is then counted."""
        answer = self._reflect(arrived)
        if isinstance(answer, Refusal):
            self.refused[answer] += 1
            return None
        self.reflected_count += 1
        return answer

    def _reflect(self, arrived: Arrived) -> Reflection | Refusal:
        if not self._peers.allows(arrived.address):
            return Refusal.NOT_ALLOWED
        if not self._peers.in_time(arrived.address, arrived.now_s):
            return Refusal.TOO_FAST
        try:
            sent = SenderPacket.parse(arrived.data)
        except WireError:
            return Refusal.NO_STAMP
        session = self._session(arrived, sent.ssid)
        if session is None:
            return Refusal.NO_ROOM
        tlvs, rest, dscp = self._tlvs(sent, arrived.traffic_class)
        packet = ReflectedPacket(
            sequence_number=session.count,
            timestamp=0,
            error_estimate=self.error_estimate,
            ssid=sent.ssid,
            receive_timestamp=arrived.receive_timestamp,
            sender_sequence_number=sent.sequence_number,
            sender_timestamp=sent.timestamp,
            sender_error_estimate=sent.error_estimate,
            sender_ttl=arrived.ttl,
            tlvs=tlvs,
            rest=rest,
        )
        session.count = (session.count + 1) % (1 << 32)
        return Reflection(bytearray(packet.build()), dscp)

    def _session(self, arrived: Arrived, ssid: int) -> _Session | None:
        """The counter of this session; None where there is no room for a new one."""
        key = (arrived.address, arrived.port, ssid)
        session = self._sessions.get(key)
        if session is not None and arrived.now_s - session.seen_s <= EXPIRY_S:
            session.seen_s = arrived.now_s
            self._sessions.move_to_end(key)
            return session
        self._expire(arrived.now_s)
        if (
            len(self._sessions) >= SESSIONS_MAX
            or self._sessions_of[arrived.address] >= SESSIONS_OF_A_PEER_MAX
        ):
            return None
        self._sessions_of[arrived.address] += 1
        session = self._sessions[key] = _Session(arrived.now_s)
        return session

    def _expire(self, now_s: float) -> None:
        while self._sessions:
            (address, port, ssid), oldest = next(iter(self._sessions.items()))
            if now_s - oldest.seen_s <= EXPIRY_S:
                return
            del self._sessions[address, port, ssid]
            self._sessions_of[address] -= 1
            if not self._sessions_of[address]:
                del self._sessions_of[address]

    def _tlvs(self, sent: SenderPacket, traffic_class: int) -> tuple[tuple[Tlv, ...], bytes, int]:
        """The TLVs of the answer, the octets behind them, and the DSCP to answer with.

        What cannot be a TLV has the flag M, as far as it has flags, and goes back otherwise as it
        came (RFC 8972 section 4).
        """
        dscp = traffic_class >> 2  # without a request: as it came (RFC 8762 section 4.3)
        answered = []
        for tlv in sent.tlvs:
            value, flags = tlv.value, 0
            if tlv.type == CLASS_OF_SERVICE and len(value) == 4:
                wanted = ClassOfService.parse(value)
                dscp = wanted.dscp1
                value = ClassOfService(dscp, traffic_class >> 2, traffic_class & 3).build()
            elif tlv.type == TIMESTAMP_INFORMATION and len(value) == 4:
                source = _SYNC_NTP if self.error_estimate.synchronised else _SYNC_FREE
                how = _STAMPED_BY_SOFTWARE
                value = TimestampInformation(source, how, source, how).build()
            elif tlv.type in (CLASS_OF_SERVICE, TIMESTAMP_INFORMATION):
                flags = MALFORMED
            elif tlv.type != EXTRA_PADDING:
                flags = UNRECOGNISED
            answered.append(Tlv(tlv.type, value, flags))
        rest = sent.rest
        if rest and len(answered) < TLVS_MAX:
            rest = bytes((rest[0] | MALFORMED,)) + rest[1:]
        return tuple(answered), rest, dscp
