"""A history laid out by local day and time of day, with its holes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Days:
    """One value for each bin of each local day; NaN where nothing was measured.

    `values` has a row for each calendar day and a column for each bin of 24 hours. The hour that
    a clock skips in spring is missing; of the hour that it repeats in autumn the first is kept.
    `working` tells working days from the others.
    """

    first: date
    bin_s: int
    values: Floats
    working: NDArray[np.bool_]

    @property
    def slots(self) -> int:
        """Bins in a day."""
        return int(self.values.shape[1])

    @property
    def flat(self) -> Floats:
        """All bins in their order; one day's last stands before the next day's first."""
        return self.values.reshape(-1)

    @property
    def observed_ratio(self) -> float:
        """The share of bins that hold a value."""
        return float(np.isfinite(self.values).mean()) if self.values.size else 0.0

    def place(self, moments: Sequence[datetime], timezone: str) -> Integers:
        """The flat bins of moments (with their zone); those outside the days are left out."""
        zone = ZoneInfo(timezone)
        found = []
        for moment in moments:
            day, slot = _day_and_slot(moment, zone, self.first, self.bin_s)
            if 0 <= day < len(self.values):
                found.append(day * self.slots + slot)
        return np.asarray(sorted(set(found)), dtype=np.int64)


def lay_out(
    moments: Sequence[datetime],
    values: Sequence[float],
    *,
    timezone: str,
    bin_s: int,
    holidays: Collection[date] = (),
) -> Days:
    """Put values into bins of local time; several in one bin give their median.

    `moments` carry their zone. `bin_s` must divide a day. ValueError for anything else, or for
    no values at all.
    """
    if not moments or len(moments) != len(values):
        raise ValueError(f"{len(moments)} moments for {len(values)} values")
    if bin_s <= 0 or _DAY_S % bin_s:
        raise ValueError(f"bins of {bin_s} s do not divide a day")
    zone = ZoneInfo(timezone)
    local = [moment.astimezone(zone) for moment in moments]
    first, last = min(local).date(), max(local).date()
    days = (last - first).days + 1
    slots = _DAY_S // bin_s
    held: dict[int, list[float]] = {}
    for moment, value in zip(local, values, strict=True):
        if moment.fold:
            continue  # the repeated hour of autumn would be compared with itself
        day, slot = _day_and_slot(moment, zone, first, bin_s)
        held.setdefault(day * slots + slot, []).append(value)
    flat = np.full(days * slots, np.nan)
    for place, several in held.items():
        flat[place] = float(np.median(several))
    dates = [first + timedelta(days=number) for number in range(days)]
    working = [one.weekday() < 5 and one not in holidays for one in dates]
    return Days(first, bin_s, flat.reshape(days, slots), np.asarray(working))


def without_daily_cycle(days: Days) -> Floats:
    """Flat values less the median of their time of day within their kind of day."""
    rest = days.values.copy()
    for kind in (True, False):
        rows = days.working == kind
        if rows.any():
            rest[rows] -= _median_of_columns(rest[rows])
    return rest.reshape(-1)


def _median_of_columns(values: Floats) -> Floats:
    """NaN for a column that holds none, without a warning."""
    medians = np.full(values.shape[1], np.nan)
    some = np.isfinite(values).any(axis=0)
    medians[some] = np.nanmedian(values[:, some], axis=0)
    return medians


def _day_and_slot(moment: datetime, zone: ZoneInfo, first: date, bin_s: int) -> tuple[int, int]:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no zone")
    local = moment.astimezone(UTC).astimezone(zone)
    second = local.hour * 3600 + local.minute * 60 + local.second
    return (local.date() - first).days, second // bin_s
