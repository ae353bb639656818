"""Packets that may be RTP, as columns: what the analysis of streams works on.

A form that fits (RFC 3550 section 5.1) makes a candidate, not a stream: one in four random
datagrams begins with version 2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import numpy as np

from nethealth.passive.columns import (
    Flags,
    Ints,
    Keys,
    Octets,
    field16,
    field32,
    mixed,
    rows_at,
    u8,
    u16,
)
from nethealth.passive.grouping import KeyTable
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.packets import Packets
from nethealth.wire.rtp import HEADER_OCTETS

COUNTED = 1 << 47  # of `marks`: a bit that no VLAN needs
_IP_OCTETS = 40  # those of IPv6; of IPv4 all that matters stands within


@dataclass(frozen=True, eq=False, slots=True)
class RtpRows:
    """One row a packet. `stream`: a small number for the pair of endpoints and the SSRC.

    What is small stands together in one number, since rows are sorted by stream, column by column.
    """

    stream: Ints
    time_ns: Ints
    sequence_timestamp: Ints  # 16 and 32 bits
    # Payload octets, VLAN + 1, DSCP, and the header's second octet; 16 bits each.
    marks: Ints

    def __len__(self) -> int:
        return len(self.stream)

    @property
    def sequence(self) -> Ints:
        return self.sequence_timestamp >> 32

    @property
    def timestamp(self) -> Ints:
        return self.sequence_timestamp & 0xFFFFFFFF

    @property
    def second(self) -> Ints:
        """Marker and payload type."""
        return self.marks & 0xFFFF

    @property
    def dscp(self) -> Ints:
        return self.marks >> 16 & 0xFFFF

    @property
    def vlan(self) -> Ints:
        """One more than the VLAN; 0 for an untagged frame."""
        return self.marks >> 32 & 0x1FFF

    @property
    def counted(self) -> Flags:
        """Payload type, DSCP and VLAN were counted when it came."""
        counted: Flags = self.marks & COUNTED != 0
        return counted

    @property
    def octets(self) -> Ints:
        """Of the payload behind the fixed header."""
        return self.marks >> 48 & 0xFFFF

    def columns(self) -> tuple[Ints, ...]:
        return self.stream, self.time_ns, self.sequence_timestamp, self.marks

    def as_counted(self) -> "RtpRows":
        return RtpRows(self.stream, self.time_ns, self.sequence_timestamp, self.marks | COUNTED)

    def with_rows(self, at: Ints, others: "RtpRows") -> "RtpRows":
        """Other rows put in before these places (ascending)."""
        pairs = zip(self.columns(), others.columns(), strict=True)
        return RtpRows(*(np.insert(column, at, other) for column, other in pairs))

    def take(self, rows: Ints | Flags) -> "RtpRows":
        return RtpRows(*(column[rows] for column in self.columns()))


_NO_ROWS = RtpRows(*(np.zeros(0, np.int64) for _ in range(4)))


@dataclass(frozen=True, slots=True)
class Ends:
    """Between whom a stream is; addresses as text."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    ssrc: int


