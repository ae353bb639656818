"""Columns of history, packed as checks are stored: what a year is read and judged from.

For each check and day there are parts of up to 256 executions. A part of the check itself holds
their times and states, a part of a column its values, which may break off early: what is missing at
the end, or for a whole part, was not measured. A store of before these tables, or one that an older
version still writes, is filled up when a period is first asked for.
"""

import json
import sqlite3
import sys
from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import nan
from typing import TypeVar, cast

from nethealth.model.check import CheckResult, ProbeKind
from nethealth.model.observation import Passport
from nethealth.model.period import (
    PERIOD_NAMES,
    CheckPeriod,
    Column,
    began_s,
    seconds_of,
    state_of,
)
from nethealth.model.period_columns import Value, packed_of
from nethealth.plan.rounds import base_id
from nethealth.store.rows import check_from_columns

# Added to stores that were made before them.
TABLES = """
CREATE TABLE IF NOT EXISTS packed_checks (
    key INTEGER PRIMARY KEY,
    vantage TEXT NOT NULL,
    council TEXT, site TEXT, asset TEXT,
    probe TEXT NOT NULL,
    id TEXT NOT NULL,        -- without its round
    target TEXT NOT NULL     -- the latest
);
CREATE INDEX IF NOT EXISTS packed_checks_by_id ON packed_checks (id);
CREATE TABLE IF NOT EXISTS packed_columns (
    key INTEGER PRIMARY KEY,
    check_key INTEGER NOT NULL REFERENCES packed_checks,
    name TEXT NOT NULL,      -- empty for times and states
    unit TEXT,
    method TEXT NOT NULL     -- what tells series apart, as JSON
);
CREATE INDEX IF NOT EXISTS packed_columns_by_check ON packed_columns (check_key);
CREATE TABLE IF NOT EXISTS packed_parts (
    key INTEGER PRIMARY KEY, -- column, day since 1970 and part of the day: 31, 16 and 16 bits
    body BLOB NOT NULL       -- little-endian: times of 4 octets then states of 1, or floats of 4
);
CREATE TABLE IF NOT EXISTS packed_up_to (check_key INTEGER NOT NULL);
"""
PART_LENGTH = 256
_DAY_S = 86_400
_FILL_ROWS = 4000  # raw checks that are packed in one transaction

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class _Key:
    """A column of a check; the empty name is that of times and states."""

    check: int
    name: str
    unit: str | None
    method: str


def missing(connection: sqlite3.Connection) -> bool:
    """Whether the store was made before these tables."""
    (found,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'packed_up_to'"
    ).fetchone()
    return not found


def make(connection: sqlite3.Connection) -> None:
    for statement in TABLES.split(";\n"):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO packed_up_to SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM packed_up_to)"
    )


