"""What happened, laid beside a site's round trips afterwards: no more than suggestive."""

import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from nethealth.diagnosis.catalogue import CODES, MECHANISMS
from nethealth.diagnosis.history.exposures import EVENT_MECHANISMS, SERIES_MECHANISMS
from nethealth.model.finding import Direction, Severity, Verdict
from nethealth.model.observation import Event, Observation, Passport
from tests.diagnosis.histories import DAY, MONDAY, Pinged, judged

DAYS = 42


def times(seed: int, number: int) -> list[int]:
    """Executions at which something happens: random hours in the office hours of random days."""
    random = np.random.default_rng(seed)
    days = [day for day in range(1, DAYS - 1) if day % 7 < 5]
    chosen = sorted(random.choice(days, number, replace=False).tolist())
    return [day * DAY + 4 * int(random.integers(9, 16)) for day in chosen]


def loads(executions: list[int], error_s: float = 1.0) -> list[Event]:
    return [
        Event(f"load:{at}", MONDAY + timedelta(minutes=15 * at), "tftp-load", "hall", None,
              "syslog", error_s)
        for at in executions
    ]  # fmt: skip


def host(executions: list[int], lift_s: float, seed: int = 2) -> Pinged:
    random = np.random.default_rng(seed)
    values = 0.02 + random.exponential(0.002, DAYS * DAY)
    for at in executions:
        values[at : at + 8] += lift_s
    return Pinged("hall-a", DAYS * DAY, delay_s=[float(value) for value in values])


def test_every_mechanism_can_be_a_finding() -> None:
    codes = {*EVENT_MECHANISMS.values(), *(code for code, _ in SERIES_MECHANISMS.values())}
    assert codes <= MECHANISMS
    assert codes <= set(CODES)


def test_what_comes_after_events_is_suggestive_and_no_more() -> None:
    at = times(1, 15)
    _, found = judged(host(at, 0.02), days=DAYS, events=loads(at))
    one = found["firmware-wave:hall:history-tftp-load"]
    assert (one.verdict, one.severity, one.direction) == (
        Verdict.SUGGESTIVE, Severity.INFO, Direction.UNDETERMINED,
    )  # fmt: skip
    assert one.effect is not None
    assert one.effect.p is not None
    assert 0 < one.effect.p < 0.05
    assert abs(one.effect.estimate - 0.02) < 0.002
    assert "experiment plan" in one.missing[0]
    assert len(one.evidence) == 15


def test_events_after_which_nothing_comes_are_no_evidence_with_what_would_have_been_found() -> None:
    at = times(1, 15)
    _, found = judged(host(times(9, 15), 0.0), days=DAYS, events=loads(at))
    one = found["firmware-wave:hall:history-tftp-load"]
    assert one.verdict is Verdict.NO_EVIDENCE
    assert "would have been found 8 times in 10" in one.statement


def test_fewer_than_five_events_are_shown_one_by_one() -> None:
    at = times(3, 3)
    _, found = judged(host(at, 0.02), days=DAYS, events=loads(at))
    one = found["firmware-wave:hall:history-tftp-load"]
    assert one.verdict is Verdict.INSUFFICIENT_DATA
    assert "has 3 events with data around them: " in one.statement
    shown = re.findall(r"([0-9.]+) ms", one.statement)
    assert [float(value) for value in shown] == [pytest.approx(20, abs=3)] * 3
    assert one.effect is not None
    assert one.effect.p is None


def test_events_alike_on_all_days_cannot_be_told_from_the_time_of_day() -> None:
    at = [day * DAY + 40 for day in range(DAYS)]
    _, found = judged(host(at, 0.02), days=DAYS, events=loads(at))
    one = found["firmware-wave:hall:history-tftp-load"]
    assert one.verdict is Verdict.INSUFFICIENT_DATA
    assert "alike on all days" in one.statement


def test_clocks_that_differ_by_much_tell_nothing() -> None:
    at = times(1, 15)
    _, found = judged(host(at, 0.02), days=DAYS, events=loads(at, error_s=1800.0))
    one = found["firmware-wave:hall:history-tftp-load"]
    assert one.verdict is Verdict.INSUFFICIENT_DATA
    assert "the clocks differ by up to 1800 s" in one.statement


