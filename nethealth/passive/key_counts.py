"""How often each of a few thousand keys came, at a few nanoseconds a row.

A table of slots answers for keys it has seen; only new keys, and the rare two that share a slot,
are sorted out one by one.
"""

import numpy as np

from nethealth.passive.columns import Ints, Keys

_BITS = 16
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - _BITS)
KEYS_MAX = 65_536


class KeyCounts:
    """Counts (or sums) by key; 0 is no key. At most KEYS_MAX keys, the later ones in `rest`."""

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(1 << _BITS, np.uint64)
        self._sums: Ints = np.zeros(1 << _BITS, np.int64)
        self._others: dict[int, int] = {}
        self._known = 0
        self.rest = 0

    def add(self, keys: Keys, weights: Ints | None = None) -> None:
        if not len(keys):
            return
        slots = (keys * _MULTIPLIER) >> _SHIFT
        hit = self._keys[slots] == keys
        if hit.all():
            self._sum(slots, weights)
            return
        self._sum(slots[hit], None if weights is None else weights[hit])
        self._miss(keys[~hit], None if weights is None else weights[~hit])

    def items(self) -> list[tuple[int, int]]:
        """Keys and counts, the largest first."""
        used = np.flatnonzero(self._keys)
        pairs = list(zip(self._keys[used].tolist(), self._sums[used].tolist(), strict=True))
        return sorted((*pairs, *self._others.items()), key=lambda each: (-each[1], each[0]))

    def __len__(self) -> int:
        return self._known

    def __contains__(self, key: int) -> bool:
        return int(self._keys[_slot(key)]) == key or key in self._others

    def _sum(self, slots: Keys, weights: Ints | None) -> None:
        summed = np.bincount(slots.astype(np.int64), weights, minlength=1 << _BITS)
        self._sums += summed.astype(np.int64)

    def _miss(self, keys: Keys, weights: Ints | None) -> None:
        values, places = np.unique(keys, return_inverse=True)
        sums = np.bincount(places, weights).astype(np.int64)
        for key, count in zip(values.tolist(), sums.tolist(), strict=True):
            if key in self._others:
                self._others[key] += count
            elif self._known >= KEYS_MAX:
                self.rest += count
            else:
                self._place(key, count)

    def _place(self, key: int, count: int) -> None:
        self._known += 1
        slot = _slot(key)
        if self._keys[slot] == 0:
            self._keys[slot] = key
            self._sums[slot] = count
        else:
            self._others[key] = count


def _slot(key: int) -> int:
    """The slot of one key, as the whole arrays have it."""
    return (key * int(_MULTIPLIER) & 0xFFFFFFFFFFFFFFFF) >> int(_SHIFT)
