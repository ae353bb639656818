"""Bins of local time: daylight saving, holes, duplicates and holidays."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from nethealth.diagnosis.attribution.days import lay_out, without_daily_cycle

LONDON = "Europe/London"


def hours(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(hours=number) for number in range(count)]


def test_the_hour_that_spring_skips_is_missing() -> None:
    # 29 March 2026: 01:00 GMT is followed by 02:00 BST
    moments = hours(datetime(2026, 3, 29, 0, tzinfo=UTC), 23)
    days = lay_out(moments, range(23), timezone=LONDON, bin_s=3600)
    assert days.values.shape == (1, 24)
    assert np.isnan(days.values[0, 1])
    assert list(days.values[0, [0, 2, 3, 23]]) == [0, 1, 2, 22]


def test_of_the_hour_that_autumn_repeats_the_first_is_kept() -> None:
    # 25 October 2026: after 01:59 BST comes 01:00 GMT
    moments = hours(datetime(2026, 10, 24, 23, tzinfo=UTC), 25)
    days = lay_out(moments, range(25), timezone=LONDON, bin_s=3600)
    assert days.values.shape == (1, 24)
    assert list(days.values[0, :4]) == [0, 1, 3, 4]


def test_an_event_at_nine_is_at_nine_in_summer_and_in_winter() -> None:
    moments = hours(datetime(2026, 3, 27, 0, tzinfo=UTC), 24 * 5)
    days = lay_out(moments, np.zeros(len(moments)).tolist(), timezone=LONDON, bin_s=3600)
    nine = [datetime(2026, 3, 27, 9, tzinfo=UTC), datetime(2026, 3, 30, 8, tzinfo=UTC)]
    assert [place % 24 for place in days.place(nine, LONDON).tolist()] == [9, 9]


def test_what_was_not_measured_is_no_number_and_what_was_twice_is_its_median() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    days = lay_out([noon, noon, noon, noon + timedelta(hours=2)], [1.0, 9.0, 2.0, 5.0],
                   timezone="UTC", bin_s=3600)  # fmt: skip
    assert days.values[0, 12] == 2.0
    assert np.isnan(days.values[0, 13])
    assert days.values[0, 14] == 5.0
    assert days.observed_ratio == 2 / 24


def test_holidays_and_weekends_are_no_working_days() -> None:
    moments = [datetime(2026, 4, day, 12, tzinfo=UTC) for day in range(1, 8)]
    days = lay_out(
        moments, [0.0] * 7, timezone=LONDON, bin_s=3600,
        holidays={date(2026, 4, 3), date(2026, 4, 6)},  # Good Friday, Easter Monday
    )  # fmt: skip
    assert days.working.tolist() == [True, True, False, False, False, False, True]


def test_events_outside_the_days_are_left_out() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    days = lay_out([noon], [1.0], timezone="UTC", bin_s=3600)
    outside = [noon - timedelta(days=1), noon, noon + timedelta(days=1)]
    assert days.place(outside, "UTC").tolist() == [12]


def test_the_daily_cycle_is_taken_off_by_kind_of_day() -> None:
    moments = hours(datetime(2026, 1, 5, 0, tzinfo=UTC), 24 * 14)
    values = [10.0 * (moment.weekday() < 5) + moment.hour for moment in moments]
    rest = without_daily_cycle(lay_out(moments, values, timezone="UTC", bin_s=3600))
    assert np.all(rest == 0)


@pytest.mark.parametrize("bin_s", [0, -1, 7000])
def test_bins_that_do_not_divide_a_day_are_refused(bin_s: int) -> None:
    with pytest.raises(ValueError, match="do not divide a day"):
        lay_out([datetime(2026, 1, 5, tzinfo=UTC)], [1.0], timezone="UTC", bin_s=bin_s)


def test_a_moment_without_a_zone_is_refused() -> None:
    days = lay_out([datetime(2026, 1, 5, tzinfo=UTC)], [1.0], timezone="UTC", bin_s=3600)
    with pytest.raises(ValueError, match="has no zone"):
        days.place([datetime(2026, 1, 5)], "UTC")  # noqa: DTZ001 - that is what is tested
