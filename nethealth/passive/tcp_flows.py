"""What is known of each direction of each TCP connection between one run of packets and the next.

A table of columns sorted by flow key: looking up and writing back are whole-array operations, so
that a scan of a million ports costs no more than its sorting.
"""

import numpy as np

from nethealth.passive.columns import Flags, Ints, Keys

FLOWS_MAX = 400_000
COLUMNS = ("next", "high_ns", "high_id", "syn")


class FlowTable:
    """`next`: the octet expected next (32 bits); `syn`: the number of the last SYN.

    `high_ns` and `high_id`: when the highest octet came, and its packet's IP identification.

    The flows longest silent are forgotten beyond FLOWS_MAX; `forgotten` counts them.
    """

    def __init__(self) -> None:
        self._keys: Keys = np.zeros(0, np.uint64)
        self._columns: dict[str, Ints] = {name: np.zeros(0, np.int64) for name in COLUMNS}
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, keys: Keys) -> tuple[Flags, dict[str, Ints]]:
        """Known or not, and the columns, of these (sorted, distinct) keys; -1 where not known."""
        count = len(self._keys)
        if not count:
            absent = np.full(len(keys), -1, np.int64)
            return np.zeros(len(keys), np.bool_), dict.fromkeys(COLUMNS, absent)
        place = np.minimum(np.searchsorted(self._keys, keys), count - 1)
        known: Flags = self._keys[place] == keys
        return known, {
            name: np.where(known, column[place], -1) for name, column in self._columns.items()
        }

    def put(self, keys: Keys, known: Flags, columns: dict[str, Ints]) -> None:
        """Write back what `get` gave out; `known` as it came from there."""
        if len(self._keys):
            place = np.searchsorted(self._keys, keys[known])
            for name, column in columns.items():
                self._columns[name][place] = column[known]
        new = ~known
        if new.any():
            joined = np.concatenate((self._keys, keys[new]))
            order = np.argsort(joined, kind="stable")
            self._keys = joined[order]
            for name, column in columns.items():
                self._columns[name] = np.concatenate((self._columns[name], column[new]))[order]
        if len(self._keys) > FLOWS_MAX:
            self._forget()

    def _forget(self) -> None:
        """Keep the half that spoke last."""
        kept = np.argsort(self._columns["high_ns"], kind="stable")[-FLOWS_MAX // 2 :]
        kept.sort()
        self.forgotten += len(self._keys) - len(kept)
        self._keys = self._keys[kept]
        self._columns = {name: column[kept] for name, column in self._columns.items()}
