"""The signalling of old telephony in a capture: which protocols, how much, between whom.

Only packets that may be one are looked at one by one: those at a protocol's ports, in streams of
TPKT packets, in SCTP, on a signalling link. Media of IAX2 are counted by the run.
"""

from collections.abc import Iterator

import numpy as np

from nethealth.passive import legacy_connection, legacy_datagram
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.announced import MediaBook
from nethealth.passive.columns import Flags, Ints, u16
from nethealth.passive.legacy_connection import Connections
from nethealth.passive.legacy_facsimile import (
    Facsimile,
    announced_rows,
    is_announced,
    is_facsimile,
)
from nethealth.passive.legacy_tally import Tally
from nethealth.passive.packets import FRAGMENT_NONE, UDP, Packet, Packets
from nethealth.wire import iax2, sigtran
from nethealth.wire.errors import WireError

UNITS: Units = {
    "legacy_signalling_packet_count": "packets",
    "legacy_signalling_endpoint_packet_count": "packets",
    "legacy_signalling_per_bin_max": "packets",
    "legacy_signalling_gap_max_s": "s",
}
BIN_S = 10.0
MTP2_LINKS = (139, 140)  # MTP2 with a pseudo header of 4 octets, and without
_MTP2_PSEUDO = {139: 4, 140: 0}
MTP3_LINK = 141
_NAMES_MAX = 65_536
_MTP_USERS = ("isup", "bicc")
_TPKT = 0x0300
_TPKT_MIN, _TPKT_MAX = 6, 4096


def _table(ports: dict[int, str]) -> Flags:
    table = np.zeros(65_537, np.bool_)  # the last place is that of port -1
    table[list(ports)] = True
    return table


_UDP_TABLE = _table(legacy_datagram.PORTS)
_TCP_TABLE = _table(legacy_connection.PORTS)


