"""Sequence numbers that have not come: intervals opened by a jump ahead, closed by a late packet.

Streams are told apart within one number: `key` is the stream's number and the extended sequence
number, so that the holes of all streams are one sorted list.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nethealth.passive.columns import Flags, Ints
from nethealth.passive.rtp_progress import Progress

STREAM_SHIFT = 42
BIAS = 1 << 41  # numbers below the first packet's are negative


def key(stream: Ints, extended: Ints) -> Ints:
    return (stream << STREAM_SHIFT) + (extended + BIAS)


@dataclass(frozen=True, eq=False, slots=True)
class LossRuns:
    """Runs of lost packets, sorted by stream and place."""

    stream: Ints
    begin: Ints  # extended sequence number
    length: Ints


class Holes:
    """All streams' holes, sorted, and how far the streams had come over time."""

    def __init__(self) -> None:
        self._begin = np.zeros(0, np.int64)  # keys: the first missing one, and the one after
        self._end = np.zeros(0, np.int64)
        self.progress = Progress()

    def sorted(self) -> tuple[Ints, Ints]:
        """The keys of all: of the first that is missing, and of the one after the last."""
        return self._begin, self._end

    def open(self, begin: Ints, end: Ints) -> None:
        """Keys from `begin` to before `end` are missing; none of them was so before."""
        if len(begin):
            begin = np.concatenate([self._begin, begin])
            end = np.concatenate([self._end, end])
            order = np.argsort(begin, kind="stable")
            self._begin, self._end = begin[order], end[order]

    def missing(self, keys: Ints) -> Flags:
        """Whether each key is still missing."""
        if not len(self._begin):
            return np.zeros(len(keys), np.bool_)
        place = np.searchsorted(self._begin, keys, "right") - 1
        inside: Flags = (place >= 0) & (keys < self._end[np.maximum(place, 0)])
        return inside

    def close(self, keys: Ints) -> None:
        """These missing keys have come after all; sorted, each once.

        A hole less some of its numbers is what lies between them: the i-th beginning, of the old
        ones and of those behind a number that came, goes with the i-th end.
        """
        if not len(keys):
            return
        begin = np.sort(np.concatenate([self._begin, keys + 1]), kind="stable")
        end = np.sort(np.concatenate([self._end, keys]), kind="stable")
        some = begin < end
        self._begin, self._end = begin[some], end[some]

    def rename(self, numbers: Ints) -> None:
        """Streams have new numbers, in the same order; -1 for one that is forgotten."""
        stream = numbers[self._begin >> STREAM_SHIFT]
        kept = stream >= 0
        moved = (stream - (self._begin >> STREAM_SHIFT)) << STREAM_SHIFT
        self._begin = (self._begin + moved)[kept]
        self._end = (self._end + moved)[kept]
        self.progress.rename(numbers)

    def runs(self) -> LossRuns:
        stream = self._begin >> STREAM_SHIFT
        return LossRuns(
            stream, self._begin - (stream << STREAM_SHIFT) - BIAS, self._end - self._begin
        )

    def count(self, streams: int) -> npt.NDArray[np.int64]:
        """Missing packets of each of so many streams."""
        runs = self.runs()
        return np.bincount(runs.stream, runs.length, streams).astype(np.int64)
