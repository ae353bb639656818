"""Multicast: what is sent to which group, who joined it, and whether anybody asks who did.

Without a querier, switches forget the members and flood (RFC 4541 section 2). Groups of 224.0.0.x
are flooded by rule and have no members (RFC 4541 section 2.1.2).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise

import numpy as np

from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Fact, Units
from nethealth.passive.packets import FRAGMENT_NONE, UDP, Packets
from nethealth.passive.series import BIN_S, KEYS_MAX, Series, Tallies
from nethealth.wire import igmp
from nethealth.wire.errors import WireError

UNITS: Units = {
    "igmp_message_count": "packets",
    "igmp_querier_count": "devices",
    "multicast_group_packet_count": "packets",
    "multicast_group_per_bin_max": "packets",
}
_FIRST, _LAST = np.uint64(0xE0000000), np.uint64(0xEFFFFFFF)
_LINK_LOCAL = range(0xE0000000, 0xE0000100)
_GROUPS_SHOWN = 20
_MEMBERS_MAX = 4096
_SOURCES_SHOWN = 8


@dataclass(slots=True)
class _Group:
    packets: int = 0
    octets: int = 0
    rtp: int = 0
    sources: Counter[int] = field(default_factory=Counter)
    series: Series | None = None


class MulticastAnalysis:
    """Groups of IPv4; a member is an address that reported, and did not leave after."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._bin_ns = round(bin_s * 1e9)
        self._groups: dict[int, _Group] = {}
        self._members: dict[str, set[str]] = {}
        self._messages: Tallies[str] = Tallies()
        self._queriers: Tallies[tuple[str, int]] = Tallies()

    def feed(self, packets: Packets) -> None:
        self._igmp(packets)
        to_group = (packets.destination >= _FIRST) & (packets.destination <= _LAST)
        rows = np.flatnonzero(to_group & (packets.protocol == UDP))
        if not len(rows):
            return
        rtp = np.zeros(len(rows), np.int64)
        long = packets.payload_captured[rows] >= 12
        rtp[long] = (packets.octets[packets.payload_at[rows[long]]] & 0xC0) == 0x80
        order = np.lexsort((packets.source[rows], packets.destination[rows]))
        rows, rtp = rows[order], rtp[order]
        source, destination = packets.source[rows], packets.destination[rows]
        # One stretch for each source of each group.
        same = (source[1:] == source[:-1]) & (destination[1:] == destination[:-1])
        starts = np.flatnonzero(np.r_[True, ~same])
        ends = np.r_[starts[1:], len(rows)].tolist()
        octets = np.add.reduceat(packets.wire[rows], starts).tolist()
        rtp_packets = np.add.reduceat(rtp, starts).tolist()
        for place, begin in enumerate(starts.tolist()):
            group = self._group(int(destination[begin]))
            if group is None:
                continue
            group.packets += ends[place] - begin
            group.octets += octets[place]
            group.rtp += rtp_packets[place]
            sender = int(source[begin])
            if sender in group.sources or len(group.sources) < _MEMBERS_MAX:
                group.sources[sender] += ends[place] - begin

        group_starts = np.flatnonzero(np.r_[True, destination[1:] != destination[:-1]])
        for begin, end in pairwise([*group_starts.tolist(), len(rows)]):
            group = self._groups.get(int(destination[begin]))
            if group is not None and group.series is not None:
                group.series.add_all(packets.time_ns[rows[begin:end]])

    def _group(self, value: int) -> _Group | None:
        group = self._groups.get(value)
        if group is None and len(self._groups) < KEYS_MAX:
            series = None if value in _LINK_LOCAL else Series(self._bin_ns)
            group = self._groups[value] = _Group(series=series)
        return group

    def _igmp(self, packets: Packets) -> None:
        mask = (packets.protocol == igmp.IP_PROTOCOL) & (packets.transport_at >= 0)
        for row in packets.rows(mask & (packets.fragment == FRAGMENT_NONE)):
            at, most = int(packets.transport_at[row]), int(packets.transport_octets[row])
            try:
                message = igmp.parse(packets.octets_of(row, at, most))
            except WireError:
                continue
            self._messages.add(message.kind)
            host = packets.source_text(row)
            if message.kind == "query":
                self._queriers.add((host, int(packets.vlan[row])))
            for group in message.groups if message.kind != "query" else ():
                members = self._members.get(group)
                if members is None and len(self._members) < KEYS_MAX:
                    members = self._members[group] = set()
                if members is not None and len(members) < _MEMBERS_MAX:
                    members.add(host)
            for group in message.left:
                self._members.get(group, set()).discard(host)

    def finish(self) -> Iterator[Fact]:
        for kind in sorted(self._messages.counts):
            yield Fact(
                "igmp_message_count", self._messages.counts[kind], method={"message_type": kind}
            )
        if self._messages.total or self._groups:
            top, _ = self._queriers.top(_GROUPS_SHOWN)
            yield Fact(
                "igmp_querier_count",
                len(self._queriers.counts),
                method={
                    "queriers": [host for (host, _), _ in top],
                    "vlans": [None if vlan < 0 else vlan for (_, vlan), _ in top],
                },
            )
        ranked = sorted(self._groups.items(), key=lambda each: (-each[1].packets, each[0]))
        for value, group in ranked[:_GROUPS_SHOWN]:
            address = str(IPv4Address(value))
            members = self._members.get(address, set())
            top_sources = sorted(group.sources.items(), key=lambda each: (-each[1], each[0]))
            method: dict[str, Scalar | Sequence[Scalar]] = {
                "group": address,
                "flooded_by_rule": value in _LINK_LOCAL,
                "octets": group.octets,
                "rtp_packets": group.rtp,
                "sources": len(group.sources),
                "source_addresses": [
                    str(IPv4Address(each)) for each, _ in top_sources[:_SOURCES_SHOWN]
                ],
                "source_packets": [count for _, count in top_sources[:_SOURCES_SHOWN]],
                "members": len(members),
                "groups": len(ranked),
            }
            yield Fact("multicast_group_packet_count", group.packets, method=method)
            if group.series is not None:
                yield from group.series.facts("multicast_group_per_bin_max", {"group": address})
