"""A site's wide-area line: what packets of each mark meet on it, each way, moment by moment.

A fluid queue: what is offered above the line's rate waits, up to the buffer's length, and beyond
that is lost. With classes of service, packets that bear the mark of voice are served first, up to
the share that is kept for them, and what is above that share is dropped (a policed priority queue).
Without classes all wait together. Loss of the medium itself strikes both marks alike, whatever the
load, singly or in bursts (Gilbert).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tests.scenarios.rhythm import Floats, wandering

Way = Literal["forward", "return"]  # to the site, and from it
WAYS: tuple[Way, ...] = ("forward", "return")
STEP_S = 0.02
WARM_S = 6.0
VOICE, DATA = 46, 0
Rate = Callable[[float], float]  # bits a second that something sends, by seconds since the run


@dataclass
class Load:
    """Something that uses the line: how much each moment, one way, and whether it is marked EF."""

    way: Way
    rate_bps: Rate
    marked: bool = False


@dataclass
class Line:
    """A line; `down_bps` is to the site. `loss` is of the medium, in runs of `run` on average."""

    down_bps: float
    up_bps: float
    one_way_s: float
    declared_down_bps: float
    declared_up_bps: float
    buffer_s: float = 0.2
    classes: bool = True
    voice_share: float = 0.3
    usual_share: float = 0.15  # of each direction that the site's own work takes at its busiest
    busy: float = 1.0
    loss: dict[Way, float] = field(default_factory=dict)
    run: float = 1.0
    loads: list[Load] = field(default_factory=list)
    marks: dict[Way, int] = field(default_factory=dict)  # what EF becomes on the way, if anything

    def rate_bps(self, way: Way) -> float:
        return self.down_bps if way == "forward" else self.up_bps

    def flow(self, random: np.random.Generator, way: Way, start_s: float, lasts_s: float) -> "Flow":
        """The line in one direction for a while, and in the time before it, in which it filled."""
        count = max(2, int(np.ceil((lasts_s + WARM_S) / STEP_S)))
        times = np.asarray(start_s - WARM_S + np.arange(count) * STEP_S, dtype=np.float64)
        rate = self.rate_bps(way)
        usual = self.usual_share * self.busy * rate * np.exp(0.4 * wandering(random, count, 0.95))
        flow = Flow(self, way, times, np.asarray(usual, np.float64), np.zeros(count))
        for load in self.loads:
            if load.way == way:
                flow.add(np.array([load.rate_bps(at) for at in times]), marked=load.marked)
        return flow


@dataclass
class Flow:
    """One direction for a while: what is offered with the mark and without it, in steps."""

    line: Line
    way: Way
    times: Floats
    data_bps: Floats
    voice_bps: Floats
    _waits: dict[int, tuple[Floats, Floats]] | None = None

    def add(self, bps: Floats, *, marked: bool = False) -> None:
        if marked and self.line.marks.get(self.way) != DATA:
            self.voice_bps = self.voice_bps + bps
        else:
            self.data_bps = self.data_bps + bps
        self._waits = None

    def waits(self) -> dict[int, tuple[Floats, Floats]]:
        """By mark: the wait in seconds of each step, and the share that is lost to the queue."""
        if self._waits is None:
            self._waits = self._queues()
        return self._waits

    def _queues(self) -> dict[int, tuple[Floats, Floats]]:
        line, rate = self.line, self.line.rate_bps(self.way)
        if not line.classes:
            shared = _queue(self.data_bps + self.voice_bps, np.full(len(self.times), rate),
                            line.buffer_s * rate)  # fmt: skip
            return {VOICE: shared, DATA: shared}
        kept = line.voice_share * rate
        over = np.clip(self.voice_bps - kept, 0, None)
        dropped = np.divide(over, self.voice_bps, out=np.zeros_like(over),
                            where=self.voice_bps > 0)  # fmt: skip
        # A frame of data that is being sent is not called back: 1,500 octets at the line's rate.
        voice = (np.full(len(self.times), 1500 * 8 / rate / 2), dropped)
        left = rate - np.minimum(self.voice_bps, kept)
        data = _queue(self.data_bps, left, line.buffer_s * rate)
        if line.marks.get(self.way) == DATA:
            return {VOICE: data, DATA: data}
        return {VOICE: voice, DATA: data}


def _queue(offered: Floats, served: Floats, buffer_bits: float) -> tuple[Floats, Floats]:
    waits, lost = np.zeros(len(offered)), np.zeros(len(offered))
    backlog = 0.0
    for at, (bps, rate) in enumerate(zip(offered, served, strict=True)):
        speed = max(float(rate), 1.0)
        backlog = max(0.0, backlog + (float(bps) - speed) * STEP_S)
        if backlog > buffer_bits:
            arrived = float(bps) * STEP_S
            lost[at] = min(1.0, (backlog - buffer_bits) / arrived) if arrived else 0.0
            backlog = buffer_bits
        waits[at] = backlog / speed
    return waits, lost


def struck(random: np.random.Generator, count: int, ratio: float, run: float) -> list[bool]:
    """Which of so many packets the medium loses: a Gilbert chain of this mean and mean run."""
    if ratio <= 0:
        return [False] * count
    leave = 1 / max(run, 1.0)
    enter = min(1.0, leave * ratio / max(1e-9, 1 - ratio))
    lost, found = bool(random.random() < ratio), []
    for _ in range(count):
        found.append(lost)
        lost = bool(random.random() < ((1 - leave) if lost else enter))
    return found
