"""A record's checks as columns of a period."""

from datetime import UTC, datetime

import pytest

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Observation
from nethealth.model.period_columns import columns_of
from nethealth.model.record import Record, Run, Tool

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)
STARTED_S = 1_772_355_600  # date -u -d 2026-03-01T09:00Z +%s


def ping(id_: str, started_s: float | None) -> CheckResult:
    return CheckResult(
        id_, "ping", "scdc", "hall", "pbx", "198.18.2.10", Outcome.COMPLETED, started_s=started_s
    )


def record(*checks: CheckResult, observations: tuple[Observation, ...] = ()) -> Record:
    run = Run(id="r1", kind="sweep", vantage="hq", started=STARTED, finished=STARTED)
    return Record(Tool(version="1"), run, Inventory(), checks=checks, observations=observations)


def test_rounds_are_one_check_and_a_sum_of_history_is_none() -> None:
    (one,) = columns_of(record(ping("pbx:ping", 1), ping("pbx:ping#2", 61), ping("pbx:history", 0)))
    assert one.check == "pbx:ping"
    assert list(one.times_s) == [STARTED_S + 1, STARTED_S + 61]


@pytest.mark.parametrize("started_s", [None, float("inf"), float("nan"), 1e300])
def test_a_time_that_cannot_be_is_that_of_the_run(started_s: float | None) -> None:
    (one,) = columns_of(record(ping("pbx:ping", started_s)))
    assert list(one.times_s) == [STARTED_S]
