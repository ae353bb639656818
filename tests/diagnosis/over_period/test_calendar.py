"""Local days over both changes of the clock: 23 and 25 hours, and no time counted twice."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from nethealth.diagnosis.over_period.calendar import calendar, counted_by_day

# In Britain the clock was put forward on 29 March 2026 and back on 25 October, at 01:00 UTC.
SPRING = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, 23, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 23, 23, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC)


def test_the_day_of_spring_has_23_hours_and_that_of_autumn_25() -> None:
    spring = calendar(*SPRING, "Europe/London")
    assert spring.days == (date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30))
    assert list(spring.hours) == [24, 23, 24]
    autumn = calendar(*AUTUMN, "Europe/London")
    assert autumn.days == (date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26))
    assert list(autumn.hours) == [24, 25, 24]
    assert list(calendar(*AUTUMN, "UTC").hours) == [1, 24, 24, 24]


def test_each_hour_of_utc_has_a_number_of_its_own_over_the_change() -> None:
    """The hour from 01:00 to 02:00 comes twice on the clock in October, and is two hours."""
    for since, until in (SPRING, AUTUMN):
        days = calendar(since, until, "Europe/London")
        count = int((until - since).total_seconds()) // 3600
        times = np.asarray(
            [int((since + timedelta(hours=n, minutes=59)).timestamp()) for n in range(count)]
        )
        assert list(days.hour_of(times, days.day_of(times))) == list(range(count))
        assert int(days.hours.sum()) == count


def test_moments_are_counted_on_the_day_of_the_clock_on_the_wall() -> None:
    autumn = calendar(*AUTUMN, "Europe/London")
    moments = [
        datetime(2026, 10, 24, 22, 59, tzinfo=UTC),  # 23:59 on the 24th, summer time
        datetime(2026, 10, 24, 23, 0, tzinfo=UTC),  # midnight: the 25th
        datetime(2026, 10, 25, 23, 59, tzinfo=UTC),  # 23:59 on the 25th, Greenwich time
        datetime(2026, 10, 26, 0, 0, tzinfo=UTC),  # midnight: the 26th
        datetime(2026, 11, 26, 0, 0, tzinfo=UTC),  # long after
    ]
    assert counted_by_day(moments, autumn) == (1, 2, 1)


def test_a_day_cut_short_has_its_own_hours_and_half_an_hour_is_one() -> None:
    found = calendar(
        datetime(2026, 11, 2, 9, 30, tzinfo=UTC), datetime(2026, 11, 3, 2, 0, tzinfo=UTC), "UTC"
    )
    assert list(found.hours) == [15, 2]  # 09:30 to 24:00 touches 15 hours of its own count


def test_no_time_and_no_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        calendar(SPRING[1], SPRING[0], "UTC")
    with pytest.raises(ValueError, match="no known time zone"):
        calendar(*SPRING, "Mars/Olympus")
