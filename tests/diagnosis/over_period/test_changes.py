"""Before and after: what differed is told where the method was the same, and refused where not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from nethealth.cli.period_records import OfRecords
from nethealth.diagnosis.over_period.build import Facts, build, passing
from nethealth.model.inventory import Inventory, SweepSettings
from nethealth.model.period_report import Asked, Change
from nethealth.model.record import Record, Settings
from tests.reports import period_history
from tests.reports.period_history import CHANGE, INVENTORY

SINCE = datetime(2026, 9, 27, 23, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=period_history.DAYS, hours=1)  # summer time has ended meanwhile


def change(
    records: Sequence[Record], day: date = CHANGE, site: str = "hall", until: datetime = UNTIL
) -> Change:
    source = OfRecords(records)
    span = source.span(SINCE, until)
    asked = Asked(SINCE, until, "Europe/London", None, site, (day.isoformat(),))
    facts = Facts(span.runs, span.inventories, span.events)
    (found,) = build(asked, source.checks(SINCE, until, None, None), facts).changes
    return found


def before(record: Record) -> bool:
    return record.run.started.date() < CHANGE


@pytest.fixture(scope="module")
def history() -> list[Record]:
    return period_history.records()


def test_a_change_that_mattered_and_what_it_did_not_touch(history: list[Record]) -> None:
    found = change(history)
    assert found.refused is None
    assert (found.days_each_side, found.left_out) == (14, ())
    assert "2 assets with the same entry" in found.method
    by_name = {one.outcome: one for one in found.comparisons}
    loss = by_name["packet_loss_ratio"]
    assert (loss.before.value, loss.after.value, loss.pairs) == (0.05, 0.0, 14)
    assert loss.effect.value == pytest.approx(-0.05)
    assert loss.effect.interval == pytest.approx((-0.05, -0.05))
    # Fourteen pairs of days whose signs may be turned: the least p is 2 in 2 to the 14th.
    assert loss.p is not None
    assert loss.p < 0.001
    assert by_name["r_factor"].effect.value == pytest.approx(10, rel=1e-5)
    assert by_name["availability"].effect.value == 0
    delay = by_name["round_trip_delay_median_s"].effect
    assert delay.interval is not None
    assert delay.interval[0] <= 0 <= delay.interval[1]
    assert loss.controls == 2


def test_a_change_is_ranked_among_other_dates_only_where_these_are_many(
    history: list[Record],
) -> None:
    """Windows of 14 days each side, on the 15th of 42 days: only the 29th day is clear of it."""
    loss = change(history).comparisons[1]
    assert (loss.placebos, loss.rank) == (1, None)
    week = change(history, day=date(2026, 10, 5)).comparisons[1]
    assert week.placebos >= 9
    assert week.rank is not None
    assert 1 <= week.rank <= week.placebos + 1


@pytest.mark.parametrize(
    ("runs", "looked", "passed"), [(1, 20, False), (1, 21, True), (5, 5, False), (0, 0, True)]
)
def test_what_fewer_than_one_run_in_twenty_found_is_passing(
    runs: int, looked: int, passed: bool
) -> None:
    assert passing(runs, looked) is passed


def test_a_site_where_nothing_changed_shows_no_difference(history: list[Record]) -> None:
    loss = change(history, site="pathfinder").comparisons[1]
    assert (loss.outcome, loss.effect.value) == ("packet_loss_ratio", 0.0)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 10, 3), "5 before"),
        (date(2026, 11, 5), "and the period has 38 before and 3 after"),
        (date(2026, 12, 24), "the day is not in the period"),
    ],
)
def test_too_few_days_are_refused(history: list[Record], day: date, said: str) -> None:
    refused = change(history, day).refused
    assert refused is not None
    assert said in refused


def test_another_version_or_setting_after_it_is_refused(history: list[Record]) -> None:
    newer = [r if before(r) else replace(r, tool=replace(r.tool, version="0.2.0")) for r in history]
    assert change(newer).refused == (
        "it was not measured in the same way on both sides: version 0.1.0 before and 0.2.0 after"
    )
    more = Settings(sweep=SweepSettings(ping_count=100))
    assert "ping count 20 before and 100 after" in str(
        change([r if before(r) else replace(r, settings=more) for r in history]).refused
    )


def test_another_vantage_after_it_is_refused(history: list[Record]) -> None:
    moved = [r if before(r) else replace(r, run=replace(r.run, vantage="depot")) for r in history]
    assert "not measured from the same vantage on both sides" in str(change(moved).refused)


def other_address(inventory: Inventory, *assets: str) -> Inventory:
    return replace(
        inventory,
        asset=tuple(
            replace(one, address="198.18.9.9") if one.id in assets else one
            for one in inventory.asset
        ),
    )


def test_an_asset_with_another_entry_is_left_out_and_named(history: list[Record]) -> None:
    changed = other_address(INVENTORY, "hall-switch")
    found = change([r if before(r) else replace(r, inventory=changed) for r in history])
    assert (found.refused, found.left_out) == (None, ("hall-switch",))
    assert ", 1 asset with the same entry" in found.method
    all_changed = other_address(INVENTORY, "hall-switch", "hall-pbx")
    none = change([r if before(r) else replace(r, inventory=all_changed) for r in history])
    assert none.left_out == ("hall-pbx", "hall-switch")
    assert "no asset of the site was measured in the same way" in str(none.refused)


def test_another_owner_is_no_other_method(history: list[Record]) -> None:
    renamed = replace(INVENTORY, asset=tuple(replace(a, owner="FM") for a in INVENTORY.asset))
    assert change(
        [r if before(r) else replace(r, inventory=renamed) for r in history]
    ).left_out == (())


def test_hours_that_only_one_side_has_are_left_out(history: list[Record]) -> None:
    """Runs of the night are made before the change alone."""
    day_only = [
        r for r in history
        if before(r) or r.run.started.astimezone(period_history.ZONE).hour in (8, 12, 16)
    ]  # fmt: skip
    found = change(day_only)
    assert "3 hours of the day that both sides have" in found.method
    assert found.comparisons[1].effect.value == pytest.approx(-0.05)


def test_what_was_checked_by_hand_is_left_out(history: list[Record]) -> None:
    """Somebody checks the same asset, in trouble, a hundred times after the change."""
    rough = [
        replace(
            record,
            run=replace(record.run, id=f"{record.run.id}-hand", kind="check",
                        started=record.run.started + timedelta(minutes=5),
                        finished=record.run.started + timedelta(minutes=6)),
            observations=tuple(
                replace(one, value=0.95) if one.name == "packet_loss_ratio" else one
                for one in record.observations
            ),
            events=(), findings=(),
        )
        for record in history if not before(record)
    ]  # fmt: skip
    found, plain = change([*history, *rough]), change(history)
    assert [(one.outcome, one.after, one.effect, one.p) for one in found.comparisons] == [
        (one.outcome, one.after, one.effect, one.p) for one in plain.comparisons
    ]


def test_without_a_sweep_on_one_side_it_is_refused(history: list[Record]) -> None:
    assert change([r for r in history if before(r)]).refused == "there is no sweep after it"
