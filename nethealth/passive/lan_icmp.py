"""ICMP errors: which, how many, and whom they speak of."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import u8
from nethealth.passive.layer_walk import FRAGMENT_FIRST, FRAGMENT_LATER
from nethealth.passive.packets import Packet, Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.wire.icmp import ERRORS, IpVersion

UNITS: Units = {"icmp_error_count": "packets", "icmp_error_per_bin_max": "packets"}
_PROTOCOLS: tuple[tuple[IpVersion, int], ...] = ((4, 1), (6, 58))
_SENDERS_SHOWN = 10


class IcmpAnalysis:
    """Counts the errors of RFC 792 and 4443; a quoted error within one is no second one.

    Whole errors count. First fragments whose rest never came (some routers leave the flag of what
    they quote in their own header) stand in the passport.
    """

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._fragments: Counter[tuple[IpVersion, int]] = Counter()
        self._counts: dict[tuple[IpVersion, int], Tallies[str]] = {}
        self._bins = Series(round(bin_s * 1e9))

    def feed(self, packets: Packets) -> None:
        begins = (packets.transport_at >= 0) & (packets.fragment != FRAGMENT_LATER)
        begins &= packets.transport_at < packets.frame_end
        for version, protocol in _PROTOCOLS:
            rows = np.flatnonzero(begins & (packets.protocol == protocol))
            if not len(rows):
                continue
            kinds = u8(packets.octets, packets.transport_at[rows])
            for kind in sorted(ERRORS[version]):
                chosen = rows[kinds == kind]
                first = packets.fragment[chosen] == FRAGMENT_FIRST
                self._fragments[version, kind] += int(first.sum())
                chosen = chosen[~first]
                if not len(chosen):
                    continue
                tallies = self._counts.setdefault((version, kind), Tallies())
                values, places, counts = np.unique(
                    packets.source[chosen], return_index=True, return_counts=True
                )
                for index in range(len(values)):
                    sender = packets.source_text(int(chosen[places[index]]))
                    tallies.add(sender, int(counts[index]))
                self._bins.add_all(packets.time_ns[chosen])
        for packet in packets.reassembled:
            self._joined(packet)

    def _joined(self, packet: Packet) -> None:
        for version, protocol in _PROTOCOLS:
            kind = packet.payload[0] if packet.payload else -1
            if packet.protocol == protocol and kind in ERRORS[version]:
                self._counts.setdefault((version, kind), Tallies()).add(packet.source)
                self._fragments[version, kind] -= 1
                self._bins.add(packet.time_ns)

    def finish(self) -> Iterator[Fact]:
        for version, kind in sorted(self._counts):
            tallies = self._counts[version, kind]
            top, others = tallies.top(_SENDERS_SHOWN)
            yield Fact(
                "icmp_error_count",
                tallies.total,
                samples=tallies.total,
                method={
                    "icmp_type": kind,
                    "ip_version": version,
                    "senders": [sender for sender, _ in top],
                    "sender_packets": [count for _, count in top],
                    "other_senders_packets": others,
                    "first_fragments_alone": max(self._fragments[version, kind], 0),
                },
            )
        yield from self._bins.facts("icmp_error_per_bin_max")
