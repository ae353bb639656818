"""Counts over time, as one fact a series, and counts by key; both bounded."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

import numpy as np

from nethealth.model.observation import Scalar
from nethealth.passive.analysis import Fact
from nethealth.passive.columns import Ints

BIN_S = 10.0
BINS_MAX = 10_000  # occupied ones; beyond, all bins become twice as wide
KEYS_MAX = 65_536

Key = TypeVar("Key", bound=Hashable)


class Series:
    """How many per bin of time. Empty bins take no place, so a clock that jumps does no harm."""

    def __init__(self, bin_ns: int) -> None:
        self.bin_ns = bin_ns
        self._counts: dict[int, int] = {}  # by whole bins since 1970

    def add(self, time_ns: int, count: int = 1) -> None:
        self._add(time_ns // self.bin_ns, count)

    def add_all(self, times_ns: Ints, weights: Ints | None = None) -> None:
        """One for each time, or as many as its weight says."""
        if not len(times_ns):
            return
        index = times_ns // self.bin_ns
        first = int(index.min())
        width = self.bin_ns
        if int(index.max()) - first < 4 * len(index) + 1024:
            counts = np.bincount(index - first, weights)
            found = np.flatnonzero(counts) + first
            counts = counts[found - first]
        else:
            found, places = np.unique(index, return_inverse=True)
            counts = np.bincount(places, weights)
        for value, count in zip(found.tolist(), counts.tolist(), strict=True):
            self._add(value * width // self.bin_ns, int(count))

    def merge(self, other: "Series") -> None:
        for index, count in other._counts.items():
            self.add(index * other.bin_ns, count)
        other._counts.clear()

    def highest(self) -> int:
        return max(self._counts.values(), default=0)

    def facts(self, name: str, method: Mapping[str, Scalar] | None = None) -> Iterator[Fact]:
        """One fact: the highest bin, and all that are not empty as two lists in the passport.

        A bin's time is `time_ns` of the fact and its offset times `bin_s`.
        """
        if not self._counts:
            return
        indices = sorted(self._counts)
        counts = [self._counts[index] for index in indices]
        yield Fact(
            name,
            max(counts),
            samples=sum(counts),
            method={
                **(method or {}),
                "bin_s": self.bin_ns / 1e9,
                "bin_offsets": [index - indices[0] for index in indices],
                "bin_counts": counts,
            },
            time_ns=indices[0] * self.bin_ns,
        )

    def _add(self, index: int, count: int) -> None:
        self._counts[index] = self._counts.get(index, 0) + count
        while len(self._counts) > BINS_MAX:
            self.bin_ns *= 2
            wider: dict[int, int] = {}
            for each, already in self._counts.items():
                wider[each // 2] = wider.get(each // 2, 0) + already
            self._counts = wider


class Tallies(Generic[Key]):
    """How many per key, for at most `most` keys; what came too late for a place is `rest`."""

    def __init__(self, most: int = KEYS_MAX) -> None:
        self._most = most
        self.counts: Counter[Key] = Counter()
        self.rest = 0

    def add(self, key: Key, count: int = 1) -> None:
        if key in self.counts or len(self.counts) < self._most:
            self.counts[key] += count
        else:
            self.rest += count

    def add_all(self, pairs: Iterable[tuple[Key, int]]) -> None:
        for key, count in pairs:
            self.add(key, count)

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.rest

    def top(self, most: int) -> tuple[list[tuple[Key, int]], int]:
        """The largest, and how many the others have together."""
        ranked = sorted(self.counts.items(), key=lambda each: (-each[1], str(each[0])))
        return ranked[:most], sum(count for _, count in ranked[most:]) + self.rest
