"""Figures of a period from columns made by hand, each worked out on paper."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import nan

import numpy as np
import pytest

from nethealth.diagnosis.over_period.build import Facts, build
from nethealth.diagnosis.over_period.calendar import calendar
from nethealth.diagnosis.over_period.figures import digest, quantiles_by_day
from nethealth.model.check import ProbeKind
from nethealth.model.failure import Failure, Outcome
from nethealth.model.inventory import SweepSettings
from nethealth.model.observation import Event
from nethealth.model.period import CheckPeriod, Column, state_of
from nethealth.model.period_codec import plain, sealed, typed
from nethealth.model.period_report import Asked, PeriodReport, RunFacts

SINCE, UNTIL = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
ASKED = Asked(SINCE, UNTIL, "UTC")
DONE = state_of(Outcome.COMPLETED, None)
HOUR = 3600


def check(
    times_h: list[float],
    states: list[int],
    probe: ProbeKind = "ping",
    asset: str = "pbx",
    site: str = "hall",
    **columns: list[float],
) -> CheckPeriod:
    start = int(SINCE.timestamp())
    return CheckPeriod(
        "hq", "scdc", site, asset, probe, f"{asset}:{probe}", "198.18.2.10",
        array("I", [start + int(h * HOUR) for h in times_h]), array("B", states),
        tuple(Column(name, None, {}, array("f", values)) for name, values in columns.items()),
    )  # fmt: skip


def built(
    *checks: CheckPeriod, asked: Asked = ASKED, events: tuple[Event, ...] = ()
) -> PeriodReport:
    return build(asked, checks, Facts((), {}, events))


def test_answered_loss_and_delay_of_four_pings() -> None:
    """On the 2nd: one clean, one losing half; on the 3rd: one silent, one not run."""
    report = built(check(
        [1, 2, 25, 26], [DONE, DONE, DONE, state_of(Outcome.NOT_RUN, None)],
        packet_loss_ratio=[0.0, 0.5, 1.0, nan],
        round_trip_delay_median_s=[0.010, 0.030, nan, nan],
        r_factor=[90.0, 50.0, nan, nan],
    ))  # fmt: skip
    site, asset = report.places
    assert (site.asset, asset.asset) == (None, "pbx")
    assert (asset.due, asset.measured, asset.hours) == (4, 3, 3)
    assert asset.availability.value == pytest.approx(2 / 3, rel=1e-5)
    assert asset.availability.samples == 3
    assert asset.loss.value == 0.25  # of the two that were answered
    assert asset.delay_median_s.value == pytest.approx(0.020, rel=1e-6)
    assert asset.delay_p95_s.value == pytest.approx(0.010 + 0.95 * 0.020, rel=1e-5)
    assert asset.r_factor_p5.value == pytest.approx(50 + 0.05 * 40, rel=1e-5)
    assert asset.daily.checks == (2, 1, 0)
    assert asset.daily.answered == (2, 0, 0)
    assert asset.daily.loss_ratio == (0.25, None, None)
    assert asset.daily.hours == (2, 1, 0)
    assert report.hours == (24, 24, 24)
    assert replace(site, asset="pbx", sha256=asset.sha256) == asset  # the site's only one


@pytest.mark.parametrize(
    ("outcome", "failure", "measured", "answered"),
    [
        (Outcome.COMPLETED, None, 1, 1),
        (Outcome.FAILED, Failure.REFUSED, 1, 0),
        (Outcome.COMPLETED, Failure.TIMEOUT, 1, 0),
        (Outcome.FAILED, Failure.RESOLVE, 0, 0),
        (Outcome.COMPLETED, Failure.INTERRUPTED, 0, 0),
        (Outcome.NOT_RUN, None, 0, 0),
    ],
)
def test_how_a_check_ended_decides_what_it_counts_for(
    outcome: Outcome, failure: Failure | None, measured: int, answered: int
) -> None:
    (site, _) = built(check([5], [state_of(outcome, failure)], "tcp")).places
    assert (site.measured, sum(site.daily.answered)) == (measured, answered)


def test_a_probe_that_asks_nobody_counts_as_time_observed_and_not_as_an_answer() -> None:
    (site, _) = built(check([5], [DONE], "snmp")).places
    assert (site.measured, site.hours, site.availability.samples) == (1, 1, 0)
    assert site.availability.value is None


def test_a_test_call_goes_before_ping_for_the_quality_of_speech() -> None:
    (site, *_) = built(
        check([1], [DONE], "call", r_factor=[80.0]), check([1], [DONE], "ping", r_factor=[92.0])
    ).places
    assert (site.r_basis, site.r_factor_median.value) == ("call", 80.0)


def test_hours_of_several_assets_are_counted_once() -> None:
    (site, *_) = built(
        check([1.0, 2.0], [DONE] * 2, asset="a"), check([1.5, 3.0], [DONE] * 2, asset="b")
    ).places
    assert site.hours == 3


def test_quantiles_by_day_are_those_of_numpy() -> None:
    random = np.random.default_rng(7)
    day = random.integers(0, 12, 500)
    values = random.normal(size=500)
    found = quantiles_by_day((day, values), 0.95, 13)
    for number in range(12):
        assert found[number] == pytest.approx(np.quantile(values[day == number], 0.95))
    assert np.isnan(found[12])


def test_a_gap_is_three_usual_steps_and_says_whether_a_run_was_made_meanwhile() -> None:
    began = datetime(2026, 11, 3, 6, tzinfo=UTC)
    ended = began + timedelta(minutes=1)
    run = RunFacts("r", "sweep", "hq", began, ended, False, "0.1.0", SweepSettings(), "")
    hours = [h for h in range(72) if not 24 <= h < 36]
    report = build(ASKED, [check(list(map(float, hours)), [DONE] * len(hours))], Facts([run], {}))
    (hole,) = report.holes
    assert (hole.start, hole.end, hole.runs) == (
        datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 12, tzinfo=UTC), 1,
    )  # fmt: skip


def test_days_with_an_event_stand_beside_days_without() -> None:
    event = Event("e", datetime(2026, 11, 3, 9, tzinfo=UTC), "page", "hall")
    lost = Event("f", datetime(2026, 11, 3, 9, tzinfo=UTC), "page")
    elsewhere = Event("g", datetime(2026, 11, 3, 9, tzinfo=UTC), "page", "depot")
    report = built(
        check([1, 25, 49], [DONE] * 3, packet_loss_ratio=[0.0, 0.2, 0.1]),
        events=(event, lost, elsewhere),
    )
    unknown, hall = report.events
    assert (unknown.site, unknown.loss_with) == (None, None)
    assert hall.by_day == (0, 1, 0)
    assert hall.loss_with == pytest.approx(0.2, rel=1e-5)
    assert hall.loss_without == pytest.approx(0.05, rel=1e-5)


def test_a_digest_is_of_values_and_not_of_the_order_of_columns() -> None:
    one = check([1], [DONE], packet_loss_ratio=[0.1], r_factor=[90.0])
    other = check([1], [DONE], r_factor=[90.0], packet_loss_ratio=[0.1])
    assert digest(one) == digest(other)
    for changed in (
        check([1], [DONE], packet_loss_ratio=[0.1001], r_factor=[90.0]),
        check([2], [DONE], packet_loss_ratio=[0.1], r_factor=[90.0]),
        check([1], [state_of(Outcome.COMPLETED, Failure.TIMEOUT)], packet_loss_ratio=[0.1],
              r_factor=[90.0]),
        check([1], [DONE], asset="ata", packet_loss_ratio=[0.1], r_factor=[90.0]),
    ):  # fmt: skip
        assert digest(changed) != digest(one)


def test_a_period_comes_back_from_json_as_it_was_and_keeps_its_seal() -> None:
    report = built(check([1, 2], [DONE] * 2, packet_loss_ratio=[0.0, 0.5]))
    again = typed(plain(report))
    assert again == report
    assert sealed(again).sha256 == report.sha256
    assert sealed(replace(report, runs=7)).sha256 != report.sha256


def test_the_hours_of_a_site_over_the_end_of_summer_time() -> None:
    """A check every hour of UTC: all of the 25 hours of 25 October are observed."""
    since, until = datetime(2026, 10, 23, 23, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC)
    days = calendar(since, until, "Europe/London")
    start = int(since.timestamp())
    times = array("I", [start + HOUR * n for n in range(int(days.hours.sum()))])
    one = replace(check([0], [DONE]), times_s=times, states=array("B", [DONE] * len(times)))
    (site, _) = built(one, asked=Asked(since, until, "Europe/London")).places
    assert site.daily.hours == (24, 25, 24)
    assert site.hours == 73
