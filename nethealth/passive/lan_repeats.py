"""The same frame again and again: what a loop looks like, whoever made it.

A frame in a loop keeps all its octets, the IP identification among them, while whatever is sent
anew has another. Only broadcast and multicast frames are compared, since those a loop multiplies.
Two equal frames within WINDOW_NS are a repeat. A mirror port that shows frames twice makes runs of
two; a loop makes runs of many: the longest run tells them apart.
"""

from collections.abc import Iterator

import numpy as np

from nethealth.passive.analysis import Fact, Units
from nethealth.passive.columns import Ints, Keys, mixed, rows_at
from nethealth.passive.lan_frames import is_group
from nethealth.passive.packets import Packets
from nethealth.passive.series import BIN_S, Series, Tallies
from nethealth.passive.text import mac_text

UNITS: Units = {
    "frame_repeat_count": "packets",
    "frame_repeat_per_bin_max": "packets",
    "frame_repeat_run_max_packets": "packets",
    "frame_repeat_source_count": "packets",
}
WINDOW_NS = 250_000_000
_WORDS = 8  # of eight octets: the first 64 are compared, and the length
_CARRIED_MAX = 65_536
_SHOWN = 20


class RepeatsAnalysis:
    """Equal frames are known by a key of their octets; runs go on from run to run of packets."""

    def __init__(self, *, bin_s: float = BIN_S) -> None:
        self._keys: Keys = np.zeros(0, np.uint64)
        self._times: Ints = np.zeros(0, np.int64)
        self._lengths: Ints = np.zeros(0, np.int64)
        self._compared = self._repeats = self._longest = 0
        self._longest_ns: int | None = None
        self._longest_mac: str | None = None
        self._series = Series(round(bin_s * 1e9))
        self._sources: Tallies[int] = Tallies()
        self._runs: dict[int, int] = {}  # source -> its longest run

    def feed(self, packets: Packets) -> None:
        rows = np.flatnonzero(packets.has_ethernet & is_group(packets.ethernet_destination))
        if not len(rows):
            return
        self._compared += len(rows)
        keys = np.concatenate((self._keys, _keys(packets, rows)))
        times = np.concatenate((self._times, packets.time_ns[rows]))
        before = np.concatenate((self._lengths, np.zeros(len(rows), np.int64)))
        order = np.lexsort((np.arange(len(keys)), keys))
        keys, times, before = keys[order], times[order], before[order]
        goes_on = np.zeros(len(keys), np.bool_)
        gap = times[1:] - times[:-1]
        goes_on[1:] = (keys[1:] == keys[:-1]) & (gap >= 0) & (gap < WINDOW_NS)
        starts = np.flatnonzero(~goes_on)
        run = np.cumsum(~goes_on) - 1
        # A carried entry stands for as many frames as its run had; it is the first of its key.
        length = np.arange(len(keys)) - starts[run] + np.maximum(before[starts], 1)[run]
        carried = order < len(self._keys)
        repeat = goes_on & ~carried
        self._note(packets, rows, order[repeat] - len(self._keys), length[repeat])
        ends = np.r_[starts[1:], len(keys)] - 1
        self._carry(keys[ends], times[ends], length[ends], int(packets.time_ns[-1]))

    def _note(self, packets: Packets, rows: Ints, places: Ints, lengths: Ints) -> None:
        if not len(places):
            return
        self._repeats += len(places)
        found = rows[places]
        self._series.add_all(packets.time_ns[found])
        sources = packets.ethernet_source[found]
        values, inverse = np.unique(sources, return_inverse=True)
        counts = np.bincount(inverse)
        longest = np.zeros(len(values), np.int64)
        np.maximum.at(longest, inverse, lengths)
        for source, count, most in zip(
            values.tolist(), counts.tolist(), longest.tolist(), strict=True
        ):
            self._sources.add(source, count)
            if source in self._sources.counts:
                self._runs[source] = max(self._runs.get(source, 0), most)
        top = int(np.lexsort((found, -lengths))[0])  # of equal runs the one that came first
        if int(lengths[top]) > self._longest:
            self._longest = int(lengths[top])
            self._longest_ns = int(packets.time_ns[found[top]])
            self._longest_mac = mac_text(int(sources[top]))

    def _carry(self, keys: Keys, times: Ints, lengths: Ints, now_ns: int) -> None:
        kept = np.flatnonzero(times > now_ns - WINDOW_NS)
        if len(kept) > _CARRIED_MAX:
            kept = kept[np.argsort(times[kept], kind="stable")[-_CARRIED_MAX:]]
        self._keys, self._times, self._lengths = keys[kept], times[kept], lengths[kept]

    def finish(self) -> Iterator[Fact]:
        if not self._compared:
            return
        yield Fact(
            "frame_repeat_count",
            self._repeats,
            samples=self._compared,
            method={"window_s": WINDOW_NS / 1e9},
        )
        yield Fact(
            "frame_repeat_run_max_packets",
            max(self._longest, 1),
            samples=self._compared,
            method={"mac": self._longest_mac, "window_s": WINDOW_NS / 1e9},
            time_ns=self._longest_ns,
        )
        top, others = self._sources.top(_SHOWN)
        for source, count in top:
            yield Fact(
                "frame_repeat_source_count",
                count,
                method={
                    "mac": mac_text(source),
                    "longest_run": self._runs[source],
                    "sources": len(self._sources.counts),
                    "packets_of_sources_not_shown": others,
                },
            )
        yield from self._series.facts("frame_repeat_per_bin_max")


def _keys(packets: Packets, rows: Ints) -> Keys:
    at = packets.frame_at[rows]
    captured = packets.captured[rows]
    octets = rows_at(packets.octets, at, 8 * _WORDS).view(">u8")
    words = [
        np.where(captured >= 8 * (word + 1), octets[:, word].astype(np.uint64), np.uint64(0))
        for word in range(_WORDS)
    ]
    return mixed(packets.wire[rows], *words)
