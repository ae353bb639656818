"""What happened and what was registered: the two tables that a hypothesis is tested from."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nethealth.model.observation import Event

# Added to stores that were made before them: a table more changes nothing for who does not ask.
TABLES = """
CREATE TABLE IF NOT EXISTS events (
    run_key INTEGER NOT NULL REFERENCES runs,
    id TEXT NOT NULL,
    time TEXT NOT NULL,      -- UTC, microseconds always written
    kind TEXT NOT NULL,
    site TEXT, asset TEXT, source TEXT,
    clock_error_s REAL,
    PRIMARY KEY (run_key, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_time ON events (kind, time);
CREATE TABLE IF NOT EXISTS registrations (
    sha256 TEXT PRIMARY KEY, -- of the text, as it was registered
    registered TEXT NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Registration:
    """A text that was registered at a moment; its digest tells that nothing of it has changed."""

    sha256: str
    registered: datetime
    body: str


def missing(connection: sqlite3.Connection) -> bool:
    """Whether the store was made before these tables."""
    names = ("events", "registrations")
    (found,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)", names
    ).fetchone()
    return bool(found < len(names))


def make(connection: sqlite3.Connection) -> None:
    for statement in TABLES.split(";\n"):
        connection.execute(statement)


def add_events(connection: sqlite3.Connection, run_key: int, events: Iterable[Event]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (run_key, one.id, text_of(one.time), one.kind, one.site, one.asset, one.source,
             one.clock_error_s)
            for one in events
        ],
    )  # fmt: skip


def events(
    connection: sqlite3.Connection,
    kinds: Collection[str] | None,
    site: str | None,
    since: datetime | None,
    until: datetime | None = None,
) -> tuple[Event, ...]:
    """Oldest first; what was brought in twice, under one id, stands once."""
    found = connection.execute(
        "SELECT id, min(time), kind, site, asset, source, clock_error_s FROM events"
        " WHERE (?1 IS NULL OR kind IN (SELECT value FROM json_each(?1)))"
        " AND (?2 IS NULL OR site = ?2) AND time >= ?3 AND (?4 IS NULL OR time < ?4)"
        " GROUP BY id, kind ORDER BY 2, id",
        (
            None if kinds is None else json.dumps(list(kinds)),
            site,
            text_of(since) if since else "",
            text_of(until) if until else None,
        ),
    )
    return tuple(
        Event(id_, datetime.fromisoformat(time), kind, place, asset, source, error)
        for id_, time, kind, place, asset, source, error in found
    )


def event_kinds(
    connection: sqlite3.Connection, since: datetime, until: datetime
) -> Mapping[str, int]:
    """How many of each kind; what was brought in twice is counted twice."""
    found = connection.execute(
        "SELECT kind, count(*) FROM events WHERE time >= ? AND time < ? GROUP BY kind",
        (text_of(since), text_of(until)),
    )
    return dict(found.fetchall())


def register(connection: sqlite3.Connection, one: Registration) -> bool:
    """Store a text for good; False if just this text is registered already."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO registrations VALUES (?, ?, ?)",
        (one.sha256, text_of(one.registered), one.body),
    )
    return cursor.rowcount == 1


def registrations(connection: sqlite3.Connection) -> tuple[Registration, ...]:
    """All of them, the earliest first."""
    found = connection.execute(
        "SELECT sha256, registered, body FROM registrations ORDER BY registered, sha256"
    )
    return tuple(Registration(sha, datetime.fromisoformat(at), body) for sha, at, body in found)


def text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
