"""Columns of a period: what was stored comes back by check, in order, with its holes."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from math import isnan
from pathlib import Path

import pytest

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Observation, Scalar
from nethealth.model.period import CheckPeriod, Column, Gap
from nethealth.store import Store, open_store
from tests.store.records import WHEN, begun, finished, result

QUARTER = timedelta(minutes=15)
LATER = WHEN + timedelta(days=400)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{path}")) as opened:
        yield opened


def value(name: str, number: Scalar, check: str = "pbx:ping", **method: Scalar) -> Observation:
    return Observation(f"{check}/{name}{method}", check, name, number, None, 1.0, method=method)


def put(
    store: Store,
    run: str,
    after: timedelta,
    check: CheckResult | None = None,
    observations: Sequence[Observation] = (),
    kind: str = "sweep",
) -> None:
    head = begun(run, after=after, kind=kind)
    check = result() if check is None else check
    store.begin(head)
    store.append(run, check, observations)
    store.finish(replace(finished(head), checks=(check,), observations=tuple(observations)))


def read(store: Store, since: datetime = WHEN, until: datetime = LATER) -> list[CheckPeriod]:
    return list(store.period(since, until))


def listed(column: Column | None) -> list[float | None]:
    assert column is not None
    return [None if isnan(number) else round(number, 6) for number in column.values]


def test_a_sweep_adds_one_time_to_each_of_its_checks(store: Store) -> None:
    put(store, "r1", QUARTER * 0, observations=[value("packet_loss_ratio", 0.05)])
    put(store, "r2", QUARTER * 1, observations=[value("packet_loss_ratio", 0.25)])
    (one,) = read(store)
    assert (one.council, one.site, one.asset, one.probe) == ("scdc", "hall", "pbx", "ping")
    assert (one.vantage, one.check, one.target) == ("hq", "pbx:ping", "198.18.2.10")
    # The check began half a second after its run; a column holds whole seconds.
    first = int(WHEN.timestamp())
    assert list(one.times_s) == [first, first + 900]
    assert listed(one.column("packet_loss_ratio")) == [0.05, 0.25]
    assert (one.checks, one.ran, one.step_s()) == (2, 2, 900)


def test_what_was_not_measured_is_no_number_and_what_was_not_run_is_told_apart(
    store: Store,
) -> None:
    silent = replace(result(), failure=Failure.TIMEOUT)
    refused = replace(result(), outcome=Outcome.NOT_RUN, reason="blackout", started_s=None)
    put(store, "r1", QUARTER * 0, observations=[value("packet_loss_ratio", 0.0)])
    put(store, "r2", QUARTER * 1, silent, [value("packet_loss_ratio", 1.0)])
    put(store, "r3", QUARTER * 2, refused)
    put(
        store, "r4", QUARTER * 3,
        observations=[value("round_trip_delay_median_s", 0.02), value("packet_loss_ratio", None)],
    )  # fmt: skip
    (one,) = read(store)
    assert [ending[1:] for ending in one.endings()] == [
        (Outcome.COMPLETED, None),
        (Outcome.COMPLETED, Failure.TIMEOUT),
        (Outcome.NOT_RUN, None),
        (Outcome.COMPLETED, None),
    ]
    assert listed(one.column("packet_loss_ratio")) == [0.0, 1.0, None, None]
    assert listed(one.column("round_trip_delay_median_s")) == [None, None, None, 0.02]
    assert (one.checks, one.ran) == (4, 3)


def test_a_day_without_a_run_is_a_gap_and_nothing_is_put_into_it(store: Store) -> None:
    for n in (0, 1, 2, 98, 99):
        put(store, f"r{n}", QUARTER * n, observations=[value("packet_loss_ratio", 0.0)])
    (one,) = read(store)
    assert one.checks == 5
    begins, ends = WHEN + QUARTER * 2, WHEN + QUARTER * 98
    assert one.gaps(WHEN, WHEN + QUARTER * 100) == (Gap(begins, ends),)
    # A check that began late, or ended early, was not measured there either.
    wide = one.gaps(WHEN - timedelta(days=1), WHEN + timedelta(days=3))
    assert wide[0].end == WHEN
    assert wide[-1].start == WHEN + QUARTER * 99


def test_directions_and_marks_are_series_of_their_own(store: Store) -> None:
    put(
        store, "r1", QUARTER,
        observations=[
            value("packet_loss_ratio", 0.1, direction="forward", dscp=46, address="198.18.2.10"),
            value("packet_loss_ratio", 0.2, direction="return", dscp=46),
            # Beside a load of our own: no state of the line.
            value("packet_loss_ratio", 0.9, direction="forward", phase="download"),
            # No number, and no name that is followed.
            value("r_factor", True), value("sip_server", "Kamailio"),
        ],
    )  # fmt: skip
    (one,) = read(store)
    assert [(column.name, dict(column.method)) for column in one.columns] == [
        ("packet_loss_ratio", {"direction": "forward", "dscp": 46}),
        ("packet_loss_ratio", {"direction": "return", "dscp": 46}),
    ]
    assert listed(one.column("packet_loss_ratio", direction="return")) == [0.2]
    assert one.column("packet_loss_ratio", direction="round-trip") is None


def test_rounds_of_a_steady_stream_are_one_check_of_many_parts(store: Store) -> None:
    head = begun("r1")
    store.begin(head)
    for n in range(600):  # more than two parts of one day
        check = "pbx:ping" if n == 0 else f"pbx:ping#{n + 1}"
        each = replace(result(check), started_s=10.0 * n)
        seen = [value("packet_loss_ratio", n / 1000, check)] if n % 2 else []
        store.append("r1", each, seen)
    store.finish(finished(head))
    (one,) = read(store)
    begin = int(WHEN.timestamp())
    assert list(one.times_s) == [begin + 10 * n for n in range(600)]
    expected = [n / 1000 if n % 2 else None for n in range(600)]
    assert listed(one.column("packet_loss_ratio")) == expected


def test_a_period_has_its_first_moment_and_not_its_last(store: Store) -> None:
    for n in range(4):
        put(store, f"r{n}", QUARTER * n, observations=[value("packet_loss_ratio", n / 10)])
    (one,) = read(store, WHEN + QUARTER, WHEN + QUARTER * 3)
    assert listed(one.column("packet_loss_ratio")) == [0.1, 0.2]
    assert read(store, WHEN + QUARTER * 4) == []


def test_runs_that_were_stored_late_stand_where_they_were_made(store: Store) -> None:
    for n in (3, 1, 2, 0):
        put(store, f"r{n}", QUARTER * n, observations=[value("packet_loss_ratio", n / 10)])
    (one,) = read(store)
    assert listed(one.column("packet_loss_ratio")) == [0.0, 0.1, 0.2, 0.3]
    assert list(one.times_s) == sorted(one.times_s)


def test_only_what_is_asked_for_is_read(store: Store) -> None:
    elsewhere = CheckResult(
        "b:ping", "ping", "hdc", "b", None, "198.18.3.1", Outcome.COMPLETED, started_s=0.0
    )
    put(store, "r1", QUARTER, observations=[value("packet_loss_ratio", 0.0)])
    put(store, "r2", QUARTER, elsewhere, [value("packet_loss_ratio", 0.0, "b:ping")])
    capture = replace(result("capture", None), probe="capture", site=None, council=None)
    put(store, "r3", QUARTER, capture, [value("packet_loss_ratio", 0.5, "capture")])
    assert [one.site for one in store.period(WHEN, LATER)] == ["b", "hall"]  # by council first
    assert [one.site for one in store.period(WHEN, LATER, council="hdc")] == ["b"]
    assert [one.asset for one in store.period(WHEN, LATER, asset="pbx")] == ["pbx"]
    assert [one.site for one in store.period(WHEN, LATER, site="b", vantage="hq")] == ["b"]
    assert not list(store.period(WHEN, LATER, vantage="other"))
    (bare,) = store.period(WHEN, LATER, site="hall", names=())
    assert (bare.checks, bare.columns) == (1, ())


def test_an_asset_with_a_new_address_is_the_same_check_and_at_a_new_site_another(
    store: Store,
) -> None:
    put(store, "r1", QUARTER)
    put(store, "r2", QUARTER * 2, replace(result(), target="198.18.2.99"))
    put(store, "r3", QUARTER * 3, replace(result(), site="annex"))
    found = {one.site: (one.checks, one.target) for one in read(store)}
    assert found == {"hall": (2, "198.18.2.99"), "annex": (1, "198.18.2.10")}


def test_a_store_of_an_older_version_is_filled_when_a_period_is_first_asked_for(
    path: Path,
) -> None:
    observations = [value("packet_loss_ratio", 0.5, direction="forward")]
    with closing(open_store(f"sqlite:///{path}")) as store:
        put(store, "r1", QUARTER, observations=observations)
        put(store, "r2", QUARTER * 2, observations=observations)
        expected = read(store)[0]
    with closing(sqlite3.connect(path)) as older:  # as that version would have left it
        for table in ("packed_checks", "packed_columns", "packed_parts", "packed_up_to"):
            older.execute(f"DROP TABLE {table}")
        older.commit()
    with closing(open_store(f"sqlite:///{path}")) as store:
        put(store, "r3", QUARTER * 3, observations=observations)
        (one,) = read(store)
        assert list(one.times_s[:2]) == list(expected.times_s)
        assert listed(one.column("packet_loss_ratio", direction="forward")) == [0.5, 0.5, 0.5]
        put(store, "r4", QUARTER * 4, observations=observations)
        assert read(store)[0].checks == 4


def test_what_an_older_version_writes_beside_this_one_is_packed_once(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        put(store, "r1", QUARTER, observations=[value("packet_loss_ratio", 0.1)])
        with closing(sqlite3.connect(path)) as older:
            older.execute(
                "INSERT INTO runs SELECT 77, 'old', kind, vantage, started, finished, interrupted,"
                " inventory_key, head FROM runs WHERE id = 'r1'"
            )
            older.execute(
                "INSERT INTO checks SELECT 2, 77, position, id, probe, council, site, asset,"
                " target, outcome, failure, reason, started_s + 60, finished_s FROM checks"
            )
            older.commit()
        put(store, "r2", QUARTER * 2, observations=[value("packet_loss_ratio", 0.2)])
        (one,) = read(store)
        assert listed(one.column("packet_loss_ratio")) == [0.1, None, 0.2]
        assert read(store)[0].checks == 3
