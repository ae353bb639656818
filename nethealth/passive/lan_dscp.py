"""Marks: how much of each class there is, and what wears the voice mark without being voice.

RFC 2474 for the field, RFC 3246 for EF. Voice is UDP that begins with the version of RTP or RTCP
(RFC 3550), or with a STUN message (RFC 8489 section 5), which prepares its way.
"""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Flags, Ints, u32
from nethealth.passive.layer_walk import FRAGMENT_LATER
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.passive.text import flow_text

UNITS: Units = {
    "dscp_packet_count": "packets",
    "dscp_octets": "octets",
    "ef_not_voice_packet_count": "packets",
    "ef_not_voice_octets": "octets",
    "ef_not_voice_flow_packet_count": "packets",
    "ef_not_voice_per_bin_max": "packets",
}
EF = 46
_CLASSES = 64
_FLOWS_SHOWN = 20
_STUN_COOKIE = 0x2112A442
_PORT_MIN = 1024
_RTP_MIN = 12


class DscpAnalysis:
    """Counts IP packets by class."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._packets = np.zeros(_CLASSES, np.int64)
        self._octets = np.zeros(_CLASSES, np.int64)
        self._wrong = self._wrong_octets = 0
        self._flows: Tallies[str] = Tallies()
        self._flow_octets: Tallies[str] = Tallies()
        self._series = Series(round(bin_s * 1e9))

    def feed(self, packets: Packets) -> None:
        if packets.known is not None:  # voice, whatever mark it wears
            self._count(
                packets.known.headers.dscp[packets.known.places],
                packets.known.counts,
                packets.known.wire_octets,
            )
        dscp = packets.dscp
        marked = dscp >= 0
        if not marked.any():
            return
        self._count(dscp[marked], None, packets.wire[marked])
        ef = (dscp == EF) & (packets.fragment != FRAGMENT_LATER)
        ef &= packets.has_ports
        if not ef.any():
            return
        rows = np.flatnonzero(ef & ~_voice(packets, ef))
        self._wrong += len(rows)
        self._wrong_octets += int(packets.wire[rows].sum())
        self._series.add_all(packets.time_ns[rows])
        if len(rows):
            _, first, inverse, counts = np.unique(
                packets.flow[rows], return_index=True, return_inverse=True, return_counts=True
            )
            sizes = np.bincount(inverse, packets.wire[rows]).astype(np.int64)
            for place, count, size in zip(
                rows[first].tolist(), counts.tolist(), sizes.tolist(), strict=True
            ):
                flow = flow_text(packets, place)
                self._flows.add(flow, count)
                self._flow_octets.add(flow, size)

    def _count(self, dscp: Ints, packets: Ints | None, octets: Ints) -> None:
        counts = np.bincount(dscp, packets, minlength=_CLASSES)
        self._packets += counts.astype(np.int64)
        self._octets += np.bincount(dscp, octets, minlength=_CLASSES).astype(np.int64)

    def finish(self) -> Iterator[Fact]:
        for dscp in np.flatnonzero(self._packets).tolist():
            method = {"dscp": dscp}
            yield Fact("dscp_packet_count", int(self._packets[dscp]), method=method)
            yield Fact("dscp_octets", int(self._octets[dscp]), method=method)
        if not self._packets[EF]:
            return
        total = int(self._packets[EF])
        yield Fact("ef_not_voice_packet_count", self._wrong, samples=total)
        yield Fact(
            "ef_not_voice_octets",
            self._wrong_octets,
            samples=self._wrong,
            method={"octets_of_class": int(self._octets[EF])},
        )
        top, others = self._flows.top(_FLOWS_SHOWN)
        for flow, count in top:
            yield Fact(
                "ef_not_voice_flow_packet_count",
                count,
                method={
                    "flow": flow,
                    "octets": self._flow_octets.counts[flow],
                    "packets_of_flows_not_shown": others,
                },
            )
        yield from self._series.facts("ef_not_voice_per_bin_max")


def _voice(packets: Packets, among: Flags) -> Flags:
    """Which rows of `among` look like media or what prepares it."""
    mask: Flags = np.zeros(len(packets), np.bool_)
    rows = np.flatnonzero(among & packets.is_udp & (packets.payload_captured >= _RTP_MIN))
    ports = np.minimum(packets.source_port[rows], packets.destination_port[rows])
    rows = rows[ports >= _PORT_MIN]
    at = packets.payload_at[rows]
    media = (packets.octets[at] & 0xC0) == 0x80
    stun = u32(packets.octets, at + 4) == _STUN_COOKIE
    mask[rows[media | stun]] = True
    return mask
