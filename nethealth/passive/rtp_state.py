"""What is kept of each stream from one run of packets to the next: a few numbers, no packets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from nethealth.passive.columns import Flags, Ints
from nethealth.passive.segments import Floats


@dataclass(eq=False, slots=True)
class StreamState:
    """One place a stream in every column; `grow` makes places, new ones hold zeros.

    `table`: a row a stream, of all columns but `begun`, which are views of it. So what is known of
    a stream stands together in memory, for a loop that takes packets as they come.
    """

    begun: Flags  # enough packets came to work on it
    table: Ints
    clock_hz: Ints = field(init=False)  # 0: not known
    packet_ticks: Ints = field(init=False)  # the usual step of the time stamp; 0: not known
    first_ns: Ints = field(init=False)
    # The packet before
    last_ns: Ints = field(init=False)
    sequence: Ints = field(init=False)
    timestamp: Ints = field(init=False)
    extended: Ints = field(init=False)
    media_ticks: Ints = field(init=False)  # time stamps without their wrap, since the first packet
    # Numbers
    highest: Ints = field(init=False)
    lowest: Ints = field(init=False)
    received: Ints = field(init=False)
    duplicated: Ints = field(init=False)
    reordered: Ints = field(init=False)
    restarts: Ints = field(init=False)
    strays: Ints = field(init=False)
    # Time
    jitter: Floats = field(init=False)  # in clock units
    jitter_sum: Floats = field(init=False)
    jitter_max: Floats = field(init=False)
    jittered: Ints = field(init=False)  # how many values the sum is of
    delta_min_ns: Ints = field(init=False)
    delta_max_ns: Ints = field(init=False)
    silences: Ints = field(init=False)
    silence_ticks: Ints = field(init=False)
    quickest_ns: Ints = field(init=False)  # the least transit so far, against the first packet's
    late: Ints = field(init=False)  # would have missed the de-jitter buffer
    variation: Ints = field(init=False)  # row of the histogram of transit above the quickest
    # Transit against time, for the sender's clock
    fit_n: Floats = field(init=False)
    fit_x: Floats = field(init=False)
    fit_y: Floats = field(init=False)
    fit_xx: Floats = field(init=False)
    fit_xy: Floats = field(init=False)
    fit_yy: Floats = field(init=False)
    # Evidence
    steps: Ints = field(init=False)
    plausible: Ints = field(init=False)
    broken: Ints = field(init=False)  # where arrivals or time stamps jump
    octets: Ints = field(init=False)

    _room: Ints = field(init=False)  # what `table` is the beginning of

    def __post_init__(self) -> None:
        self._room = self.table
        self._bind()

    def __len__(self) -> int:
        return len(self.begun)

    def grow(self, count: int) -> None:
        """Have places for so many streams."""
        more = count - len(self)
        if more > 0:
            self.begun = np.concatenate([self.begun, np.zeros(more, np.bool_)])
            if count > len(self._room):
                self._room = np.zeros((max(count, 2 * len(self)), len(COLUMNS)), np.int64)
                self._room[: len(self.table)] = self.table
            self.table = self._room[:count]
            self._bind()

    def only(self, kept: Ints) -> None:
        self.begun, self.table = self.begun[kept], self.table[kept]
        self._room = self.table
        self._bind()

    def _bind(self) -> None:
        for place, (name, kind) in enumerate(COLUMNS.items()):
            setattr(self, name, self.table[:, place].view(kind))


# By name, in the order in which they stand in the table.
COLUMNS: Mapping[str, type[np.int64 | np.float64]] = {
    each.name: np.float64 if each.type == Floats else np.int64
    for each in fields(StreamState)
    if each.name not in ("begun", "table", "_room")
}


def no_streams() -> StreamState:
    return StreamState(np.zeros(0, np.bool_), np.zeros((0, len(COLUMNS)), np.int64))
