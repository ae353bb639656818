"""Cross-checks of the primary test: the events' own sequence, moved as a whole.

Moving by whole days keeps the time of day but allows few outcomes (20 working days: no p below
0.05), so that it may agree or not and can hardly reject. Moving by any time needs the daily cycle
to be taken out first: with it, chance finds an effect in a third of histories without one.
"""

from dataclasses import dataclass

import numpy as np

from nethealth.diagnosis.attribution.aligned import Windows, differences_everywhere
from nethealth.diagnosis.attribution.days import Days, Integers, without_daily_cycle
from nethealth.diagnosis.attribution.location import hodges_lehmann


@dataclass(frozen=True, slots=True)
class Shifted:
    """A one-sided p among all shifts, and the least that so many shifts allow; None for no data."""

    p: float | None
    least_p: float


def whole_day_shifts(days: Days, events: Integers, windows: Windows) -> Shifted:
    """The events moved round by one day, two days …, each within the days of its own kind."""
    around = differences_everywhere(days.flat, windows)
    rank = np.zeros(len(days.values), dtype=np.int64)
    rows = {kind: np.flatnonzero(days.working == kind) for kind in (True, False)}
    for members in rows.values():
        rank[members] = np.arange(len(members))
    day, slot = events // days.slots, events % days.slots
    kinds = {kind: days.working[day] == kind for kind in rows}
    turns = max((len(rows[kind]) for kind, mine in kinds.items() if mine.any()), default=1)
    moved = np.empty((turns, len(events)), dtype=np.int64)
    for turn in range(turns):
        there = day.copy()
        for kind, mine in kinds.items():
            if mine.any():
                there[mine] = rows[kind][(rank[day[mine]] + turn) % len(rows[kind])]
        moved[turn] = there * days.slots + slot
    return _compared(hodges_lehmann(around[moved]))


def free_shifts(days: Days, events: Integers, windows: Windows) -> Shifted:
    """The events moved round by any number of bins, over values without their daily cycle."""
    return _any_shift(without_daily_cycle(days), events, windows)


def _any_shift(
    flat: "np.typing.NDArray[np.float64]", events: Integers, windows: Windows
) -> Shifted:
    around = differences_everywhere(flat, windows)
    step = max(1, windows.width // 2)  # shifts by less than a window are hardly others
    turns = np.arange(0, len(flat), step)
    moved = (events[None, :] + turns[:, None]) % len(flat)
    return _compared(hodges_lehmann(around[moved]))


def _compared(estimates: "np.typing.NDArray[np.float64]") -> Shifted:
    """The first estimate among all of them, itself included."""
    known = estimates[np.isfinite(estimates)]
    if not np.isfinite(estimates[0]):
        return Shifted(None, 1 / max(1, len(known)))
    return Shifted(float((known >= estimates[0]).sum() / len(known)), 1 / len(known))