def joined(parts: Sequence[RtpRows]) -> RtpRows:
    """The rows of several, one behind the other."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.columns() for part in parts), strict=True)
    return RtpRows(*(np.concatenate(column) for column in columns))


class Candidates:
    """Finds the packets that may be RTP and numbers their streams."""

    def __init__(self) -> None:
        self._table = KeyTable()
        # Of each stream's first packet; addresses become text only where somebody asks.
        self._headers = np.zeros((0, _IP_OCTETS), np.uint8)
        self._ports = np.zeros((0, 2), np.int64)
        self._ssrcs = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._ssrcs)

    def ends(self, stream: int) -> Ends:
        header = self._headers[stream].tobytes()
        address = IPv6Address if header[0] >> 4 == 6 else IPv4Address
        begin, length = (8, 16) if address is IPv6Address else (12, 4)
        source_port, destination_port = self._ports[stream].tolist()
        return Ends(
            str(address(header[begin : begin + length])),
            source_port,
            str(address(header[begin + length : begin + 2 * length])),
            destination_port,
            int(self._ssrcs[stream]),
        )

    def only(self, kept: Ints) -> None:
        """Forget all streams but these, which are counted again from 0."""
        self._table.only(kept)
        self._headers, self._ports = self._headers[kept], self._ports[kept]
        self._ssrcs = self._ssrcs[kept]

    def of(self, packets: Packets) -> tuple[Ints, RtpRows]:
        """The rows of UDP whose captured payload has the form of an RTP header: where, and what."""
        octets = packets.octets
        rows = np.flatnonzero(packets.is_udp & (packets.payload_captured >= HEADER_OCTETS))
        at = packets.payload_at[rows]
        second = octets[at + 1]
        form = octets[at] >> 6 == 2
        form &= (second < 192) | (second > 223)  # RTCP, RFC 5761 section 4
        rows, at = rows[form], at[form]
        # Contributing sources or an extension: whether they fit is looked up for these few.
        longer = np.flatnonzero(octets[at] & 0x1F != 0)
        if len(longer):
            some = rows[longer]
            needed = _header_octets(octets, at[longer], packets.payload_captured[some])
            form = np.ones(len(rows), np.bool_)
            form[longer[needed > packets.payload_octets[some]]] = False
            rows, at = rows[form], at[form]
        if not len(rows):
            return rows, _NO_ROWS
        header = rows_at(octets, at)
        marks = (packets.payload_octets[rows] - HEADER_OCTETS) << 48
        marks |= (packets.vlan[rows] + 1) << 32 | packets.dscp[rows] << 16
        return rows, RtpRows(
            stream=self._streams(packets, rows, field32(header, 8)),
            time_ns=packets.time_ns[rows],
            sequence_timestamp=field16(header, 2) << 32 | field32(header, 4),
            marks=marks | header[:, 1],
        )

    def of_known(self, known: KnownRows) -> tuple[Ints, RtpRows]:
        """The same of packets whose headers are known: the streams of `places`, and the rows."""
        headers, places = known.headers, known.places
        numbers = self._numbers(
            headers.stream_key[places],
            lambda first: headers.ip[places[first]],
            headers.ports[places],
            headers.ssrc[places],
        )
        stream = np.zeros(int(places[-1]) + 1, np.int64)
        stream[places] = numbers
        return numbers, RtpRows(
            stream=stream[known.place],
            time_ns=known.time_ns,
            sequence_timestamp=known.sequence_timestamp,
            marks=known.octets << 48 | known.second | COUNTED,
        )

    def _streams(self, packets: Packets, rows: Ints, ssrc: Ints) -> Ints:
        ports = np.stack([packets.source_port[rows], packets.destination_port[rows]], 1)
        return self._numbers(
            mixed(
                packets.source[rows],
                packets.destination[rows],
                ports[:, 0] << 48 | ports[:, 1] << 32 | ssrc,
            ),
            lambda first: packets.network_rows[rows[first], :_IP_OCTETS],
            ports,
            ssrc,
        )

    def _numbers(
        self, keys: Keys, headers: Callable[[Ints], Octets], ports: Ints, ssrc: Ints
    ) -> Ints:
        """The streams' numbers; of a new one it is noted between whom it is."""
        numbers = self._table.numbers(keys)
        known = len(self)
        if len(self._table) > known:
            fresh, first = np.unique(numbers, return_index=True)
            first = first[fresh >= known]
            self._headers = np.concatenate([self._headers, headers(first)])
            self._ports = np.concatenate([self._ports, ports[first]])
            self._ssrcs = np.concatenate([self._ssrcs, ssrc[first]])
        return numbers

    def keys(self, streams: Ints) -> Keys:
        """What tells these streams from all others."""
        return self._table.keys[streams]


def _header_octets(octets: Octets, at: Ints, captured: Ints) -> Ints:
    """Fixed header, contributing sources and extension, as far as they can be read."""
    first = u8(octets, at)
    length = HEADER_OCTETS + 4 * (first & 0x0F)
    extended = (first & 0x10 != 0) & (length + 4 <= captured)
    return np.where(extended, length + 4 + 4 * u16(octets, at + length + 2), length)
