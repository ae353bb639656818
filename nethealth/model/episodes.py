"""When a finding held: from a sweep that made it to the last one after it that did so unbroken.

Between two sweeps that both made it the fault is taken to have gone on; before the first and after
the last of them nothing is claimed. So the time of a fault is rather too short than too long.
"""

from collections.abc import Sequence
from datetime import datetime

from nethealth.model.period_report import RunFacts

EPISODES_MOST = 300  # of one finding, the longest

Episode = tuple[datetime, datetime]


class Sweeps:
    """The sweeps of a period, each with its number among those of its vantage."""

    def __init__(self, runs: Sequence[RunFacts]) -> None:
        self._numbers: dict[str, tuple[str, int]] = {}
        self._spans: dict[str, Episode] = {}
        counts: dict[str, int] = {}
        for run in sorted(runs, key=lambda one: one.started):
            self._spans[run.id] = run.started, run.finished or run.started
            if run.kind == "sweep":
                counts[run.vantage] = counts.get(run.vantage, 0) + 1
                self._numbers[run.id] = run.vantage, counts[run.vantage]

    def episodes(self, runs: Sequence[str]) -> tuple[Episode, ...]:
        """Of the runs, oldest first, that made one finding; the longest, in the order of time."""
        found: list[Episode] = []
        last: dict[str, tuple[int, int]] = {}  # by vantage: number of its sweep, place in `found`
        for run in runs:
            start, end = self._spans[run]
            vantage, number = self._numbers.get(run, ("", 0))
            before = last.get(vantage)
            if number and before is not None and before[0] == number - 1:
                place = before[1]
                found[place] = found[place][0], max(end, found[place][1])
            else:
                place = len(found)
                found.append((start, end))
            if number:
                last[vantage] = number, place
        found.sort(key=lambda one: (one[0] - one[1], one[0]))
        return tuple(sorted(found[:EPISODES_MOST]))
