"""Broadcast, multicast and unicast frames: how many, from whom, when; and unicast to nobody.

A switch sends a unicast frame to every port while it does not know where the destination is. Such
a destination is one that says nothing itself: frames to MAC addresses that never speak in the
whole capture. On a port that mirrors one direction only, all destinations look like that; the
number of silent and of speaking addresses is given so that this can be seen.
"""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Flags, Ints, Keys
from nethealth.passive.key_counts import KeyCounts
from nethealth.passive.known_rows import KnownRows
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series
from nethealth.passive.text import mac_text

UNITS: Units = {
    "link_packet_count": "packets",
    "link_packet_per_bin_max": "packets",
    "broadcast_per_bin_max": "packets",
    "broadcast_packets_per_s_max": "1/s",
    "broadcast_source_packet_count": "packets",
    "multicast_per_bin_max": "packets",
    "multicast_packets_per_s_max": "1/s",
    "link_speaker_count": "devices",
    "unknown_unicast_packet_count": "packets",
    "unknown_unicast_destination_packet_count": "packets",
}
_BROADCAST = np.uint64(0xFFFFFFFFFFFF)
_GROUP_BIT = np.uint64(1 << 40)
_SECOND_NS = 1_000_000_000
_SHOWN = 10


class FramesAnalysis:
    """Counts Ethernet frames by the kind of their destination."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        bin_ns = round(bin_s * 1e9)
        self._counts = {"unicast": 0, "multicast": 0, "broadcast": 0}
        self._octets = dict.fromkeys(self._counts, 0)
        self._all = Series(bin_ns)
        self._broadcast, self._multicast = Series(bin_ns), Series(bin_ns)
        self._broadcast_s, self._multicast_s = Series(_SECOND_NS), Series(_SECOND_NS)
        self._broadcasters = KeyCounts()
        self._speakers = KeyCounts()
        self._spoken_to = KeyCounts()

    def feed(self, packets: Packets) -> None:
        self._all.add_all(packets.time_ns)
        if packets.known is not None:
            self._known(packets.known)
        ethernet = packets.has_ethernet
        if not ethernet.any():
            return
        source, destination = packets.ethernet_source, packets.ethernet_destination
        self._speakers.add(source)
        broadcast = ethernet & (destination == _BROADCAST)
        group = ethernet & ((destination & _GROUP_BIT) != 0)
        unicast = ethernet & ~group
        self._spoken_to.add(destination[unicast])
        for kind, mask in (
            ("unicast", unicast),
            ("multicast", group & ~broadcast),
            ("broadcast", broadcast),
        ):
            self._counts[kind] += int(mask.sum())
            self._octets[kind] += int(packets.wire[mask].sum())
        self._many(packets, np.flatnonzero(broadcast), self._broadcast, self._broadcast_s)
        self._many(packets, np.flatnonzero(group & ~broadcast), self._multicast, self._multicast_s)
        self._broadcasters.add(source[broadcast])

    def _known(self, known: KnownRows) -> None:
        """Unicast, all of it."""
        self._all.add_all(known.time_ns)
        self._counts["unicast"] += len(known)
        self._octets["unicast"] += int(known.wire.sum())
        self._speakers.add(known.headers.ethernet_source[known.places], known.counts)
        self._spoken_to.add(known.headers.ethernet_destination[known.places], known.counts)

    @staticmethod
    def _many(packets: Packets, rows: Ints, long: Series, short: Series) -> None:
        long.add_all(packets.time_ns[rows])
        short.add_all(packets.time_ns[rows])

    def finish(self) -> Iterator[Fact]:
        yield from self._all.facts("link_packet_per_bin_max")
        if not len(self._speakers):
            return
        for kind, count in self._counts.items():
            yield Fact(
                "link_packet_count", count, method={"kind": kind, "octets": self._octets[kind]}
            )
        yield from self._broadcast.facts("broadcast_per_bin_max")
        yield from self._multicast.facts("multicast_per_bin_max")
        yield Fact("broadcast_packets_per_s_max", self._broadcast_s.highest())
        yield Fact("multicast_packets_per_s_max", self._multicast_s.highest())
        sources = self._broadcasters.items()
        for mac, count in sources[:_SHOWN]:
            yield Fact(
                "broadcast_source_packet_count",
                count,
                method={
                    "mac": mac_text(mac),
                    "sources": len(sources),
                    "packets_of_all": self._counts["broadcast"],
                },
            )
        yield Fact("link_speaker_count", len(self._speakers))
        yield from self._unknown()

    def _unknown(self) -> Iterator[Fact]:
        spoken_to = self._spoken_to.items()
        silent = [(mac, count) for mac, count in spoken_to if mac not in self._speakers]
        yield Fact(
            "unknown_unicast_packet_count",
            sum(count for _, count in silent),
            samples=self._counts["unicast"],
            method={"silent_destinations": len(silent), "destinations": len(spoken_to)},
        )
        for mac, count in silent[:_SHOWN]:
            yield Fact(
                "unknown_unicast_destination_packet_count", count, method={"mac": mac_text(mac)}
            )


def is_group(macs: Keys) -> Flags:
    """Broadcast or multicast, by the address's group bit."""
    mask: Flags = (macs & _GROUP_BIT) != 0
    return mask
