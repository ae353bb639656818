"""The local days of a period, with the hours that each really has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from nethealth.inventory.hours import zone

Integers = NDArray[np.int64]
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days from midnight to midnight by the clock on the wall; the first and last may be cut.

    `edges_s`: where each day begins, then where the last ends, in seconds since 1970. A day on
    which the clock is put forward has 23 hours, one on which it is put back 25.
    """

    days: tuple[date, ...]
    edges_s: Integers

    @property
    def hours(self) -> Integers:
        """Hours of each day, one that is begun included."""
        found: Integers = -(-np.diff(self.edges_s) // _HOUR_S)
        return found

    def day_of(self, times_s: Integers) -> Integers:
        """The number of each time's day; -1 before the first, as many as there are from the end."""
        found: Integers = np.searchsorted(self.edges_s, times_s, side="right") - 1
        return found

    def hour_of(self, times_s: Integers, days: Integers) -> Integers:
        """The number of each time's hour within the period; `days` as `day_of` gives them."""
        first = np.concatenate(([0], np.cumsum(self.hours)))
        found: Integers = first[days] + (times_s - self.edges_s[days]) // _HOUR_S
        return found


def calendar(since: datetime, until: datetime, timezone: str) -> Calendar:
    """The days that `since` to `until` touches; ValueError for an unknown zone or no time."""
    if since >= until:
        raise ValueError("the period ends before it begins")
    local = zone(timezone)
    day = since.astimezone(local).date()
    days: list[date] = []
    edges = [int(since.timestamp())]
    end_s = int(until.timestamp())
    while True:
        days.append(day)
        day += timedelta(days=1)
        midnight_s = int(datetime(day.year, day.month, day.day, tzinfo=local).timestamp())
        if midnight_s >= end_s:
            break
        edges.append(midnight_s)
    return Calendar(tuple(days), np.asarray([*edges, end_s], dtype=np.int64))


def counted_by_day(times: Sequence[datetime], days: Calendar) -> tuple[int, ...]:
    """How many of the moments fall on each day; those outside are left out."""
    seconds = np.asarray([int(one.astimezone(UTC).timestamp()) for one in times], dtype=np.int64)
    place = days.day_of(seconds)
    inside = place[(place >= 0) & (place < len(days.days))]
    return tuple(int(n) for n in np.bincount(inside, minlength=len(days.days)))
