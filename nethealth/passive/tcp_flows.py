"""What is known of each direction of each TCP connection between one run of packets and the next.

A table of columns sorted by flow key: looking up and writing back are whole-array operations, so
that a scan of a million ports costs no more than its sorting.
"""

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys

FLOWS_MAX = 400_000


class FlowTable:
    """`next`: the octet expected next (32 bits); `high_ns`: when the highest came; `syn`: the ISN.

    The flows longest silent are forgotten beyond FLOWS_MAX; `forgotten` counts them.
    """

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(0, np.uint64)
        self._next: Ints = np.zeros(0, np.int64)
        self._high_ns: Ints = np.zeros(0, np.int64)
        self._syn: Ints = np.zeros(0, np.int64)
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, keys: Keys) -> tuple[Flags, Ints, Ints, Ints]:
        """Known or not, and next, high_ns and syn of these (sorted, distinct) keys."""
        count = len(self._keys)
        if not count:
            nothing = np.zeros(len(keys), np.int64)
            return np.zeros(len(keys), np.bool_), nothing, nothing, nothing - 1
        place = np.minimum(np.searchsorted(self._keys, keys), count - 1)
        known: Flags = self._keys[place] == keys
        return known, self._next[place], self._high_ns[place], np.where(known, self._syn[place], -1)

    def put(self, keys: Keys, known: Flags, following: Ints, high_ns: Ints, syn: Ints) -> None:
        """Write back what `get` gave out; `known` as it came from there."""
        if len(self._keys):
            place = np.searchsorted(self._keys, keys[known])
            self._next[place] = following[known]
            self._high_ns[place] = high_ns[known]
            self._syn[place] = syn[known]
        new = ~known
        if new.any():
            joined = np.concatenate((self._keys, keys[new]))
            order = np.argsort(joined, kind="stable")
            self._keys = joined[order]
            self._next = np.concatenate((self._next, following[new]))[order]
            self._high_ns = np.concatenate((self._high_ns, high_ns[new]))[order]
            self._syn = np.concatenate((self._syn, syn[new]))[order]
        if len(self._keys) > FLOWS_MAX:
            self._forget()

    def _forget(self) -> None:
        """Keep the half that spoke last."""
        kept = np.argsort(self._high_ns, kind="stable")[-FLOWS_MAX // 2 :]
        kept.sort()
        self.forgotten += len(self._keys) - len(kept)
        self._keys, self._next = self._keys[kept], self._next[kept]
        self._high_ns, self._syn = self._high_ns[kept], self._syn[kept]
