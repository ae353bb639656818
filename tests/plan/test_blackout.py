"""Blackouts by the wall clock of the vantage, through both nights on which the clocks change."""

from datetime import UTC, datetime

import pytest

from nethealth.model.inventory import Blackout
from nethealth.plan import active


def holds(days: str, start: str, end: str, when: str, timezone: str = "Europe/London") -> bool:
    blackout = Blackout(site="hall", days=days, from_=start, to=end)
    return active([blackout], "hall", datetime.fromisoformat(when), timezone)


# 2026-11-23 is a Monday; Greenwich time.
@pytest.mark.parametrize(
    ("days", "start", "end", "when", "expected"),
    [
        ("mon-fri", "09:00", "10:30", "2026-11-23T08:59:59Z", False),
        ("mon-fri", "09:00", "10:30", "2026-11-23T09:00:00Z", True),
        ("mon-fri", "09:00", "10:30", "2026-11-23T10:29:59.999Z", True),
        ("mon-fri", "09:00", "10:30", "2026-11-23T10:30:00Z", False),
        ("mon-fri", "09:00", "10:30", "2026-11-22T09:30:00Z", False),  # Sunday
        # Over midnight: the days are those on which the window starts.
        ("fri", "22:00", "02:00", "2026-11-27T22:00:00Z", True),
        ("fri", "22:00", "02:00", "2026-11-28T01:59:59Z", True),
        ("fri", "22:00", "02:00", "2026-11-28T02:00:00Z", False),
        ("fri", "22:00", "02:00", "2026-11-28T22:00:00Z", False),
        ("fri", "22:00", "02:00", "2026-11-27T01:00:00Z", False),
        ("sun", "22:00", "02:00", "2026-11-23T01:00:00Z", True),  # over the end of the week
        # Equal times are a whole day.
        ("mon", "06:00", "06:00", "2026-11-23T05:59:59Z", False),
        ("mon", "06:00", "06:00", "2026-11-23T06:00:00Z", True),
        ("mon", "06:00", "06:00", "2026-11-24T05:59:59Z", True),
        ("mon", "06:00", "06:00", "2026-11-24T06:00:00Z", False),
        # In summer London is an hour ahead: 2026-07-06 is a Monday.
        ("mon", "09:00", "10:00", "2026-07-06T08:00:00Z", True),
        ("mon", "09:00", "10:00", "2026-07-06T09:00:00Z", False),
        ("mon", "00:00", "00:30", "2026-07-05T23:15:00Z", True),
    ],
)
def test_windows(days: str, start: str, end: str, when: str, expected: bool) -> None:
    assert holds(days, start, end, when) is expected


# 2026-03-29, a Sunday: at 01:00 GMT the clocks go to 02:00 BST.
@pytest.mark.parametrize(
    ("start", "end", "when", "expected"),
    [
        ("00:30", "02:30", "2026-03-29T00:29:59Z", False),
        ("00:30", "02:30", "2026-03-29T00:30:00Z", True),
        ("00:30", "02:30", "2026-03-29T00:59:59Z", True),
        ("00:30", "02:30", "2026-03-29T01:00:00Z", True),  # 02:00 BST
        ("00:30", "02:30", "2026-03-29T01:29:59Z", True),
        ("00:30", "02:30", "2026-03-29T01:30:00Z", False),  # 02:30 BST
        ("01:00", "02:00", "2026-03-29T00:59:59Z", False),  # an hour that is not there
        ("01:00", "02:00", "2026-03-29T01:00:00Z", False),
    ],
)
def test_the_night_in_spring(start: str, end: str, when: str, expected: bool) -> None:
    assert holds("sun", start, end, when) is expected


# 2026-10-25, a Sunday: at 01:00 GMT (02:00 BST) the clocks go back to 01:00 GMT.
@pytest.mark.parametrize(
    ("start", "end", "when", "expected"),
    [
        ("01:15", "01:45", "2026-10-25T00:14:59Z", False),
        ("01:15", "01:45", "2026-10-25T00:15:00Z", True),  # 01:15 BST
        ("01:15", "01:45", "2026-10-25T00:45:00Z", False),
        ("01:15", "01:45", "2026-10-25T01:15:00Z", True),  # 01:15 GMT
        ("01:15", "01:45", "2026-10-25T01:45:00Z", False),
        ("00:00", "02:00", "2026-10-24T23:00:00Z", True),  # three hours long on this night
        ("00:00", "02:00", "2026-10-25T01:59:59Z", True),
        ("00:00", "02:00", "2026-10-25T02:00:00Z", False),
    ],
)
def test_the_night_in_autumn(start: str, end: str, when: str, expected: bool) -> None:
    assert holds("sun", start, end, when) is expected


def test_only_the_sites_own_blackouts_count_and_any_of_them() -> None:
    when = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    blackouts = [
        Blackout(site="other", days="daily", from_="00:00", to="00:00"),
        Blackout(site="hall", days="sun", from_="09:00", to="10:00"),
        Blackout(site="hall", days="mon", from_="09:00", to="10:00"),
    ]
    assert active(blackouts, "hall", when, "UTC")
    assert not active(blackouts[:2], "hall", when, "UTC")
    assert active(blackouts, "other", when, "UTC")
    assert not active([], "hall", when, "UTC")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        active([], "hall", datetime(2026, 11, 23, 9, 30), "UTC")  # noqa: DTZ001 - the point
