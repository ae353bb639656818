"""Headers of packets whose streams are followed already: the rest of a call looks like them.

Such a packet is UDP in IPv4 in Ethernet, with one tag at most, and has to every octet that matters
the headers of one before it. No analysis can find anything in it but that it came, when, how long
it was, and its RTP sequence number and time stamp (RFC 3550 section 5.1). It is told from others by
one key, at a fraction of what all columns of all packets cost, and goes to none of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys, Octets, field16, field32, mixed, rows_at
from nethealth.passive.engine import Found
from nethealth.passive.grouping import KeyTable
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.layer_walk import IPV4_TYPE, TAG_TYPE
from nethealth.passive.packets import Packets

HEADERS_MAX = 65_536
_PORT_MIN = 1024  # below it analyses look at what a packet says, whatever it looks like
_GROUPS_FROM = 0xE0000000  # addresses of multicast, and what is kept for other uses
_ETHERNET, _TAG, _IP, _UDP, _RTP = 14, 4, 20, 8, 12
_HEADERS = _IP + _UDP + _RTP
ENDS_MOST = 4  # rows of a run stay although they are known
_WORTH = 16  # one row in so many at least, or a run stays as it is


def _mask(**octets: int) -> np.uint64:
    """Of eight octets, the first the lowest: `o4=0xFF` is all of the fifth."""
    number = bytes(octets.get(f"o{place}", 0) for place in range(8))
    return np.uint64(int.from_bytes(number, "little"))


BEFORE_IP = _mask(o0=0xFF, o1=0xFF, o2=0xFF, o3=0xFF, o4=0xFF, o5=0xFF)
# By words of eight octets from the IP header on: version, class, flags and offset of fragments;
WORD_0 = _mask(o0=0xFF, o1=0xFF, o6=0x3F, o7=0xFF)
# protocol and source; then come destination and ports;
WORD_1 = _mask(o1=0xFF, o4=0xFF, o5=0xFF, o6=0xFF, o7=0xFF)
# of RTP all but padding, marker, numbers; and the SSRC.
WORD_3 = _mask(o4=0xDF, o5=0x7F)
WORD_4 = _mask(o4=0xFF, o5=0xFF, o6=0xFF, o7=0xFF)
_TWO_OCTETS = np.uint64(16)
_Column = TypeVar("_Column", Ints, Keys, Octets)


@dataclass(frozen=True, eq=False, slots=True)
class _Look:
    """What is seen at a glance. `sound`: lengths add up, and all of the headers was captured."""

    key: Keys
    sound: Flags
    network_at: Ints
    ip: Octets  # 48 octets from the IP header on


class KnownHeaders:
    """A table that only grows, by whole new columns: one thread may look up while another adds.

    Columns by place: the keys of MAC addresses, VLAN (-1 without a tag), DSCP, payload type, the
    key of the stream, the IP header, both ports and the SSRC.
    """

    def __init__(self, apart: Iterable[int] = ()) -> None:
        """`apart`: ports whose packets somebody reads, whatever they look like."""
        self._apart = np.zeros(65_536, np.bool_)
        self._apart[:_PORT_MIN] = True
        self._apart[list(apart)] = True
        self._table = KeyTable()
        self.ethernet_source = self.ethernet_destination = np.zeros(0, np.uint64)
        self.stream_key = np.zeros(0, np.uint64)
        self.vlan = self.dscp = self.payload_type = self.ssrc = np.zeros(0, np.int64)
        self.ip = np.zeros((0, 40), np.uint8)
        self.ports = np.zeros((0, 2), np.int64)

    def __len__(self) -> int:
        return len(self._table)

    def split(self, packets: Packets) -> Packets:
        """The same run, with the packets that are known taken out of its rows.

        The first, the last, the earliest and the latest stay, so that a run begins and ends as it
        did.
        """
        if not len(self) or len(packets) < _WORTH:
            return packets
        if packets.engine is None:
            found = self._find(packets)
        else:
            found = packets.engine.known(
                packets.octets, packets.frame_at, packets.captured, packets.wire, packets.time_ns,
                packets.link_type, *self._table.parts(),
            )  # fmt: skip
        rows, others, places, sequence_timestamp, second, octets = found
        if len(rows) * _WORTH < len(packets):
            return packets
        return replace(
            packets,
            frame_at=packets.frame_at[others],
            captured=packets.captured[others],
            wire=packets.wire[others],
            time_ns=packets.time_ns[others],
            number=packets.number[others],
            interface=packets.interface[others],
            link_type=packets.link_type[others],
            known=KnownRows(
                headers=self,
                place=places,
                number=packets.number[rows],
                time_ns=packets.time_ns[rows],
                wire=packets.wire[rows],
                sequence_timestamp=sequence_timestamp,
                second=second,
                octets=octets,
            ),
        )

    def _find(self, packets: Packets) -> Found:
        """As `Engine.known` says."""
        look = _look(packets)
        place = self._table.find(look.key)
        known = look.sound & (place >= 0)
        ends = [0, -1, int(packets.time_ns.argmin()), int(packets.time_ns.argmax())]
        known[ends] = False
        rows = np.flatnonzero(known)
        ip = look.ip[rows]
        return (
            rows,
            np.flatnonzero(~known),
            place[rows],
            field16(ip, 30) << 32 | field32(ip, 32),
            ip[:, 29].astype(np.int64),
            field16(ip, 24) - _UDP - _RTP,
        )

    def learn(self, packets: Packets, rows: Ints, streams: Keys) -> None:
        """These rows belong to streams that are followed; what comes like them is known."""
        if len(self) >= HEADERS_MAX:
            return
        look = _look(packets, rows)
        source_port, destination_port = packets.source_port[rows], packets.destination_port[rows]
        fit = look.sound & (packets.network_at[rows] == look.network_at)
        fit &= (packets.ip_version[rows] == 4) & (packets.tunnel[rows] == 0)
        fit &= (packets.fragment[rows] == 0) & ~packets.malformed[rows]
        fit &= (packets.transport_at[rows] == look.network_at + _IP) & packets.is_udp[rows]
        fit &= ~(self._apart[source_port] | self._apart[destination_port])
        fit &= packets.destination[rows] < _GROUPS_FROM
        fit &= (packets.ethernet_destination[rows] >> np.uint64(40)) & np.uint64(1) == 0
        second = look.ip[:, 29] & 0x7F
        # No contributing sources, no extension; nor a type that with the marker is RTCP's.
        fit &= (look.ip[:, 28] & 0xDF == 0x80) & ((second < 64) | (second > 95))
        fit &= self._table.find(look.key) < 0
        places = np.flatnonzero(fit)
        if not len(places):
            return
        _, first = np.unique(look.key[places], return_index=True)
        places = places[np.sort(first)][: HEADERS_MAX - len(self)]
        rows = rows[places]
        table = self._table.copy()
        table.numbers(look.key[places])

        ports = np.stack([source_port[places], destination_port[places]], 1)
        self.ethernet_source = _joined(self.ethernet_source, packets.ethernet_source[rows])
        self.ethernet_destination = _joined(
            self.ethernet_destination, packets.ethernet_destination[rows]
        )
        self.stream_key = _joined(self.stream_key, streams[places])
        self.vlan = _joined(self.vlan, packets.vlan[rows])
        self.dscp = _joined(self.dscp, packets.dscp[rows])
        self.payload_type = _joined(self.payload_type, second[places].astype(np.int64))
        self.ssrc = _joined(self.ssrc, field32(look.ip[places], 36))
        self.ip = _joined(self.ip, packets.network_rows[rows, :40])
        self.ports = _joined(self.ports, ports)
        self._table = table  # last: a place that is found is there


def _joined(column: _Column, more: _Column) -> _Column:
    return np.concatenate([column, more])


def _look(packets: Packets, rows: Ints | None = None) -> _Look:
    """At all rows of a run, or some; only Ethernet is sound."""

    def chosen(column: Ints) -> Ints:
        return column if rows is None else column[rows]

    frame_at, captured, wire = map(chosen, (packets.frame_at, packets.captured, packets.wire))
    head = rows_at(packets.octets, frame_at)
    words = head.view("<u8")
    ethertype = field16(head, 12)
    tagged = ethertype == TAG_TYPE
    second, sound, network_at = words[:, 1], ethertype == IPV4_TYPE, frame_at + _ETHERNET
    if tagged.any():
        second = np.where(tagged, second, second & BEFORE_IP)
        sound = sound | (tagged & (field16(head, 16) == IPV4_TYPE))
        network_at = network_at + _TAG * tagged
    else:
        second = second & BEFORE_IP
    ip = rows_at(packets.octets, network_at)
    total, length = field16(ip, 2), field16(ip, 24)
    begin = network_at - frame_at
    sound = sound & (total - length == _IP) & (length >= _UDP + _RTP) & (begin + total <= wire)
    sound &= captured >= begin + _HEADERS
    sound &= chosen(packets.link_type) == 1
    word = ip.view("<u8")
    key = mixed(
        words[:, 0],
        second,
        word[:, 0] & WORD_0 | (word[:, 4] & WORD_4) >> _TWO_OCTETS,
        word[:, 1] & WORD_1 | (word[:, 3] & WORD_3) >> _TWO_OCTETS,
        word[:, 2],
    )
    return _Look(key, sound, network_at, ip)
