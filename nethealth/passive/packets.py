"""A run of packets as columns: one row a packet, one array a field.

A row is what the frame carries: within a tunnel (GRE, ERSPAN, VXLAN, IP in IP) the columns speak
of the innermost packet. Columns are computed when they are first asked for, then kept. A number
that a row has not got is -1 (addresses and keys, unsigned: 0).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address

import numpy as np

from nethealth.passive.columns import (
    Flags,
    Ints,
    Keys,
    Octets,
    field16,
    field32,
    field48,
    mixed,
    rows_at,
)
from nethealth.passive.engine import Engine
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.layer_walk import FRAGMENT_LATER, FRAGMENT_NONE, Layers
from nethealth.passive.layers import locate

TCP, UDP, SCTP = 6, 17, 132


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet for those who read messages; `number` counts from 1 in the timeline.

    `payload` is the transport's as far as it was captured (of a datagram in fragments: joined);
    `payload_octets` is how many there were on the wire. `row` in the run it came with, for the
    columns that do not stand here; None for one that was joined from fragments.
    """

    number: int
    time_ns: int
    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: int
    payload: bytes
    payload_octets: int
    vlan: int = -1
    dscp: int = 0
    row: int | None = None

    @property
    def time_s(self) -> float:
        """Seconds since 1970; a difference of times is taken of `time_ns`."""
        return self.time_ns / 1e9


