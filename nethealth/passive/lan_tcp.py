"""TCP: data sent again, and receivers that close their window.

RFC 9293 sections 3.4 and 3.8. Each direction of a connection is followed by the octets it has
shown. A segment that brings octets from before was sent again, unless it is a copy: a mirror port
shows frames twice, and a router between two mirrored VLANs shows the same segment in each. A copy
has the same IP identification and checksum as the segment it copies, and comes at once. A segment
that fills a gap was either overtaken on its way, or lost before this point and sent again: the
sender's identifications tell which, as they grow. Where they say nothing, it was overtaken if it
comes within 3 ms of what overtook it, tshark's rule where it knows no round trip.
"""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Ints
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.passive.tcp_copies import Copies, identification
from nethealth.passive.tcp_flows import FlowTable
from nethealth.passive.tcp_holes import Holes, sent_after
from nethealth.passive.tcp_progress import Progress, Segments, progress_of
from nethealth.passive.tcp_windows import Windows
from nethealth.passive.text import flow_text

UNITS: Units = {
    "tcp_data_segment_count": "packets",
    "tcp_data_segment_per_bin_max": "packets",
    "tcp_retransmission_count": "packets",
    "tcp_retransmission_per_bin_max": "packets",
    "tcp_retransmission_flow_count": "packets",
    "tcp_mirror_copy_count": "packets",
    "tcp_out_of_order_count": "packets",
    "tcp_syn_retransmission_count": "packets",
    "tcp_reset_count": "packets",
    "tcp_zero_window_count": "packets",
    "tcp_zero_window_episode_count": "episodes",
    "tcp_zero_window_max_s": "s",
}
_FIN, _SYN, _RST = 0x01, 0x02, 0x04
_FLOWS_SHOWN = 20


class TcpAnalysis:
    """One table for all connections; rows that need more than arithmetic are few."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        bin_ns = round(bin_s * 1e9)
        self._table = FlowTable()
        self._holes = Holes()
        self._copies = Copies()
        self._windows = Windows()
        self._segments = Series(bin_ns)
        self._again = Series(bin_ns)
        self._flows: Tallies[str] = Tallies()
        self._data = self._retransmitted = self._overtaken = 0
        self._copied = self._syns = self._resets = 0

    def feed(self, packets: Packets) -> None:
        tcp = np.flatnonzero(packets.is_tcp)
        if not len(tcp):
            return
        flags = packets.tcp_flags[tcp].astype(np.uint8)
        octets = packets.payload_octets[tcp]
        self._resets += int(np.count_nonzero(flags & _RST))
        self._windows.feed(packets, tcp, flags)
        one = ((flags & _SYN) != 0) | ((flags & (_FIN | _RST)) == _FIN)
        chosen = np.flatnonzero((octets > 0) | one)
        rows = tcp[chosen]
        if not len(rows):
            return
        flags, octets = flags[chosen], octets[chosen]
        data = rows[octets > 0]
        self._data += len(data)
        self._segments.add_all(packets.time_ns[data])
        syn = (flags & _SYN) != 0
        fin = (flags & (_FIN | _RST)) == _FIN
        segments = Segments(
            rows,
            packets.flow[rows],
            packets.tcp_sequence[rows],
            octets + syn + fin,
            syn,
            packets.time_ns[rows],
            identification(packets, rows),
        )
        progress = progress_of(self._table, segments)
        self._judge(packets, progress)

    def _judge(self, packets: Packets, progress: Progress) -> None:
        behind = ~progress.opens & (progress.begin < progress.before)
        ahead = ~progress.opens & (progress.begin > progress.before)
        suspects = behind | progress.syn_again
        copied = self._copies.among(packets, progress, suspects)
        self._copied += int((copied & (packets.payload_octets[progress.rows] > 0)).sum())
        self._syns += int((progress.syn_again & ~copied).sum())
        self._sort_out(packets, progress, np.flatnonzero((behind & ~copied) | ahead))

    def _sort_out(self, packets: Packets, progress: Progress, places: Ints) -> None:
        """Segments out of the order of their octets, one by one."""
        rows = progress.rows[places]
        high_ns, high_id = progress.high(places)
        late_ns = packets.time_ns[rows] - high_ns
        after = sent_after(identification(packets, rows), high_id)
        again: list[int] = []
        for row, flow, base, begin, end, before, late, sent, data in zip(
            rows.tolist(),
            progress.flow[places].tolist(),
            progress.base[places].tolist(),
            progress.begin[places].tolist(),
            progress.end[places].tolist(),
            progress.before[places].tolist(),
            late_ns.tolist(),
            after.tolist(),
            packets.payload_octets[rows].tolist(),
            strict=True,
        ):
            if begin > before:
                self._holes.open(flow, base, before, begin)
            elif data > 0:
                kind = self._holes.fill(flow, base, begin, end, before, late, sent)
                if kind == "retransmission":
                    again.append(row)
                self._overtaken += kind == "overtaken"
        self._count(packets, np.array(sorted(again), np.int64))

    def _count(self, packets: Packets, rows: Ints) -> None:
        self._retransmitted += len(rows)
        if not len(rows):
            return
        self._again.add_all(packets.time_ns[rows])
        _, first, counts = np.unique(packets.flow[rows], return_index=True, return_counts=True)
        for place, count in zip(rows[first].tolist(), counts.tolist(), strict=True):
            self._flows.add(flow_text(packets, place), count)

    def finish(self) -> Iterator[Fact]:
        yield Fact("tcp_data_segment_count", self._data)
        yield Fact(
            "tcp_retransmission_count",
            self._retransmitted,
            samples=self._data,
            method={"copies_left_out": self._copied, "flows_forgotten": self._table.forgotten},
        )
        yield Fact("tcp_mirror_copy_count", self._copied, samples=self._data)
        yield Fact("tcp_out_of_order_count", self._overtaken, samples=self._data)
        yield Fact("tcp_syn_retransmission_count", self._syns)
        yield Fact("tcp_reset_count", self._resets)
        yield from self._windows.facts()
        top, others = self._flows.top(_FLOWS_SHOWN)
        for flow, count in top:
            yield Fact(
                "tcp_retransmission_flow_count",
                count,
                method={"flow": flow, "other_flows_packets": others},
            )
        yield from self._segments.facts("tcp_data_segment_per_bin_max")
        yield from self._again.facts("tcp_retransmission_per_bin_max")
