"""Packets that may be RTP, as columns: what the analysis of streams works on.

A form that fits (RFC 3550 section 5.1) makes a candidate, not a stream: one in four random
datagrams begins with version 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Flags, Ints, Octets, field16, field32, mixed, u8, u16
from nethealth.passive.grouping import KeyTable
from nethealth.passive.packets import Packets
from nethealth.wire.rtp import HEADER_OCTETS

_UDP = 8  # octets of its header


@dataclass(frozen=True, eq=False, slots=True)
class RtpRows:
    """One row a packet. `stream`: a small number for the pair of endpoints and the SSRC.

    What is small stands together in one number, since rows are sorted by stream, column by column.
    """

    stream: Ints
    time_ns: Ints
    sequence_timestamp: Ints  # 16 and 32 bits
    marks: Ints  # payload octets, VLAN + 1, DSCP, and the header's second octet; 16 bits each

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
        return self.marks >> 32 & 0xFFFF

    @property
    def octets(self) -> Ints:
        """Of the payload behind the fixed header."""
        return self.marks >> 48

    def columns(self) -> tuple[Ints, ...]:
        return self.stream, self.time_ns, self.sequence_timestamp, self.marks

    def take(self, rows: Ints | Flags) -> "RtpRows":
        return RtpRows(*(column[rows] for column in self.columns()))


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
        self._ends: list[Ends] = []

    def __len__(self) -> int:
        return len(self._ends)

    def ends(self, stream: int) -> Ends:
        return self._ends[stream]

    def only(self, kept: Ints) -> None:
        """Forget all streams but these, which are counted again from 0."""
        self._table.only(kept)
        self._ends = [self._ends[number] for number in kept.tolist()]

    def of(self, packets: Packets) -> RtpRows:
        """The rows of UDP whose captured payload has the form of an RTP header."""
        header = packets.transport_rows
        form = packets.is_udp & (packets.payload_captured >= HEADER_OCTETS)
        form &= header[:, _UDP] >> 6 == 2
        second = header[:, _UDP + 1]
        form &= (second < 192) | (second > 223)  # RTCP, RFC 5761 section 4
        # Contributing sources or an extension: whether they fit is looked up for these few.
        longer = np.flatnonzero(form & (header[:, _UDP] & 0x1F != 0))
        if len(longer):
            captured, stated = packets.payload_captured[longer], packets.payload_octets[longer]
            needed = _header_octets(packets.octets, packets.payload_at[longer], captured)
            form[longer[needed > stated]] = False
        rows = np.flatnonzero(form)
        header = header[rows]
        octets = packets.payload_octets[rows] - HEADER_OCTETS
        marks = octets << 48 | (packets.vlan[rows] + 1) << 32 | packets.dscp[rows] << 16
        return RtpRows(
            stream=self._streams(packets, rows, field32(header, _UDP + 8)),
            time_ns=packets.time_ns[rows],
            sequence_timestamp=field16(header, _UDP + 2) << 32 | field32(header, _UDP + 4),
            marks=marks | header[:, _UDP + 1],
        )

    def _streams(self, packets: Packets, rows: Ints, ssrc: Ints) -> Ints:
        source_port, destination_port = packets.source_port[rows], packets.destination_port[rows]
        ports = source_port << 48 | destination_port << 32
        numbers = self._table.numbers(
            mixed(packets.source[rows], packets.destination[rows], ports | ssrc)
        )
        known = len(self._ends)
        if len(self._table) > known:
            fresh, first = np.unique(numbers, return_index=True)
            for place in first[fresh >= known].tolist():
                row = int(rows[place])
                self._ends.append(
                    Ends(
                        packets.source_text(row),
                        int(source_port[place]),
                        packets.destination_text(row),
                        int(destination_port[place]),
                        int(ssrc[place]),
                    )
                )
        return numbers


def _header_octets(octets: Octets, at: Ints, captured: Ints) -> Ints:
    """Fixed header, contributing sources and extension, as far as they can be read."""
    first = u8(octets, at)
    length = HEADER_OCTETS + 4 * (first & 0x0F)
    extended = (first & 0x10 != 0) & (length + 4 <= captured)
    return np.where(extended, length + 4 + 4 * u16(octets, at + length + 2), length)
