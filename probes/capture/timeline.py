"""Several files as one timeline: packets in the order of their times, whatever file they are in.

Files that follow one another in time, as a recorder's ring leaves them, are read one by one. Where
some overlap, their packets are copied together, run by run; each file's own order stays as it is,
even where its times go back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from nethealth.passive.capture_file import Records
from nethealth.passive.columns import SLACK, Ints, Octets

OPEN_MOST = 64  # files that overlap in time; each holds buffers
Run = tuple[Octets, Records]


class OverlapError(ValueError):
    """More files overlap in time than may be open at once."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not open yet, and the time of its first packet."""

    first_ns: int
    runs: Callable[[], Iterator[Run]]


class _Open:
    """A file under way: its present run, from `row` on."""

    def __init__(self, runs: Iterator[Run]) -> None:
        self._runs = runs
        self._reached_ns = np.iinfo(np.int64).min
        self.row = 0
        self.octets: Octets = np.zeros(0, np.uint8)
        self.records: Records | None = None
        self.reached: Ints = np.zeros(0, np.int64)
        self.advance()

    def advance(self) -> None:
        """The next run; `records` is None when there is none."""
        self.row = 0
        self.octets, self.records = next(self._runs, (self.octets, None))
        if self.records is not None:
            # Times that go back do not count: a packet's place is where the file has it.
            reached = np.maximum.accumulate(self.records.time_ns)
            self.reached = np.maximum(reached, self._reached_ns)
            self._reached_ns = self.last_ns

    @property
    def last_ns(self) -> int:
        return int(self.reached[-1])


def timeline(files: Sequence[Waiting]) -> Iterator[Run]:
    """The runs of all files as one sequence. OverlapError if too many of them overlap."""
    waiting = sorted(files, key=lambda file: file.first_ns)
    now: list[_Open] = []
    while now or waiting:
        if not now:
            _open(now, waiting)
            continue
        limit = min(file.last_ns for file in now)
        if waiting and waiting[0].first_ns <= limit:
            _open(now, waiting)
            continue
        if len(now) == 1 and now[0].row == 0 and now[0].records is not None:
            yield now[0].octets, now[0].records
            now[0].row = len(now[0].reached)
        else:
            yield _merged(now, limit)
        for file in now:
            if file.row == len(file.reached):
                file.advance()
        now = [file for file in now if file.records is not None]


def _open(now: list[_Open], waiting: list[Waiting]) -> None:
    if len(now) >= OPEN_MOST:
        raise OverlapError(f"more than {OPEN_MOST} files overlap in time: read them in groups")
    file = _Open(waiting.pop(0).runs())
    if file.records is not None:
        now.append(file)


def _merged(files: Sequence[_Open], limit: int) -> Run:
    """All packets up to a time out of each file's present run, copied together."""
    parts: list[Records] = []
    octets: list[Octets] = []
    places: list[Ints] = []
    keys: list[Ints] = []
    length = 0
    for file in files:
        stop = int(np.searchsorted(file.reached, limit, "right"))
        if file.records is None or stop == file.row:
            continue
        rows = slice(file.row, stop)
        part = Records(
            0, *(getattr(file.records, each.name)[rows] for each in fields(Records)[1:7])
        )
        begin = int(part.frame_at[0])
        data = file.octets[begin : int((part.frame_at + part.captured).max())]
        parts.append(part)
        places.append(part.frame_at - begin + length)
        octets.append(data)
        length += len(data)
        keys.append(file.reached[rows])
        file.row = stop
    order = np.argsort(np.concatenate(keys), kind="stable")

    def column(name: str) -> Ints:
        values: Ints = np.concatenate([getattr(part, name) for part in parts])[order]
        return values

    return np.concatenate([*octets, np.zeros(SLACK, np.uint8)]), Records(
        used=0,
        frame_at=np.concatenate(places)[order],
        captured=column("captured"),
        wire=column("wire"),
        time_ns=column("time_ns"),
        interface=column("interface"),
        link_type=column("link_type"),
    )
