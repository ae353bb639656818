"""What the record of a run holds of the runs before it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nethealth.model.check import CheckResult
from nethealth.model.failure import Outcome
from nethealth.model.observation import Observation
from nethealth.model.record import Record, Run, Tool
from nethealth.store import Store, last_tables, open_store, past_of
from nethealth.store.past import BACK

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ROOM = CheckResult(
    "room:snmp", "snmp", "c", "hall", "room", "198.18.2.3", Outcome.COMPLETED,
    started_s=0.0, finished_s=1.0,
)  # fmt: skip


def keep(store: Store, at: datetime, *seen: tuple[str, float | str, dict[str, str]]) -> None:
    """One run of one check."""
    run = Run(f"{at:%Y%m%dT%H%M%S}", "sweep", "here", at, finished=at + timedelta(seconds=2))
    record = Record(
        Tool("0"), run, checks=(ROOM,),
        observations=tuple(
            Observation(f"room:snmp/{at_}", "room:snmp", name, value, t_s=1.0, method=method)
            for at_, (name, value, method) in enumerate(seen, 1)
        ),
    )  # fmt: skip
    store.begin(replace(record, checks=(), observations=()))
    store.finish(record)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'history.db'}")


def test_a_trend_is_kept_in_quarters_of_an_hour_and_a_counter_as_it_last_stood(
    store: Store,
) -> None:
    for minutes in range(0, 60, 5):
        keep(
            store,
            NOW - timedelta(minutes=60 - minutes),
            ("temperature_celsius", 20.0 + minutes, {"sensor": "Inlet", "address": "x"}),
            ("temperature_celsius", 25.0, {"sensor": "Outlet", "address": "x"}),
            ("ethernet_late_collisions_count", minutes, {"interface": "Gi0/1", "address": "x"}),
            ("interface_in_octets_count", minutes, {"interface": "Gi0/1"}),
        )
    past = past_of(store, [ROOM], NOW)
    inlet = [one for one in past if one.method.get("sensor") == "Inlet"]
    # 11:00 to 11:55 in steps of five minutes: the last of each quarter, and the latest three.
    assert [one.value for one in inlet] == [30.0, 45.0, 60.0, 65.0, 70.0, 75.0]
    assert inlet[0].time == datetime(2026, 11, 25, 11, 10, 1, tzinfo=UTC)
    assert inlet[0].method == {"sensor": "Inlet"}
    assert len([one for one in past if one.method.get("sensor") == "Outlet"]) == 6
    late = [one for one in past if one.name == "ethernet_late_collisions_count"]
    assert [one.value for one in late] == [55]
    assert not [one for one in past if one.name == "interface_in_octets_count"]
    store.close()


def test_neither_later_runs_nor_older_ones_than_a_day(store: Store) -> None:
    for at in (NOW - BACK - timedelta(minutes=1), NOW - timedelta(hours=2), NOW):
        keep(store, at, ("temperature_celsius", 20.0, {"sensor": "Inlet"}))
    assert len(past_of(store, [ROOM], NOW)) == 1
    assert past_of(store, [replace(ROOM, probe="ping")], NOW) == ()
    store.close()


def test_a_loaded_run_has_no_past_of_its_own(store: Store) -> None:
    keep(store, NOW - timedelta(hours=1), ("temperature_celsius", 20.0, {"sensor": "Inlet"}))
    assert store.load(f"{NOW - timedelta(hours=1):%Y%m%dT%H%M%S}").past == ()
    store.close()


def test_when_tables_were_last_read(store: Store) -> None:
    keep(store, NOW - timedelta(minutes=40), ("arp_entry_count", 9, {}))
    keep(store, NOW - timedelta(minutes=10), ("temperature_celsius", 20.0, {"sensor": "Inlet"}))
    found = last_tables(store, [ROOM], NOW)
    assert found == {"room:snmp": NOW - timedelta(minutes=40) + timedelta(seconds=1)}
    store.close()
