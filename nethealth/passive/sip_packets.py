"""SIP messages out of packets: UDP on any port, TCP put back in order, datagrams in fragments.

The columns sort out what may begin like a SIP message before any octet is looked at one by one.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator

import numpy as np

from nethealth.model.endpoint import Endpoint
from nethealth.passive.columns import Flags, u32
from nethealth.passive.gates import SIP_PORT, begins_like_text
from nethealth.passive.packets import UDP, Packet, Packets
from nethealth.passive.sip_read import (
    SeenMessage,
    fault_name,
    looks_like_sip,
    read_datagram,
)
from nethealth.passive.sip_transactions import MIRROR_MAX_NS
from nethealth.passive.tcp_order import Piece, TcpOrder
from nethealth.wire.errors import WireError
from nethealth.wire.sip_resync import SipResyncParser

DIRECTIONS_MAX = 4096  # of TCP connections that are followed at a time
_COPIES_MAX = 4096
_SYN, _ENDING = 0x02, 0x05  # FIN or RST
# The first four octets of what a TCP connection has to show before it is followed.
_STARTS = np.array(
    [
        int.from_bytes(start, "big")
        for start in (
            b"SIP/", b"INVI", b"ACK ", b"BYE ", b"CANC", b"REGI", b"OPTI", b"SUBS", b"NOTI",
            b"PUBL", b"MESS", b"INFO", b"PRAC", b"UPDA", b"REFE",
        )
    ]
)  # fmt: skip


class _Direction:
    """One direction of a TCP connection that carries SIP."""

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        self.source = source
        self.destination = destination
        self.order = TcpOrder()
        self.parser = SipResyncParser()
        self.last_ns = 0


class SipPackets:
    """Takes packets run by run, gives the messages in them; the counts grow as it goes."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.cut_count = 0  # messages that the capture's own length limit has cut
        self.mirrored_count = 0
        self.keepalive_count = 0
        self.missing_count = 0  # holes in TCP
        self.direction_left_out_count = 0
        self._directions: OrderedDict[int, _Direction] = OrderedDict()
        self._copies: OrderedDict[tuple[Endpoint, Endpoint, int], int] = OrderedDict()

    def feed(self, packets: Packets) -> Iterator[SeenMessage]:
        """The messages of the next run of packets, in the order of the timeline."""
        if not len(packets):
            return
        begins = begins_like_text(packets)
        mask = (packets.is_udp & begins) | self._followed(packets, begins)
        for packet in packets.messages(mask, _is_sip_datagram):
            if packet.protocol == UDP:
                yield from self._datagram(packet)
            elif packet.row is not None:
                yield from self._segment(packet, packets)
        now_ns = int(packets.time_ns[-1])
        for direction in list(self._directions.values()):
            yield from self._pieces(direction, direction.order.overdue(now_ns))

    def finish(self) -> Iterator[SeenMessage]:
        """What was still held back when the capture ended."""
        while self._directions:
            _, direction = self._directions.popitem(last=False)
            yield from self._close(direction)

    def _datagram(self, packet: Packet) -> Iterator[SeenMessage]:
        payload = packet.payload
        if len(payload) <= 4 and not payload.strip(b"\r\n\0"):
            self.keepalive_count += SIP_PORT in (packet.source_port, packet.destination_port)
            return
        if not looks_like_sip(payload):
            return
        whole = packet.payload_octets <= len(payload)
        reading = read_datagram(payload, whole=whole)
        self.cut_count += not whole
        if reading.fault is not None:
            self.faults[reading.fault] += 1
        if reading.message is None:
            return
        source, destination = _ends(packet)
        mirrored = self._is_copy((source, destination, hash(payload)), packet.time_ns)
        self.mirrored_count += mirrored
        yield SeenMessage(
            packet.time_ns, source, destination, "udp", reading.message, mirrored=mirrored
        )

    def _is_copy(self, key: tuple[Endpoint, Endpoint, int], time_ns: int) -> bool:
        """Whether the same octets went the same way a moment ago."""
        before_ns = self._copies.pop(key, None)
        self._copies[key] = time_ns
        if len(self._copies) > _COPIES_MAX:
            self._copies.popitem(last=False)
        return before_ns is not None and 0 <= time_ns - before_ns < MIRROR_MAX_NS

    def _followed(self, packets: Packets, begins: Flags) -> Flags:
        """The rows of TCP connections that carry SIP, those that show it in this run included."""
        tcp = packets.is_tcp
        if not tcp.any():
            return tcp
        ports = (packets.source_port == SIP_PORT) | (packets.destination_port == SIP_PORT)
        shows = np.flatnonzero(tcp & begins & ~ports)
        shows = shows[np.isin(u32(packets.octets, packets.payload_at[shows]), _STARTS)]
        flows = set(packets.flow[tcp & ports].tolist()) | set(self._directions)
        for row in shows.tolist():
            flow = int(packets.flow[row])
            if flow not in flows and looks_like_sip(packets.payload(row)):
                flows.add(flow)
        if not flows:
            return np.zeros_like(tcp)
        ours = np.isin(packets.flow, np.array(sorted(flows), np.uint64))
        flags = packets.tcp_flags
        return tcp & ours & ((packets.payload_captured > 0) | (flags & (_SYN | _ENDING) > 0))

    def _segment(self, packet: Packet, packets: Packets) -> Iterator[SeenMessage]:
        row = packet.row or 0
        flow, flags = int(packets.flow[row]), int(packets.tcp_flags[row])
        sequence = int(packets.tcp_sequence[row])
        direction = self._directions.get(flow)
        if direction is None:
            if len(self._directions) >= DIRECTIONS_MAX:
                self.direction_left_out_count += 1
                _, oldest = self._directions.popitem(last=False)
                yield from self._close(oldest)
            direction = self._directions[flow] = _Direction(*_ends(packet))
        self._directions.move_to_end(flow)
        direction.last_ns = packet.time_ns
        data = packet.payload
        pieces = direction.order.segment(sequence, data, packet.time_ns, syn=bool(flags & _SYN))
        if packet.payload_octets > len(data):  # cut by the capture: the rest is a hole
            pieces.append(Piece(packet.time_ns, None))
        yield from self._pieces(direction, pieces)
        if flags & _ENDING:
            del self._directions[flow]
            yield from self._close(direction)

    def _close(self, direction: _Direction) -> Iterator[SeenMessage]:
        pieces = direction.order.end(direction.last_ns)
        yield from self._pieces(direction, [*pieces, Piece(direction.last_ns, None)])
        self.missing_count += direction.order.missing_count

    def _pieces(self, direction: _Direction, pieces: list[Piece]) -> Iterator[SeenMessage]:
        for piece in pieces:
            if piece.data is None:
                found = direction.parser.gap()
            else:
                found = direction.parser.feed(piece.data)
            for one in found:
                if isinstance(one, WireError):
                    self.faults[fault_name(one)] += 1
                    continue
                yield SeenMessage(
                    piece.time_ns, direction.source, direction.destination, "tcp", one
                )


def _is_sip_datagram(packet: Packet) -> bool:
    return packet.protocol == UDP and looks_like_sip(packet.payload)


def _ends(packet: Packet) -> tuple[Endpoint, Endpoint]:
    return (
        Endpoint(packet.source, packet.source_port),
        Endpoint(packet.destination, packet.destination_port),
    )
