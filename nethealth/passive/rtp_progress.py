"""How far each RTP stream had come at the end of each bin of time, and so what was lost in each.

A lost packet is put into the bin in which the next one came: it has no time of its own.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.passive.columns import Flags, Ints

BIN_NS = 1_000_000_000
ENTRIES_MAX = 500_000  # of all streams; beyond, all bins become twice as wide
POINTS_MAX = 120  # of one stream's series in the record
_NOTED_MIN = 50_000
BIN_SHIFT = 36  # bins since 1970, of a second at least, take fewer bits


@dataclass(frozen=True, slots=True)
class LossSeries:
    """Of one stream, bin by bin without gaps between the first and the last one."""

    start_ns: int
    bin_ns: int
    expected: tuple[int, ...]
    lost: tuple[int, ...]


class Progress:
    """The highest sequence number that each stream had reached, by bin of arrival."""

    def __init__(self) -> None:
        self.bin_ns = BIN_NS
        self._key = np.zeros(0, np.int64)  # stream and bin, sorted, each once
        self._highest = np.zeros(0, np.int64)
        self._noted: list[tuple[Ints, Ints]] = []  # the same, not yet sorted in
        self._noted_count = 0
        self._most = ENTRIES_MAX  # of both before they are settled

    def note(self, stream: Ints, time_ns: Ints, extended: Ints) -> None:
        """Packets that went ahead of all before, sorted by stream and in the order of arrival."""
        if not len(stream):
            return
        keys = (stream << BIN_SHIFT) + time_ns // self.bin_ns
        last = np.append(np.flatnonzero(np.diff(keys)), len(keys) - 1)
        self.add(keys[last], extended[last])

    def add(self, keys: Ints, reached: Ints) -> None:
        """The highest number of a stream in a bin of `bin_ns`, by stream and bin, in any order."""
        self._noted.append((keys, reached))
        self._noted_count += len(keys)
        # Sorting them in with every run would cost more with every run.
        known = len(self._key)
        if (
            self._noted_count > max(_NOTED_MIN, known // 2)
            or known + self._noted_count > self._most
        ):
            self._settle()

    def rename(self, numbers: Ints) -> None:
        """Streams have new numbers; -1 for one that is forgotten."""
        self._settle()
        stream = self._key >> BIN_SHIFT
        kept: Flags = numbers[stream] >= 0
        moved = (numbers[stream] - stream) << BIN_SHIFT
        self._merge((self._key + moved)[kept], self._highest[kept])

    def series(self, stream: int, lowest: int, begin: Ints, length: Ints) -> LossSeries | None:
        """What a stream lost over time, by its sorted runs of loss; None if it was not noted.

        `lowest`: the first number that was to be expected of it.
        """
        self._settle()
        first, last = np.searchsorted(self._key, [stream << BIN_SHIFT,
                                                  (stream + 1) << BIN_SHIFT])  # fmt: skip
        if first == last:
            return None
        bins = self._key[first:last] - (stream << BIN_SHIFT)
        wide = 1
        while (int(bins[-1]) // wide - int(bins[0]) // wide) >= POINTS_MAX:
            wide *= 2
        place = bins // wide - int(bins[0]) // wide
        reached = np.full(int(place[-1]) + 1, lowest - 1)
        np.maximum.at(reached, place, self._highest[first:last])
        reached = np.maximum.accumulate(reached)
        expected = np.diff(reached, prepend=lowest - 1)
        lost = np.diff(_missing(reached, begin, length), prepend=0)
        return LossSeries(
            start_ns=int(bins[0]) // wide * wide * self.bin_ns,
            bin_ns=wide * self.bin_ns,
            expected=tuple(expected.tolist()),
            lost=tuple(lost.tolist()),
        )

    def _settle(self) -> None:
        """Sort in what was noted; widen the bins if there are too many."""
        if not self._noted:
            return
        keys, highest = zip((self._key, self._highest), *self._noted, strict=True)
        self._noted, self._noted_count = [], 0
        self._merge(np.concatenate(keys), np.concatenate(highest))
        while len(self._key) > ENTRIES_MAX:
            self.bin_ns *= 2
            streams = self._key >> BIN_SHIFT << BIN_SHIFT
            self._merge(streams + ((self._key - streams) >> 1), self._highest)
        self._most = max(ENTRIES_MAX, len(self._key) + _NOTED_MIN)

    def _merge(self, keys: Ints, highest: Ints) -> None:
        """Sort, and keep the highest number of each key."""
        order = np.argsort(keys, kind="stable")
        keys, highest = keys[order], highest[order]
        if len(keys):
            first = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
            keys, highest = keys[first], np.maximum.reduceat(highest, first)
        self._key, self._highest = keys, highest


def _missing(up_to: Ints, begin: Ints, length: Ints) -> Ints:
    """How many numbers up to each one, inclusive, lie in the runs."""
    if not len(begin):
        return np.zeros(len(up_to), np.int64)
    whole = np.searchsorted(begin, up_to, "right")
    before = np.concatenate([[0], np.cumsum(length)])
    run = np.maximum(whole - 1, 0)
    beyond = np.maximum(begin[run] + length[run] - 1 - up_to, 0)
    found: Ints = before[whole] - np.where(whole > 0, beyond, 0)
    return found
