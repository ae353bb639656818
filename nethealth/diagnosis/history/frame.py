"""The time in which a history is judged: its local days, and bins of them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from nethealth.diagnosis.attribution.days import Days, Floats, Integers
from nethealth.inventory.hours import zone

Bools = NDArray[np.bool_]
_HOUR_S = 3600
_DAY_S = 86_400
_SHORT_DAYS = 92  # up to here bins are an hour, above four: more bins find no more changes
_DAYS_MOST = 3700


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """From `since_s` to `until_s`, by the clock on the wall of one zone.

    `offsets` and `repeated` say for each hour since the first how far the wall clock is from UTC,
    and whether it shows a time for the second time.
    """

    since_s: int
    until_s: int
    bin_s: int
    first: date
    days: int
    offsets: Integers
    repeated: Bools
    timezone: str

    @property
    def bins(self) -> int:
        return self.days * (_DAY_S // self.bin_s)

    def bin_of(self, times_s: Integers) -> tuple[Integers, Bools]:
        """The bin of each time, and whether it counts: not in the hour that autumn repeats."""
        hours = np.clip(times_s // _HOUR_S - self.since_s // _HOUR_S, 0, len(self.offsets) - 1)
        bins: Integers = (times_s + self.offsets[hours] - self._first_s) // self.bin_s
        return bins, ~self.repeated[hours]

    def day_of(self, bins: Integers) -> Integers:
        """The number of the local day of each bin."""
        found: Integers = bins // (_DAY_S // self.bin_s)
        return found

    def laid_out(self, flat: Floats) -> Days:
        dates = [self.first + timedelta(days=number) for number in range(self.days)]
        working = np.asarray([one.weekday() < 5 for one in dates])
        return Days(self.first, self.bin_s, flat.reshape(self.days, -1), working)

    def moment(self, place: int) -> datetime:
        """When a bin begins, in UTC."""
        local = zone(self.timezone)
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=local)
        naive = start.replace(tzinfo=None) + timedelta(seconds=place * self.bin_s)
        return naive.replace(tzinfo=local).astimezone(UTC)

    @property
    def _first_s(self) -> int:
        day = self.first
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def frame(since_s: int, until_s: int, timezone: str) -> Frame:
    """The days between two times; ValueError for more than ten years, or none."""
    if not since_s < until_s or until_s - since_s > _DAYS_MOST * _DAY_S:
        raise ValueError("a history of no time, or of more than ten years")
    local = zone(timezone)
    hours = range(since_s // _HOUR_S, (until_s - 1) // _HOUR_S + 1)
    moments = [datetime.fromtimestamp(hour * _HOUR_S, UTC).astimezone(local) for hour in hours]
    offsets = [int((one.utcoffset() or timedelta()).total_seconds()) for one in moments]
    first = datetime.fromtimestamp(since_s, UTC).astimezone(local).date()
    last = datetime.fromtimestamp(until_s - 1, UTC).astimezone(local).date()
    days = (last - first).days + 1
    return Frame(
        since_s, until_s, _HOUR_S if days <= _SHORT_DAYS else 4 * _HOUR_S, first, days,
        np.asarray(offsets, dtype=np.int64), np.asarray([bool(one.fold) for one in moments]),
        timezone,
    )  # fmt: skip