class Packed:
    """The packed columns of one connection; `forget` after a transaction was rolled back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._checks: dict[tuple[str | None, ...], tuple[int, str]] = {}
        self._columns: dict[_Key, int] = {}
        self._runs: dict[int, tuple[datetime, str, str]] = {}

    def forget(self) -> None:
        self._checks.clear()
        self._columns.clear()
        self._runs.clear()

    def follow(self, row: int, run_key: int, result: CheckResult, values: Iterable[Value]) -> None:
        """Pack the raw check that just became row `row`, if every one before it is packed.

        Where an older version left some out, all wait for `fill`, so that none is packed twice.
        """
        cursor = self._connection.execute(
            "UPDATE packed_up_to SET check_key = ?1 WHERE check_key = ?1 - 1", (row,)
        )
        if cursor.rowcount:
            self.add(run_key, result, values)

    def behind(self) -> bool:
        """Whether there are raw checks that are not packed yet."""
        ((found,),) = self._connection.execute(
            "SELECT (SELECT coalesce(max(key), 0) FROM checks) > check_key FROM packed_up_to"
        )
        return bool(found)

    def fill(self) -> None:
        """Pack the next few thousand of the raw checks that are not packed yet."""
        ((done,),) = self._connection.execute("SELECT check_key FROM packed_up_to")
        found = self._connection.execute(
            "SELECT key, run_key, id, probe, council, site, asset, target, outcome, failure,"
            " started_s FROM checks WHERE key > ? ORDER BY key LIMIT ?",
            (done, _FILL_ROWS),
        ).fetchall()
        if not found:
            return  # another process was quicker
        values: dict[int, list[Value]] = {}
        passports: dict[str, Passport] = {}
        for check_key, name, unit, value, body in self._connection.execute(
            "SELECT check_key, name, unit, value, body FROM observations"
            " CROSS JOIN names ON names.key = name_key"
            " CROSS JOIN passports ON passports.key = passport_key"
            " WHERE check_key BETWEEN ? AND ? AND form = 0"
            " AND name IN (SELECT value FROM json_each(?)) ORDER BY check_key, number",
            (found[0][0], found[-1][0], json.dumps(PERIOD_NAMES)),
        ):
            if body not in passports:
                passports[body] = json.loads(body)
            values.setdefault(check_key, []).append((name, unit, passports[body], value))
        for key, run_key, *row, started_s in found:
            result = check_from_columns((*row, None, started_s, None))
            self.add(run_key, result, values.get(key, ()))
        self._connection.execute("UPDATE packed_up_to SET check_key = ?", (found[-1][0],))

    def add(self, run_key: int, result: CheckResult, values: Iterable[Value]) -> None:
        """One execution more, at the end of its check's last part of the day."""
        started, vantage, kind = self._run(run_key)
        if kind == "demo" or result.probe == "capture":  # a capture has times of its own
            return
        time_s = began_s(started, result.started_s)
        key = self._check_key(vantage, result)
        times = self._column_key(_Key(key, "", None, ""))
        day = time_s // _DAY_S << 16
        part, body = self._last_part(times << 32 | day)
        count = len(body) // 5
        if count == PART_LENGTH:
            part, body, count = part + 1, b"", 0
        place = day | part
        state = state_of(result.outcome, result.failure)
        grown = body[: 4 * count] + time_s.to_bytes(4, "little") + body[4 * count :]
        self._put(times << 32 | place, grown + bytes((state,)))
        for series, number in packed_of(values):
            column = self._column_key(_Key(key, *series))
            self._extend(column << 32 | place, count, number)

    def read(
        self,
        key: int,
        facts: tuple[str, str | None, str | None, str | None, str, str, str],
        since: datetime,
        until: datetime,
        names: Collection[str],
    ) -> CheckPeriod | None:
        """The columns of one check between two times; None where it was not due in them."""
        days = (seconds_of(since) // _DAY_S << 16, (seconds_of(until) // _DAY_S << 16) | 0xFFFF)
        columns = self._connection.execute(
            "SELECT key, name, unit, method FROM packed_columns WHERE check_key = ? ORDER BY key",
            (key,),
        ).fetchall()
        times = next((each for each in columns if each[1] == ""), None)
        if times is None:
            return None
        own = self._parts(times[0], days)
        if not own:
            return None
        lengths = {place: len(body) // 5 for place, body in own.items()}
        times_s: array[int] = array("I")
        states: array[int] = array("B")
        for place, body in own.items():
            times_s.frombytes(body[: 4 * lengths[place]])
            states.frombytes(body[4 * lengths[place] :])
        found = []
        for column, name, unit, method in columns:
            if name not in names:
                continue
            parts = self._parts(column, days)
            if parts:
                found.append(Column(name, unit, json.loads(method), _aligned(parts, lengths)))
        vantage, council, site, asset, probe, check, target = facts
        whole = CheckPeriod(
            vantage, council, site, asset, cast(ProbeKind, probe), check, target,
            _native(times_s), states, tuple(found),
        )  # fmt: skip
        cut = whole.in_order().between(since, until)
        return cut if cut.checks else None

    def chosen(
        self, vantage: str | None, council: str | None, site: str | None, asset: str | None
    ) -> list[tuple[int, tuple[str, str | None, str | None, str | None, str, str, str]]]:
        """Key and facts of the checks of a period, site by site."""
        found = self._connection.execute(
            "SELECT key, vantage, council, site, asset, probe, id, target FROM packed_checks"
            " WHERE (?1 IS NULL OR vantage = ?1) AND (?2 IS NULL OR council = ?2)"
            " AND (?3 IS NULL OR site = ?3) AND (?4 IS NULL OR asset = ?4)"
            " ORDER BY council, site, asset, id, vantage, key",
            (vantage, council, site, asset),
        )
        return [(key, tuple(facts)) for key, *facts in found]

    def count(self, since: datetime, until: datetime, most: int) -> int:
        """How often checks were due between two times, by the day; no further than `most`."""
        days = (seconds_of(since) // _DAY_S << 16, (seconds_of(until) // _DAY_S << 16) | 0xFFFF)
        found = 0
        for (column,) in self._connection.execute("SELECT key FROM packed_columns WHERE name = ''"):
            ((octets,),) = self._connection.execute(
                "SELECT coalesce(sum(length(body)), 0) FROM packed_parts WHERE key BETWEEN ? AND ?",
                (column << 32 | days[0], column << 32 | days[1]),
            )
            found += octets // 5
            if found >= most:
                return most
        return found

    def _run(self, run_key: int) -> tuple[datetime, str, str]:
        if run_key not in self._runs:
            if len(self._runs) > 64:
                self._runs.clear()
            ((started, vantage, kind),) = self._connection.execute(
                "SELECT started, vantage, kind FROM runs WHERE key = ?", (run_key,)
            ).fetchall()
            self._runs[run_key] = datetime.fromisoformat(started), vantage, kind
        return self._runs[run_key]

    def _check_key(self, vantage: str, result: CheckResult) -> int:
        check = base_id(result.id)
        identity = (vantage, result.council, result.site, result.asset, result.probe, check)
        if identity not in self._checks:
            found = self._connection.execute(
                "SELECT key, target FROM packed_checks WHERE id = ?6 AND vantage = ?1"
                " AND council IS ?2 AND site IS ?3 AND asset IS ?4 AND probe = ?5",
                identity,
            ).fetchone()
            if found is None:
                key = self._connection.execute(
                    "INSERT INTO packed_checks (vantage, council, site, asset, probe, id, target)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*identity, result.target),
                ).lastrowid
                found = (key, result.target)
            self._checks[identity] = found
        key, target = self._checks[identity]
        if target != result.target:
            self._connection.execute(
                "UPDATE packed_checks SET target = ? WHERE key = ?", (result.target, key)
            )
            self._checks[identity] = (key, result.target)
        return key

    def _column_key(self, wanted: _Key) -> int:
        if wanted not in self._columns:
            found = self._connection.execute(
                "SELECT key FROM packed_columns WHERE check_key = ? AND name = ? AND unit IS ?"
                " AND method = ?",
                (wanted.check, wanted.name, wanted.unit, wanted.method),
            ).fetchone()
            if found is None:
                key = self._connection.execute(
                    "INSERT INTO packed_columns (check_key, name, unit, method)"
                    " VALUES (?, ?, ?, ?)",
                    (wanted.check, wanted.name, wanted.unit, wanted.method),
                ).lastrowid
                found = (key,)
            self._columns[wanted] = int(found[0])
        return self._columns[wanted]

    def _last_part(self, first: int) -> tuple[int, bytes]:
        found = self._connection.execute(
            "SELECT key, body FROM packed_parts WHERE key BETWEEN ?1 AND ?1 | 65535"
            " ORDER BY key DESC LIMIT 1",
            (first,),
        ).fetchone()
        return (0, b"") if found is None else (found[0] & 0xFFFF, found[1])

    def _extend(self, key: int, count: int, number: float) -> None:
        found = self._connection.execute(
            "SELECT body FROM packed_parts WHERE key = ?", (key,)
        ).fetchone()
        body = b"" if found is None else found[0]
        values = array("f", [nan] * (count - len(body) // 4) + [number])
        self._put(key, body + _little(values))

    def _put(self, key: int, body: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO packed_parts VALUES (?, ?)", (key, body))

    def _parts(self, column: int, days: tuple[int, int]) -> dict[int, bytes]:
        return {
            key & 0xFFFFFFFF: body
            for key, body in self._connection.execute(
                "SELECT key, body FROM packed_parts WHERE key BETWEEN ? AND ? ORDER BY key",
                (column << 32 | days[0], column << 32 | days[1]),
            )
        }


def _aligned(parts: Mapping[int, bytes], lengths: Mapping[int, int]) -> "array[float]":
    """The values of a column beside the times of its check."""
    values = array("f")
    for place, count in lengths.items():
        body = parts.get(place, b"")[: 4 * count]
        values.frombytes(body)
        if len(body) < 4 * count:
            absent = array("f", [nan]) * (count - len(body) // 4)
            values.frombytes(_little(absent))
    return _native(values)


def _native(values: "array[N]") -> "array[N]":
    """Values that were read as they are stored, little-endian, in this machine's order."""
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _little(values: "array[float]") -> bytes:
    return _native(values[:]).tobytes()