def test_events_of_another_site_or_of_no_mechanism_are_not_laid_beside_it() -> None:
    at = times(1, 15)
    other = [Event(one.id, one.time, one.kind, "annex") for one in loads(at)]
    lifts = [Event(f"l{n}", one.time, "lift", "hall") for n, one in enumerate(loads(at))]
    _, found = judged(host(at, 0.02), days=DAYS, events=[*other, *lifts])
    assert not [id_ for id_ in found if "history-tftp" in id_ or "lift" in id_]


def captured(hours: list[int], days: int) -> tuple[Observation, ...]:
    """A capture over whole days from their first, with 5,000 multicast packets in these hours."""
    method = {"capture_started": MONDAY.isoformat()}
    series = Observation(
        "capture/2", "capture", "multicast_per_bin_max", 5000, t_s=0.0,
        method={**method, "bin_s": 3600.0, "bin_offsets": hours,
                "bin_counts": [5000] * len(hours)},
    )  # fmt: skip
    lasted = Observation("capture/1", "capture", "capture_duration_s", days * 86_400.0, t_s=0.0,
                         method=method)  # fmt: skip
    return (lasted, series)


def test_what_captures_saw_for_days_is_laid_beside_the_round_trips() -> None:
    random = np.random.default_rng(4)
    hours = sorted({day * 24 + int(random.integers(8, 18)) for day in range(20) for _ in (0, 1)})
    _, found = judged(host([4 * hour for hour in hours], 0.02), days=DAYS,
                      capture=captured(hours, 20))  # fmt: skip
    one = found["multicast-flood:hall:history-capture"]
    assert one.verdict is Verdict.SUGGESTIVE
    assert "was looked at over 480 bins" in one.statement
    assert one.evidence == ("capture/2",)
    _, found = judged(host([], 0.0), days=DAYS, capture=captured(hours, 20))
    assert found["multicast-flood:hall:history-capture"].verdict is Verdict.NO_EVIDENCE


def test_a_capture_of_few_days_is_laid_beside_nothing() -> None:
    _, found = judged(host([40], 0.02), days=DAYS, capture=captured([10, 30], 4))
    assert "multicast-flood:hall:history-capture" not in found


def talked(hours: list[int], calls: int) -> list[Event]:
    """So many calls of 50 minutes in each of these hours, and one of a minute every day at six."""
    spans = [(hour * 60 + 5, 50) for hour in hours for _ in range(calls)]
    spans += [(day * 1440 + 360, 1) for day in range(DAYS)]
    return [
        Event(f"{kind}:{number}", MONDAY + timedelta(minutes=at), kind, "hall", None, "calls", 1.0)
        for number, (start, lasts) in enumerate(spans)
        for kind, at in (("call-start", start), ("call-end", start + lasts))
    ]


def test_calls_at_once_are_laid_beside_the_round_trips_however_many_they_are() -> None:
    random = np.random.default_rng(4)
    hours = sorted({day * 24 + int(random.integers(8, 18)) for day in range(20) for _ in (0, 1)})
    _, found = judged(host([4 * hour for hour in hours], 0.02), days=DAYS, events=talked(hours, 8))
    one = found["call-load:hall:history-calls"]
    assert (one.verdict, one.direction) == (Verdict.SUGGESTIVE, Direction.UNDETERMINED)
    assert "after more calls at once in the call records was looked at" in one.statement
    _, found = judged(host([], 0.0), days=DAYS, events=talked(hours, 8))
    assert found["call-load:hall:history-calls"].verdict is Verdict.NO_EVIDENCE


def test_registrations_of_captures_are_laid_beside_the_round_trips() -> None:
    random = np.random.default_rng(4)
    hours = sorted({day * 24 + int(random.integers(8, 18)) for day in range(20) for _ in (0, 1)})
    lasted, series = captured(hours, 20)
    asked = [900 if hour in hours else 3 for hour in range(480)]
    method: Passport = {"capture_started": MONDAY.isoformat(), "bin_s": 3600, "requests": asked}
    registered = replace(series, name="registration_requests_per_s_max", value=0.25, method=method)
    _, found = judged(host([4 * hour for hour in hours], 0.02), days=DAYS,
                      capture=(lasted, registered))  # fmt: skip
    one = found["registration-avalanche:hall:history-capture"]
    assert one.verdict is Verdict.SUGGESTIVE
    assert "more registrations in captures" in one.statement