@dataclass(frozen=True, eq=False)
class Packets:
    """Rows in the order of the timeline.

    `octets`: the buffer that all offsets (`…_at`) point into. `frame_at`, `captured`: where each
    frame stands and how many octets of it; `wire`: how many it had. `time_ns`: since 1970, as
    precise as the file has it. `link_type`: as in pcap (1 is Ethernet). `number`: from 1.
    `interface`: of the timeline. `reassembled`: the datagrams that a fragment in this run
    completed, each with the number and the time of that fragment. `engine`: what computes the
    columns; None is numpy. `known`: packets of this run that are in none of the rows, since all
    but what stands there was seen before.
    """

    octets: Octets
    frame_at: Ints
    captured: Ints
    wire: Ints
    time_ns: Ints
    number: Ints
    interface: Ints
    link_type: Ints
    reassembled: tuple[Packet, ...] = ()
    engine: Engine | None = None
    known: KnownRows | None = None

    def __len__(self) -> int:
        return len(self.frame_at)

    @cached_property
    def layers(self) -> Layers:
        """Where each layer of each packet begins and ends; all other columns rest on it."""
        return locate(
            self.octets, self.frame_at, self.captured, self.wire, self.link_type, self.engine
        )

    def prepare(self) -> None:
        """Compute the columns that most analyses ask for: a reader does it ahead of them."""
        if self.engine is None:
            for column in (self.source, self.destination, self.source_port, self.payload_captured):
                del column
            return
        layers = self.layers
        columns = self.engine.columns(
            self.octets,
            self.frame_end,
            layers.ethernet_at,
            layers.network_at,
            layers.ip_version,
            layers.protocol,
            layers.transport_at,
            layers.transport_octets,
        )
        self.__dict__.update(columns)  # where a cached property keeps its value

    # The link

    @cached_property
    def has_ethernet(self) -> Flags:
        return self.layers.ethernet_at >= 0

    @cached_property
    def ethernet_source(self) -> Keys:
        return self._where(self.has_ethernet, field48(self._ethernet_rows, 6))

    @cached_property
    def ethernet_destination(self) -> Keys:
        return self._where(self.has_ethernet, field48(self._ethernet_rows, 0))

    @property
    def vlan(self) -> Ints:
        """The outermost VLAN's identifier, -1 for an untagged frame (0 is a priority tag)."""
        return self.layers.vlan

    @property
    def vlan_inner(self) -> Ints:
        return self.layers.vlan_inner

    @property
    def ethertype(self) -> Ints:
        """Of what stands at `network_at`: 0 for an LLC header, -1 where there is nothing."""
        return self.layers.ethertype

    @property
    def network_at(self) -> Ints:
        return self.layers.network_at

    @property
    def frame_end(self) -> Ints:
        """Where the captured octets end."""
        return self.frame_at + self.captured

    # The network layer

    @property
    def ip_version(self) -> Ints:
        """4, 6, or 0 where the packet is not IP, or its header is not whole."""
        return self.layers.ip_version

    @cached_property
    def source(self) -> Keys:
        """A key to group addresses by: an IPv4 address is its own number, 0 is none."""
        return self._address(12, 8)

    @cached_property
    def destination(self) -> Keys:
        return self._address(16, 24)

    @cached_property
    def traffic_class(self) -> Ints:
        """DSCP and ECN, eight bits; -1 without IP."""
        both = field16(self.network_rows, 0)
        value = np.where(self.ip_version == 4, both & 0xFF, both >> 4 & 0xFF)
        return np.where(self.ip_version > 0, value, -1)

    @cached_property
    def dscp(self) -> Ints:
        dscp: Ints = self.traffic_class >> 2  # -1 stays -1
        return dscp

    @property
    def fragment(self) -> Ints:
        """0 for a whole datagram, 1 for the first of its fragments, 2 for a later one."""
        return self.layers.fragment

    @property
    def protocol(self) -> Ints:
        """Of what IP carries, behind the extension headers; -1 without IP."""
        return self.layers.protocol

    @property
    def malformed(self) -> Flags:
        """A header contradicts itself or the frame's length on the wire."""
        return self.layers.malformed

    @property
    def tunnel(self) -> Ints:
        """What the packet came in, as bits: `nethealth.passive.layer_walk` names them."""
        return self.layers.tunnel

    # Transport

    @property
    def transport_at(self) -> Ints:
        """Where the transport header begins; -1 without IP, and in a later fragment."""
        return self.layers.transport_at

    @property
    def transport_octets(self) -> Ints:
        """Of the transport header and payload on the wire, as the IP header has it."""
        return self.layers.transport_octets

    @cached_property
    def transport_end(self) -> Ints:
        """Where the captured octets of the IP packet end: the frame's padding is not counted."""
        end = self.layers.transport_at + self.layers.transport_octets
        captured: Ints = np.minimum(end, self.frame_end)
        return captured

    @cached_property
    def has_ports(self) -> Flags:
        """Whole port numbers were captured: of UDP, TCP or SCTP, and in no later fragment."""
        kinds = (self.protocol == UDP) | (self.protocol == TCP) | (self.protocol == SCTP)
        whole = self.transport_end - self.layers.transport_at >= 4
        flags: Flags = kinds & (self.layers.transport_at >= 0) & whole
        return flags

    @cached_property
    def source_port(self) -> Ints:
        return np.where(self.has_ports, field16(self.transport_rows, 0), -1)

    @cached_property
    def destination_port(self) -> Ints:
        return np.where(self.has_ports, field16(self.transport_rows, 2), -1)

    @cached_property
    def is_udp(self) -> Flags:
        """A whole UDP header was captured."""
        whole = self.transport_end - self.layers.transport_at >= 8
        flags: Flags = (self.protocol == UDP) & (self.layers.transport_at >= 0) & whole
        return flags

    @cached_property
    def is_tcp(self) -> Flags:
        """A whole TCP header (without options) was captured."""
        whole = self.transport_end - self.layers.transport_at >= 20
        flags: Flags = (self.protocol == TCP) & (self.layers.transport_at >= 0) & whole
        return flags

    @cached_property
    def payload_at(self) -> Ints:
        """Where the payload of UDP or TCP begins; -1 where there is neither."""
        header = np.where(self.is_udp, 8, self._tcp_header)
        return np.where(self.is_udp | self.is_tcp, self._transport_at + header, -1)

    @cached_property
    def payload_octets(self) -> Ints:
        """How long the payload of UDP or TCP was on the wire; -1 where there is neither.

        Of the first of several fragments: the payload in that fragment.
        """
        header = np.where(self.is_udp, 8, self._tcp_header)
        rest = np.maximum(self.layers.transport_octets - header, 0)
        stated = field16(self.transport_rows, 4) - 8
        # A stated length of 0 is that of a datagram beyond 65,535 octets (RFC 2675).
        udp = np.where((stated >= 0) & (stated < rest), stated, rest)
        return np.where(self.is_udp, udp, np.where(self.is_tcp, rest, -1))

    @cached_property
    def payload_captured(self) -> Ints:
        """How much of the payload was captured; -1 where there is none of UDP or TCP."""
        there = np.maximum(self.transport_end - self.payload_at, 0)
        return np.where(self.payload_at >= 0, np.minimum(there, self.payload_octets), -1)

    @cached_property
    def tcp_flags(self) -> Ints:
        """CWR, ECE, URG, ACK, PSH, RST, SYN, FIN from the high bit down; -1 without TCP."""
        return np.where(self.is_tcp, self.transport_rows[:, 13].astype(np.int64), -1)

    @cached_property
    def tcp_sequence(self) -> Ints:
        return np.where(self.is_tcp, field32(self.transport_rows, 4), -1)

    @cached_property
    def tcp_window(self) -> Ints:
        """As it stands in the header, not scaled."""
        return np.where(self.is_tcp, field16(self.transport_rows, 14), -1)

    @cached_property
    def flow(self) -> Keys:
        """A key of addresses, ports and protocol in this direction; 0 without IP."""
        ports = (self.source_port & 0xFFFF) << 16 | self.destination_port & 0xFFFF
        key = mixed(self.source, self.destination, ports << 8 | self.protocol & 0xFF)
        return np.where(self.ip_version > 0, key, np.uint64(0))

    # One at a time

    def rows(self, mask: Flags) -> list[int]:
        """The numbers of the rows where `mask` holds."""
        found: list[int] = np.flatnonzero(mask).tolist()
        return found

    def source_text(self, row: int) -> str:
        """The address as text; empty without IP."""
        return self._text(row, 12, 8)

    def destination_text(self, row: int) -> str:
        return self._text(row, 16, 24)

    def octets_of(self, row: int, at: int, most: int = 65_535) -> bytes:
        """The captured octets of a row from offset `at` on, at most `most` of them."""
        end = int(self.frame_at[row] + self.captured[row])
        return self.octets[at : min(end, at + most)].tobytes() if at >= 0 else b""

    def payload(self, row: int) -> bytes:
        """The captured payload of UDP or TCP; empty where there is none."""
        at = int(self.payload_at[row])
        return self.octets_of(row, at, int(self.payload_captured[row])) if at >= 0 else b""

    def packet(self, row: int) -> Packet:
        """One row as a value; a protocol without ports has 0 for both."""
        return Packet(
            number=int(self.number[row]),
            time_ns=int(self.time_ns[row]),
            source=self.source_text(row),
            source_port=max(int(self.source_port[row]), 0),
            destination=self.destination_text(row),
            destination_port=max(int(self.destination_port[row]), 0),
            protocol=int(self.protocol[row]),
            payload=self.payload(row),
            payload_octets=max(int(self.payload_octets[row]), 0),
            vlan=int(self.vlan[row]),
            dscp=max(int(self.dscp[row]), 0),
            row=row,
        )

    def messages(self, mask: Flags, wanted: Callable[[Packet], bool]) -> Iterator[Packet]:
        """Whole messages in the order of the timeline: rows of `mask`, and `wanted` joined ones.

        Fragments are left out of `mask`: a datagram comes once, when its last fragment has.
        """
        joined = iter(sorted(filter(wanted, self.reassembled), key=lambda packet: packet.number))
        following = next(joined, None)
        for row in self.rows(mask & (self.fragment == FRAGMENT_NONE)):
            while following is not None and following.number < self.number[row]:
                yield following
                following = next(joined, None)
            yield self.packet(row)
        while following is not None:
            yield following
            following = next(joined, None)

    # Shared parts; an offset that is not there reads the buffer's first octets and is masked.

    @cached_property
    def _ethernet_rows(self) -> Octets:
        return rows_at(self.octets, np.maximum(self.layers.ethernet_at, 0))

    @cached_property
    def _transport_at(self) -> Ints:
        return np.maximum(self.layers.transport_at, 0)

    @cached_property
    def network_rows(self) -> Octets:
        """The first 48 octets from each `network_at` on; of no use where that is -1."""
        return rows_at(self.octets, np.maximum(self.layers.network_at, 0))

    @cached_property
    def transport_rows(self) -> Octets:
        """The first 48 octets from each `transport_at` on; of no use where that is -1."""
        return rows_at(self.octets, self._transport_at)

    @cached_property
    def _tcp_header(self) -> Ints:
        """Octets; what is shorter than 20 or longer than the packet is held to its bounds."""
        stated = (self.transport_rows[:, 12] >> 4).astype(np.int64) * 4
        octets: Ints = np.minimum(
            np.maximum(stated, 20), np.maximum(self.layers.transport_octets, 20)
        )
        return octets

    @staticmethod
    def _where(mask: Flags, column: Keys) -> Keys:
        return np.where(mask, column, np.uint64(0))

    def _address(self, at4: int, at6: int) -> Keys:
        header = self.network_rows
        key = self._where(self.ip_version == 4, field32(header, at4).astype(np.uint64))
        six = np.flatnonzero(self.ip_version == 6)
        if len(six):
            high, low = header[six, at6 : at6 + 16].view(">u8").astype(np.uint64).T
            # The top bit tells the key of an IPv6 address from an IPv4 address.
            six_key = mixed(high, low)
            key[six] = six_key | np.uint64(1 << 63)
        return key

    def _text(self, row: int, at4: int, at6: int) -> str:
        at = int(self.layers.network_at[row])
        version = int(self.ip_version[row])
        if version == 4:
            return str(IPv4Address(self.octets[at + at4 : at + at4 + 4].tobytes()))
        if version == 6:
            return str(IPv6Address(self.octets[at + at6 : at + at6 + 16].tobytes()))
        return ""


__all__ = [
    "FRAGMENT_LATER", "FRAGMENT_NONE", "SCTP", "TCP", "UDP", "Packet", "Packets",
]  # fmt: skip
