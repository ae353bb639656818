"""How many calls a site had at once, against calls counted on paper."""

from datetime import UTC, datetime, timedelta

import numpy as np

from nethealth.diagnosis.history.calls import calls_at_once
from nethealth.diagnosis.history.frame import frame
from nethealth.model.observation import Event

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
START_S = int(MIDNIGHT.timestamp())
TWO_DAYS = frame(START_S, START_S + 2 * 86_400, "UTC")


def events(*moments: tuple[str, int]) -> list[Event]:
    """Kind and minute after midnight."""
    return [
        Event(f"{kind}:{number}", MIDNIGHT + timedelta(minutes=minute), kind, "hall")
        for number, (kind, minute) in enumerate(moments)
    ]


def test_two_calls_of_thirty_minutes_within_an_hour_are_one_call_on_average() -> None:
    mean = calls_at_once(
        events(("call-start", 540), ("call-start", 555), ("call-end", 570), ("call-end", 585)),
        TWO_DAYS,
    )
    assert mean[9] == 1.0
    assert (mean[[*range(9), *range(10, 24)]] == 0).all()


def test_a_day_without_a_record_is_not_known_to_be_quiet() -> None:
    mean = calls_at_once(events(("call-start", 60), ("call-end", 90)), TWO_DAYS)
    assert np.isfinite(mean[:24]).all()
    assert np.isnan(mean[24:]).all()


def test_a_call_from_before_the_records_is_in_progress_until_it_ends() -> None:
    mean = calls_at_once(events(("call-end", 60), ("call-start", 120), ("call-end", 180)), TWO_DAYS)
    assert mean[:4].tolist() == [1.0, 0.0, 1.0, 0.0]


def test_ends_alone_tell_nothing() -> None:
    assert np.isnan(calls_at_once(events(("call-end", 60)), TWO_DAYS)).all()
