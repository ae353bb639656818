"""What a period's faults cost: for the hours that they held, not from the first run to the last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nethealth.case.example import example
from nethealth.case.parsing import parse_case
from nethealth.case.result import work_out
from nethealth.inventory import example as sites_example
from nethealth.inventory import parse
from nethealth.model.episodes import EPISODES_MOST, Sweeps
from nethealth.model.finding import Finding, Severity, Verdict
from nethealth.model.inventory import SweepSettings
from nethealth.model.period_codec import plain
from nethealth.model.period_report import Asked, PeriodReport, RunFacts, Seen
from nethealth.model.record import Record, Run, RunKind, Tool

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITES = parse(sites_example())
CASE = parse_case(example(), SITES)


def run(number: float, kind: RunKind = "sweep", vantage: str = "hq") -> RunFacts:
    began = MONDAY + number * HOUR
    return RunFacts(f"{vantage}{number:g}", kind, vantage, began, began + HOUR / 60, False, "0.1.0",
                    SweepSettings(), "")  # fmt: skip


def hours(episodes: tuple[tuple[datetime, datetime], ...]) -> list[tuple[float, float]]:
    """Whole hours since Monday at which each episode begins and its last run began."""
    return [((a - MONDAY) / HOUR, (b - MONDAY - HOUR / 60) / HOUR) for a, b in episodes]


def test_sweeps_that_follow_each_other_are_one_episode() -> None:
    sweeps = Sweeps([run(n) for n in range(6)])
    assert hours(sweeps.episodes(["hq0", "hq1", "hq2", "hq4"])) == [(0, 2), (4, 4)]


def test_each_vantage_has_its_own_sweeps_and_a_check_by_hand_stands_alone() -> None:
    sweeps = Sweeps([run(0), run(0.5, vantage="lab"), run(1), run(1.5, "check"), run(2)])
    assert hours(sweeps.episodes(["hq0", "lab0.5", "hq1", "hq1.5", "hq2"])) == [
        (0, 2), (0.5, 0.5), (1.5, 1.5),
    ]  # fmt: skip


def test_of_very_many_episodes_the_longest_are_kept() -> None:
    runs = [run(n) for n in range(3 * EPISODES_MOST + 3)]
    made = [one.id for n, one in enumerate(runs) if n % 3 == 0 or n in (1, 2)]
    found = hours(Sweeps(runs).episodes(made))
    assert len(found) == EPISODES_MOST
    assert found[0] == (0, 3)


def period_record(*episodes: tuple[float, float]) -> Record:
    spans = tuple((MONDAY + a * HOUR, MONDAY + b * HOUR) for a, b in episodes)
    first, last = spans[0][0], spans[-1][1]
    site = SITES.site[0]
    finding = Finding(
        f"packet-loss:{site.id}", "packet-loss", site.council, site.id, None, first, last,
        Severity.WARNING, Verdict.DEMONSTRATED, None, "Loss.", "Look.",
    )  # fmt: skip
    asked = Asked(MONDAY - 9 * HOUR, MONDAY + timedelta(days=14), "UTC")
    seen = Seen(finding.id, 5, 100, first, last, "hq0", spans, passing=False)
    report = PeriodReport(asked, (), (), 100, 0, ("hq",), ("0.1.0",), (), (), (), (), (seen,), ())
    inventory = replace(SITES, vantage=replace(SITES.vantage, timezone="UTC"))
    return Record(
        tool=Tool("0.1.0"), run=Run("p", "report", "hq", last, last), inventory=inventory,
        findings=(finding,), period=plain(report),
    )  # fmt: skip


def test_a_fault_of_two_mornings_costs_three_hours_and_not_three_days() -> None:
    """Monday from 9 to 11 and Wednesday from 9 to 10: within any office's hours."""
    record = period_record((0, 2), (48, 49))
    cost = work_out(CASE, record).disruption
    assert cost is not None
    (priced,) = cost.priced
    assert priced.working_h == pytest.approx(3)
    expected = 3 * priced.staff.central * priced.impairment.central * cost.rate_gbp_per_h.central
    assert priced.gbp.central == pytest.approx(expected)
    assert cost.total_gbp.central == pytest.approx(expected)
    assert cost.observed_h == pytest.approx(14 * 24 + 9)
    whole = replace(record, period=None)
    spanned = work_out(CASE, whole).disruption
    assert spanned is not None
    assert spanned.priced[0].working_h > 15  # what the span from first to last would have been