class LegacyAnalysis:
    """Feed it after the SIP analysis that fills `book`: announcements of facsimile come from it."""

    def __init__(self, book: MediaBook | None = None, *, bin_s: float = BIN_S) -> None:
        self._book = book if book is not None else MediaBook()
        self._tally = Tally(round(bin_s * 1e9))
        self._connections = Connections()
        self._facsimile = Facsimile()
        self._names: dict[int, str] = {}  # addresses as text, by their keys

    def feed(self, packets: Packets) -> None:
        self._datagrams(packets)
        self._segments(packets)
        self._facsimiles(packets)
        self._sctp(packets)
        self._links(packets)

    def finish(self) -> Iterator[Fact]:
        return self._tally.facts()

    def _datagrams(self, packets: Packets) -> None:
        wanted = packets.is_udp & (
            _UDP_TABLE[packets.source_port] | _UDP_TABLE[packets.destination_port]
        )
        wanted &= packets.fragment == FRAGMENT_NONE
        if wanted.any():
            self._at_ports(packets, np.flatnonzero(wanted & ~self._iax2_media(packets)))
        for packet in filter(_is_datagram, packets.reassembled):
            recognised = legacy_datagram.recognise(_datagram_protocol(packet), packet.payload)
            if recognised is not None:
                self._add(recognised.protocol, packet, certain=recognised.certain)

    def _at_ports(self, packets: Packets, rows: Ints) -> None:
        """Datagrams at known ports; a site of old telephones is full of them."""
        ports, octets = legacy_datagram.PORTS, packets.octets
        for row, source, destination, source_port, destination_port, at, size, time_ns in zip(
            rows.tolist(),
            packets.source[rows].tolist(),
            packets.destination[rows].tolist(),
            packets.source_port[rows].tolist(),
            packets.destination_port[rows].tolist(),
            packets.payload_at[rows].tolist(),
            packets.payload_captured[rows].tolist(),
            packets.time_ns[rows].tolist(),
            strict=True,
        ):
            protocol = ports.get(destination_port) or ports[source_port]
            recognised = legacy_datagram.recognise(protocol, octets[at : at + size].tobytes())
            if recognised is None:
                continue
            one = self._names.get(source) or self._name(source, packets.source_text(row))
            other = self._names.get(destination) or self._name(
                destination, packets.destination_text(row)
            )
            self._tally.add(
                protocol,
                (one, source_port),
                (other, destination_port),
                time_ns,
                certain=recognised.certain,
            )

    def _name(self, key: int, text: str) -> str:
        if len(self._names) >= _NAMES_MAX:
            self._names.clear()
        self._names[key] = text
        return text

    def _iax2_media(self, packets: Packets) -> Flags:
        """Mini frames (RFC 5456 section 8.1.2), counted at once: media, and no proof."""
        port = (packets.source_port == iax2.PORT) | (packets.destination_port == iax2.PORT)
        rows = np.flatnonzero(port & packets.is_udp & (packets.payload_captured >= 4))
        mini = rows[packets.octets[packets.payload_at[rows]] < 0x80]
        mask: Flags = np.zeros(len(packets), np.bool_)
        mask[mini] = True
        if len(mini):
            self._by_flow("iax2", packets, mini)
        return mask

    def _by_flow(self, protocol: str, packets: Packets, rows: Ints) -> None:
        """Packets alike in all but their media, counted by flow and bin."""
        flow = packets.flow[rows]
        bins = packets.time_ns[rows] // self._tally.bin_ns
        order = np.lexsort((bins, flow))
        flow, bins, rows = flow[order], bins[order], rows[order]
        first = np.flatnonzero(np.r_[True, (flow[1:] != flow[:-1]) | (bins[1:] != bins[:-1])])
        counts = np.diff(np.r_[first, len(rows)])
        for row, count in zip(rows[first].tolist(), counts.tolist(), strict=True):
            self._add(protocol, packets.packet(row), certain=False, count=count)

    def _segments(self, packets: Packets) -> None:
        data = np.flatnonzero(packets.is_tcp & (packets.payload_captured > 0))
        if not len(data):
            return
        wanted = _TCP_TABLE[packets.source_port[data]] | _TCP_TABLE[packets.destination_port[data]]
        at = packets.payload_at[data]
        length = u16(packets.octets, at + 2)
        tpkt = (u16(packets.octets, at) == _TPKT) & (packets.payload_captured[data] >= 4)
        tpkt &= (length >= _TPKT_MIN) & (length <= _TPKT_MAX)
        wanted |= tpkt
        if not wanted.any() and not self._connections.streams:
            return
        flow = packets.flow[data]
        followed = self._connections.followed()
        wanted |= np.isin(flow, np.concatenate((followed, np.unique(flow[wanted]))))
        for index in np.flatnonzero(wanted).tolist():
            row = int(data[index])
            packet = packets.packet(row)
            sequence = int(packets.tcp_sequence[row])
            for found in self._connections.feed(int(flow[index]), sequence, packet):
                self._add(found.protocol, packet, certain=found.certain)

    def _facsimiles(self, packets: Packets) -> None:
        media = self._book.all()
        for row in self._facsimile.rows(packets):
            packet = packets.packet(row)
            if is_announced(packet, media) or _is_datagram(packet):
                continue
            proved = self._facsimile.feed(int(packets.flow[row]), packet)
            if proved is not None:
                self._add("t38", packet, certain=proved)
        for packet in packets.messages(announced_rows(packets, media), _is_datagram_of_fax):
            if is_facsimile(packet, media):
                self._add("t38", packet, certain=True)

    def _sctp(self, packets: Packets) -> None:
        mask = (packets.protocol == sigtran.SCTP_IP_PROTOCOL) & (packets.transport_at >= 0)
        for row in packets.rows(mask & (packets.fragment == FRAGMENT_NONE)):
            at = int(packets.transport_at[row])
            octets = packets.octets_of(row, at, int(packets.transport_octets[row]))
            for protocol in sorted(_sctp_protocols(octets)):
                self._add(protocol, packets.packet(row), certain=True)

    def _links(self, packets: Packets) -> None:
        for kind in MTP2_LINKS:
            for row in packets.rows(packets.link_type == kind):
                begin = int(packets.frame_at[row]) + _MTP2_PSEUDO[kind]
                self._link(packets, row, packets.octets_of(row, begin), mtp2=True)
        for row in packets.rows(packets.link_type == MTP3_LINK):
            octets = packets.octets_of(row, int(packets.frame_at[row]))
            self._link(packets, row, octets, mtp2=False)

    def _link(self, packets: Packets, row: int, octets: bytes, *, mtp2: bool) -> None:
        """A signalling link has two ends without addresses: the point codes stand for them."""
        try:
            message = sigtran.parse_mtp2(octets) if mtp2 else sigtran.parse_mtp3(octets)
        except WireError:
            return
        if message is not None and message.service in _MTP_USERS:
            self._tally.add(
                message.service,
                (f"point code {message.origin}", 0),
                (f"point code {message.destination}", 0),
                int(packets.time_ns[row]),
                certain=True,
            )

    def _add(self, protocol: str, packet: Packet, *, certain: bool, count: int = 1) -> None:
        self._tally.add(
            protocol,
            (packet.source, packet.source_port),
            (packet.destination, packet.destination_port),
            packet.time_ns,
            certain=certain,
            count=count,
        )


def _is_datagram(packet: Packet) -> bool:
    ports = legacy_datagram.PORTS
    return packet.source_port in ports or packet.destination_port in ports


def _is_datagram_of_fax(packet: Packet) -> bool:
    return packet.protocol == UDP


def _datagram_protocol(packet: Packet) -> str:
    ports = legacy_datagram.PORTS
    return ports.get(packet.destination_port) or ports[packet.source_port]


def _sctp_protocols(octets: bytes) -> set[str]:
    """The protocols of the messages that begin in an SCTP packet."""
    found: set[str] = set()
    try:
        chunks = sigtran.data_chunks(octets)
    except WireError:
        return found
    for chunk in chunks:
        try:
            if chunk.payload_protocol == sigtran.PPID_H248:
                if legacy_datagram.recognise("megaco", chunk.payload):
                    found.add("megaco")
                continue
            message = sigtran.mtp3_of(chunk)
        except WireError:
            continue
        if message is not None and message.service in _MTP_USERS:
            found.add(message.service)
    return found
