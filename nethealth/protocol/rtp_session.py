"""Our end of a call's media (RFC 3550): packets to send, what is received, RTCP both ways.

Nothing is received from anybody but the address that the far end announced; what other sources
send is counted by source and never mixed in.  Times are of one monotonic clock; NTP time stamps
are made of it with `wall_s`, the wall time at its zero.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from nethealth.model.endpoint import Endpoint
from nethealth.protocol.call_media import CLOCK_HZ, TIMESTAMPS_PER_PACKET, CodecFormat
from nethealth.protocol.rtp_stream import RtpStream
from nethealth.wire.errors import WireError
from nethealth.wire.rtcp import (
    CNAME,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    encode_rtcp,
    parse_rtcp,
)
from nethealth.wire.rtp import RtpPacket, is_rtcp, parse_rtp

PACKETS_MAX = 20_000  # taken in by one call; 60 s of one stream are 3,000
STREAMS_MAX = 16
SOURCES_MAX = 16
_NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970
_SHORT = 1 << 16  # of the middle 32 bits of an NTP time, in a second


@dataclass(frozen=True, slots=True)
class FarReport:
    """What the far end said of our stream, and when it came; `expected` by its highest number."""

    block: ReportBlock
    received_s: float
    expected: int


@dataclass
class RtpSession:
    """The media of one call; `getrandbits` makes SSRC and the first numbers (section 5.1)."""

    getrandbits: Callable[[int], int]
    wall_s: float
    sent_s: dict[int, float] = field(default_factory=dict)  # number without wraps -> when
    streams: dict[tuple[Endpoint, int], RtpStream] = field(default_factory=dict)
    malformed_count: int = 0
    unread_count: int = 0  # beyond the limits of this class
    rtcp_sources: Counter[str] = field(default_factory=Counter)
    reports: list[FarReport] = field(default_factory=list)
    rtcp_received_s: list[float] = field(default_factory=list)  # from the announced address
    far_sender: SenderReport | None = None
    round_trips_s: list[float] = field(default_factory=list)  # by RTCP
    reporters: set[str] = field(default_factory=set)  # announced addresses that RTCP came from

    def __post_init__(self) -> None:
        self.ssrc = self.getrandbits(32)
        self._first = self.getrandbits(15)  # room before the first wrap for the last's neighbours
        self._timestamp = self.getrandbits(32)
        self._octets = 0
        self._last_sr: tuple[int, float] | None = None
        self._cname = f"{self.getrandbits(64):016x}@nethealth".encode()

    def packet(self, codec: CodecFormat, slot: int) -> RtpPacket:
        """The packet to send in the `slot`th 20 ms of the call."""
        index = len(self.sent_s)
        return RtpPacket(
            payload_type=codec.payload_type,
            sequence=(self._first + index) & 0xFFFF,
            timestamp=(self._timestamp + slot * TIMESTAMPS_PER_PACKET) & 0xFFFFFFFF,
            ssrc=self.ssrc,
            payload=codec.payload,
            marker=index == 0,
        )

    def sent(self, packet: RtpPacket, at_s: float) -> None:
        """The packet went at `at_s`."""
        self.sent_s[self._first + len(self.sent_s)] = at_s
        self._octets += len(packet.payload)

    def receive(self, data: bytes, source: Endpoint, at_s: float, dscp: int | None) -> None:
        """Take in one datagram on the port of RTP, before or after the answer is known."""
        if is_rtcp(data):
            return  # a far end that mixes both on one port has its RTCP counted by nobody
        try:
            packet = parse_rtp(data)
        except WireError:
            self.malformed_count += 1
            return
        key = (source, packet.ssrc)
        stream = self.streams.get(key)
        full = sum(len(one.arrivals) for one in self.streams.values()) >= PACKETS_MAX
        if full or (stream is None and len(self.streams) >= STREAMS_MAX):
            self.unread_count += 1
            return
        if stream is None:
            stream = self.streams[key] = RtpStream(packet.ssrc)
        stream.take(packet, at_s, dscp)

    def receive_rtcp(self, data: bytes, source: Endpoint, at_s: float, remote: str | None) -> None:
        """Take in one datagram on the port of RTCP; only that of address `remote` is believed."""
        if remote is None or not same_address(source.address, remote):
            if str(source) in self.rtcp_sources or len(self.rtcp_sources) < SOURCES_MAX:
                self.rtcp_sources[str(source)] += 1
            return
        try:
            packets = parse_rtcp(data)
        except WireError:
            self.malformed_count += 1
            return
        if len(self.rtcp_received_s) >= PACKETS_MAX:
            self.unread_count += 1
            return
        self.rtcp_received_s.append(at_s)
        if len(self.reporters) < SOURCES_MAX:
            self.reporters.add(remote)
        for packet in packets:
            if isinstance(packet, SenderReport):
                self.far_sender = packet
                self._last_sr = ((packet.ntp >> 16) & 0xFFFFFFFF, at_s)
            if isinstance(packet, SenderReport | ReceiverReport):
                for block in packet.reports:
                    if block.ssrc == self.ssrc:
                        self._reported(block, at_s)

    def heard_from(self, remote: str) -> bool:
        """Whether any RTP or RTCP came from the address that the far end announced."""
        return remote in self.reporters or any(
            same_address(source.address, remote) for source, _ in self.streams
        )

    def main_stream(self, remote: str) -> tuple[Endpoint, RtpStream] | None:
        """The longest stream from the address that was announced, with its true source."""
        own = [
            (len(stream.arrivals), source, stream)
            for (source, _), stream in self.streams.items()
            if same_address(source.address, remote) and stream.arrivals
        ]
        if not own:
            return None
        _, source, stream = max(own, key=lambda one: one[0])
        return source, stream

    def strangers(self, remote: str) -> Counter[str]:
        """Packets by source that came from another address than the announced one."""
        found: Counter[str] = Counter()
        for (source, _), stream in self.streams.items():
            if not same_address(source.address, remote):
                found[str(source)] += len(stream.arrivals) + stream.out_of_step_count
        return found

    def packets_before(self, at_s: float, remote: str) -> int:
        """Packets of all streams that came from the announced address before `at_s`."""
        return sum(
            arrival.received_s < at_s
            for (source, _), stream in self.streams.items()
            if same_address(source.address, remote)
            for arrival in stream.arrivals
        )

    def other_streams(self, remote: str) -> Counter[int]:
        """Packets by SSRC that came from the announced address beside its longest stream."""
        main = self.main_stream(remote)
        found: Counter[int] = Counter()
        for (source, ssrc), stream in self.streams.items():
            if main is not None and stream is not main[1] and same_address(source.address, remote):
                found[ssrc] += len(stream.arrivals) + stream.out_of_step_count
        return found

    def report(self, now_s: float, remote: str | None, *, leaving: bool = False) -> bytes:
        """Our compound RTCP packet: SR or RR, SDES with CNAME, and BYE at the end."""
        stream = self.main_stream(remote) if remote is not None else None
        blocks = () if stream is None else (self._block(stream[1], now_s),)
        first: RtcpPacket = ReceiverReport(self.ssrc, blocks)
        if self.sent_s:
            started_s = min(self.sent_s.values())
            elapsed = round((now_s - started_s) * CLOCK_HZ)
            first = SenderReport(
                self.ssrc,
                self._ntp(now_s),
                (self._timestamp + elapsed) & 0xFFFFFFFF,
                len(self.sent_s),
                self._octets & 0xFFFFFFFF,
                blocks,
            )
        packets = [first, SourceDescription(((self.ssrc, ((CNAME, self._cname),)),))]
        return encode_rtcp([*packets, Goodbye((self.ssrc,))] if leaving else packets)

    def _block(self, stream: RtpStream, now_s: float) -> ReportBlock:
        if self._last_sr is None:
            return stream.report(0, 0)
        last, received_s = self._last_sr
        delay = max(0, round((now_s - received_s) * _SHORT)) & 0xFFFFFFFF
        return stream.report(last, delay)

    def _reported(self, block: ReportBlock, at_s: float) -> None:
        highest = (block.highest_sequence - self._first + 1) & 0xFFFF
        expected = min(highest, len(self.sent_s))
        self.reports.append(FarReport(block, at_s, expected))
        if block.last_sr:
            # section 6.4.1, figure 2: A - LSR - DLSR, in 1/65536 s
            now = (self._ntp(at_s) >> 16) & 0xFFFFFFFF
            ticks = (now - block.last_sr - block.delay_since_last_sr) & 0xFFFFFFFF
            if ticks < 60 * _SHORT:
                self.round_trips_s.append(ticks / _SHORT)

    def _ntp(self, at_s: float) -> int:
        return int((self.wall_s + at_s + _NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def same_address(one: str, other: str) -> bool:
    """Whether both are one numeric address, however it is spelt."""
    if one == other:
        return True
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False
