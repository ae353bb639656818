"""Small numbers for keys, the same ones run after run, and counts of what goes with them."""

import numpy as np

from nethealth.passive.columns import Ints, Keys

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FREE = np.uint64(0)


class KeyTable:
    """Numbers keys from 0 in the order in which they first come."""

    def __init__(self, bits: int = 12) -> None:
        self._allot(bits)
        self.keys = np.zeros(0, np.uint64)  # by number

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self, keys: Keys) -> Ints:
        """The number of each key; new ones are added."""
        keys = np.where(keys == _FREE, np.uint64(1), keys)
        found = self._find(keys)
        absent = np.flatnonzero(found < 0)
        if len(absent):
            self._add(keys[absent])
            found[absent] = self._find(keys[absent])
        return found

    def find(self, keys: Keys) -> Ints:
        """The number of each key; -1 for one that is not there."""
        return self._find(np.where(keys == _FREE, np.uint64(1), keys))

    def parts(self) -> tuple[Keys, Ints, int]:
        """Keys by slot (0: free), their numbers, and by how much a key's product is shifted."""
        return self._slots, self._numbers, int(self._shift)

    def copy(self) -> "KeyTable":
        """One that may be added to while this one is looked up."""
        other = KeyTable(self._bits)
        other.keys = self.keys
        other._slots[:], other._numbers[:] = self._slots, self._numbers
        return other

    def only(self, kept: Ints) -> None:
        """Forget all but these numbers, which are counted again from 0."""
        self.keys = self.keys[kept]
        self._allot(self._bits)
        self._place(self.keys, np.arange(len(self.keys)))

    def _allot(self, bits: int) -> None:
        self._bits = bits
        self._shift = np.uint64(64 - bits)
        self._slots = np.zeros(1 << bits, np.uint64)
        self._numbers = np.full(1 << bits, -1, np.int64)

    def _slot(self, keys: Keys) -> Ints:
        return (keys * MULTIPLIER >> self._shift).astype(np.int64)

    def _find(self, keys: Keys) -> Ints:
        slot = self._slot(keys)
        there = self._slots[slot]
        found = np.where(there == keys, self._numbers[slot], -1)
        searching = np.flatnonzero((there != keys) & (there != _FREE))
        while len(searching):  # a place that another key took: the next one
            slot[searching] = (slot[searching] + 1) & (len(self._slots) - 1)
            there = self._slots[slot[searching]]
            hit = there == keys[searching]
            found[searching[hit]] = self._numbers[slot[searching[hit]]]
            searching = searching[~hit & (there != _FREE)]
        return found

    def _add(self, keys: Keys) -> None:
        _, first = np.unique(keys, return_index=True)
        fresh = keys[np.sort(first)]
        numbers = np.arange(len(self.keys), len(self.keys) + len(fresh))
        self.keys = np.concatenate([self.keys, fresh])
        if 2 * len(self.keys) > len(self._slots):
            self._allot(max(self._bits, len(self.keys).bit_length() + 1))
            fresh, numbers = self.keys, np.arange(len(self.keys))
        self._place(fresh, numbers)

    def _place(self, keys: Keys, numbers: Ints) -> None:
        slot = self._slot(keys)
        while len(keys):
            free = self._slots[slot] == _FREE
            # Of several that want one place the first gets it.
            _, first = np.unique(slot, return_index=True)
            taken = np.zeros(len(keys), np.bool_)
            taken[first] = True
            taken &= free
            self._slots[slot[taken]] = keys[taken]
            self._numbers[slot[taken]] = numbers[taken]
            keys, numbers = keys[~taken], numbers[~taken]
            slot = (slot[~taken] + 1) & (len(self._slots) - 1)


class Tally:
    """How often each small value (below 2^16) came with each number."""

    def __init__(self) -> None:
        self._pairs = np.zeros(0, np.int64)
        self._counts = np.zeros(0, np.int64)

    def add(self, numbers: Ints, values: Ints, counts: Ints) -> None:
        """So many more of each value with each number; in any order."""
        pairs = np.concatenate([self._pairs, numbers << 16 | values & 0xFFFF])
        self._pairs, place = np.unique(pairs, return_inverse=True)
        counts = np.concatenate([self._counts, counts])
        self._counts = np.bincount(place, weights=counts).astype(np.int64)

    def rename(self, numbers: Ints) -> None:
        """Numbers are others now, in the same order; -1 for one that is forgotten."""
        number = numbers[self._pairs >> 16]
        kept = number >= 0
        self._pairs = (number << 16 | self._pairs & 0xFFFF)[kept]
        self._counts = self._counts[kept]

    def of(self, number: int) -> dict[int, int]:
        """Value to count, the smallest value first."""
        begin, end = np.searchsorted(self._pairs, (number << 16, (number + 1) << 16))
        values = self._pairs[begin:end] & 0xFFFF
        return dict(zip(values.tolist(), self._counts[begin:end].tolist(), strict=True))
