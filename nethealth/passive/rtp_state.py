"""What is kept of each stream from one run of packets to the next: a few numbers, no packets."""

from dataclasses import dataclass, fields

import numpy as np

from nethealth.passive.columns import Flags, Ints
from nethealth.passive.segments import Floats


@dataclass(eq=False, slots=True)
class StreamState:
    """One place a stream in every column; `grow` makes places, new ones hold zeros."""

    begun: Flags  # enough packets came to work on it
    clock_hz: Ints  # 0: not known
    packet_ticks: Ints  # the usual step of the time stamp; 0: not known
    first_ns: Ints
    first_sequence: Ints
    # The packet before
    last_ns: Ints
    sequence: Ints
    timestamp: Ints
    extended: Ints
    media_ticks: Ints  # time stamps without their wrap, since the first packet
    # Numbers
    highest: Ints
    lowest: Ints
    received: Ints
    duplicated: Ints
    reordered: Ints
    restarts: Ints
    strays: Ints
    # Time
    jitter: Floats  # in clock units
    jitter_sum: Floats
    jitter_max: Floats
    jittered: Ints  # how many values the sum is of
    delta_min_ns: Ints
    delta_max_ns: Ints
    silences: Ints
    silence_ticks: Ints
    quickest_ns: Ints  # the least transit so far, against the first packet's
    late: Ints  # would have missed the de-jitter buffer
    variation: Ints  # row of the stream's histogram of transit above the quickest
    # Transit against time, for the sender's clock
    fit_n: Floats
    fit_x: Floats
    fit_y: Floats
    fit_xx: Floats
    fit_xy: Floats
    fit_yy: Floats
    # Evidence
    steps: Ints
    plausible: Ints
    broken: Ints  # where arrivals or time stamps jump
    octets: Ints

    def __len__(self) -> int:
        return len(self.begun)

    def grow(self, count: int) -> None:
        """Have places for so many streams."""
        more = count - len(self)
        if more > 0:
            for each in fields(self):
                column = getattr(self, each.name)
                setattr(self, each.name, np.concatenate([column, np.zeros(more, column.dtype)]))

    def only(self, kept: Ints) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name)[kept])


def no_streams() -> StreamState:
    types = {Flags: np.bool_, Floats: np.float64, Ints: np.int64}
    return StreamState(
        *(np.zeros(0, kind) for each in fields(StreamState) for form, kind in types.items()
          if each.type == form)
    )  # fmt: skip
