"""Packets that may be RTP, as columns: what the analysis of streams works on.

A form that fits (RFC 3550 section 5.1) makes a candidate, not a stream: one in four random
datagrams begins with version 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from nethealth.passive.columns import Flags, Ints, Octets, mixed, u8, u16, u32
from nethealth.passive.grouping import KeyTable
from nethealth.passive.packets import Packets
from nethealth.wire.rtp import HEADER_OCTETS


@dataclass(frozen=True, eq=False, slots=True)
class RtpRows:
    """One row a packet. `stream`: a small number for the pair of endpoints and the SSRC."""

    stream: Ints
    time_ns: Ints
    sequence: Ints
    timestamp: Ints
    second: Ints  # marker and payload type, the header's second octet
    dscp: Ints
    vlan: Ints
    octets: Ints  # of the payload behind the fixed header

    def __len__(self) -> int:
        return len(self.stream)

    def columns(self) -> tuple[Ints, ...]:
        return tuple(getattr(self, each.name) for each in fields(self))

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
        octets = packets.octets
        rows = np.flatnonzero(packets.is_udp & (packets.payload_captured >= HEADER_OCTETS))
        at = packets.payload_at[rows]
        second = octets[at + 1]
        form = octets[at] >> 6 == 2
        form &= (second < 192) | (second > 223)  # RTCP, RFC 5761 section 4
        rows, at = rows[form], at[form]
        stated = packets.payload_octets[rows]
        fits = _header_octets(octets, at, packets.payload_captured[rows]) <= stated
        rows, at, stated = rows[fits], at[fits], stated[fits]
        return RtpRows(
            stream=self._streams(packets, rows, u32(octets, at + 8)),
            time_ns=packets.time_ns[rows],
            sequence=u16(octets, at + 2),
            timestamp=u32(octets, at + 4),
            second=u8(octets, at + 1),
            dscp=packets.dscp[rows],
            vlan=packets.vlan[rows],
            octets=stated - HEADER_OCTETS,
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
