"""The tables of the SQLite store, and how a file is known to be one.

Rows of `observations` are what there is most of, so they are narrow: names and passports are
stored once and pointed to, and a row's place is its check's. The primary key keeps a check's
observations side by side, so a series needs no index of its own.
"""

import sqlite3
import time
from pathlib import Path

from nethealth.store import ledger, packed
from nethealth.store.base import StoreError

APPLICATION_ID = 0x6E657468  # "neth"
VERSION = 1
SWITCH_WAIT_S = 10.0

_TABLES = """
CREATE TABLE inventories (key INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    vantage TEXT NOT NULL,
    started TEXT NOT NULL,   -- UTC, microseconds always written, so that text order is time order
    finished TEXT,
    interrupted INTEGER NOT NULL,
    inventory_key INTEGER NOT NULL REFERENCES inventories,
    head TEXT NOT NULL       -- the record without inventory, checks, observations and findings
);
CREATE INDEX runs_by_time ON runs (started);
CREATE TABLE checks (
    key INTEGER PRIMARY KEY,
    run_key INTEGER NOT NULL REFERENCES runs,
    position INTEGER,        -- in the record; null until the run is finished
    id TEXT NOT NULL,
    probe TEXT NOT NULL,
    council TEXT, site TEXT, asset TEXT,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL, failure TEXT, reason TEXT,
    started_s REAL, finished_s REAL,
    UNIQUE (run_key, id)
);
CREATE INDEX checks_by_asset ON checks (asset, run_key) WHERE asset IS NOT NULL;
CREATE INDEX checks_by_site ON checks (site, run_key) WHERE site IS NOT NULL;
CREATE TABLE names (key INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT);
CREATE TABLE passports (key INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE observations (
    check_key INTEGER NOT NULL REFERENCES checks,
    number INTEGER NOT NULL, -- from 1, within the check
    name_key INTEGER NOT NULL REFERENCES names,
    value,
    form INTEGER NOT NULL,   -- how to read the value: see rows.py
    t_s REAL,
    samples INTEGER,
    low REAL, high REAL,
    failure TEXT,
    passport_key INTEGER NOT NULL REFERENCES passports,
    id TEXT,                 -- null where it is the check's id, a slash and the number
    PRIMARY KEY (check_key, number)
) WITHOUT ROWID;
CREATE TABLE findings (
    run_key INTEGER NOT NULL REFERENCES runs,
    position INTEGER NOT NULL,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_key, position)
) WITHOUT ROWID;
"""


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make an empty database ours; refuse one that is not, before anything in it is changed."""
    # One snapshot for all that is read: another process may be making the tables meanwhile.
    connection.execute("BEGIN")
    try:
        ours = _is_ours(connection, path)
    finally:
        connection.execute("ROLLBACK")
    if not ours:
        _to_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have made the tables since we looked.
        if not _is_ours(connection, path):
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    for added in (ledger, packed):
        if added.missing(connection):
            connection.execute("BEGIN IMMEDIATE")
            added.make(connection)
            connection.execute("COMMIT")
    # In WAL mode NORMAL survives the death of the process at any instant. A power cut may take
    # the last moments with it, but never damages the file; a finished run is synced besides.
    connection.execute("PRAGMA synchronous = NORMAL")


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch the journal; unlike a transaction this does not wait by itself for another process."""
    until_s = time.monotonic() + SWITCH_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
        else:
            return


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """False if the database is empty; raises StoreError if it is somebody else's or too new."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (things,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and things == 0:
        return False
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program; name another with --store")
    if version != VERSION:
        raise StoreError(
            f"{path} has schema {version} and this version reads {VERSION}: "
            "use the nethealth that wrote it, or name another with --store"
        )
    return True
