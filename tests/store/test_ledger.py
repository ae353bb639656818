"""Events and registrations: kept once, found by kind and time, and added to older stores."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from nethealth.model.observation import Event
from nethealth.model.record import Record, Run, Tool
from nethealth.store import Registration, open_store

WHEN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def record(run: str, *events: Event) -> Record:
    return Record(
        tool=Tool(version="0.1.0"),
        run=Run(id=run, kind="import", vantage="hq", started=WHEN, finished=WHEN),
        events=events,
    )


def page(number: int, site: str = "hall") -> Event:
    return Event(f"page:{number}", WHEN + timedelta(minutes=number), "page", site, None, "syslog")


def test_events_are_found_by_kind_site_and_time(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/history.db")
    made = record("r1", page(2), page(1), replace(page(3, "house"), clock_error_s=0.5))
    store.begin(made)
    store.finish(made)
    assert [one.id for one in store.events(["page"])] == ["page:1", "page:2", "page:3"]
    assert store.events(["page"], site="house")[0].clock_error_s == 0.5
    assert [one.id for one in store.events(["page"], since=page(2).time)] == ["page:2", "page:3"]
    assert store.events(["restart"]) == ()
    assert store.load("r1").events == made.events
    store.close()


def test_what_is_brought_in_twice_stands_once(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/history.db")
    for run in ("r1", "r2"):
        store.begin(record(run, page(1)))
        store.finish(record(run, page(1)))
    assert len(store.events(["page"])) == 1
    store.close()


def test_a_registration_stays_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    text = "id = 'paging'"
    one = Registration(sha256(text.encode()).hexdigest(), WHEN, text)
    store = open_store(url)
    assert store.register(one)
    assert not store.register(replace(one, registered=WHEN + timedelta(days=9)))
    store.close()
    again = open_store(url)
    assert again.registrations() == (one,)
    again.close()


def test_a_store_of_before_gets_the_tables(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    store = open_store(url)
    store.begin(record("r1"))
    store.finish(record("r1"))
    store.close()
    with sqlite3.connect(tmp_path / "history.db") as old:
        old.execute("DROP TABLE events")
        old.execute("DROP TABLE registrations")
    old.close()
    store = open_store(url)
    assert store.events(["page"]) == ()
    assert store.registrations() == ()
    assert store.load("r1").run.id == "r1"
    store.close()
