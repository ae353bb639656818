"""The statements: what is written to and read from the tables of one SQLite connection.

Nothing here begins or ends a transaction, starts a thread or words an error.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from nethealth.model import codec
from nethealth.model.check import CheckResult
from nethealth.model.finding import Finding, Severity
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Observation, Passport
from nethealth.model.record import Record, Run, RunKind
from nethealth.store import ledger, rows
from nethealth.store.base import Point, RunMark, RunSummary, StoreError
from nethealth.store.packed import Packed

_INVENTORY = TypeAdapter(Inventory)
_CACHED_MOST = 4096
_LOOKED_BACK = 50  # runs among which the one to compare with is sought


@cache  # made when a run has ended: making it takes a while, and the first packet would wait
def _finding_adapter() -> TypeAdapter[Finding]:
    return TypeAdapter(Finding)


class Tables:
    """Rows for values; `forget` must be called when a transaction is rolled back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[tuple[str, str | None], int] = {}
        self._passports: dict[str, int] = {}
        self.packed = Packed(connection)

    def forget(self) -> None:
        """Drop what is remembered of rows that may not be there any more."""
        self._names.clear()
        self._passports.clear()
        self.packed.forget()

    def run_key(self, run_id: str) -> int:
        found = self._rows("SELECT key FROM runs WHERE id = ?", run_id)
        if not found:
            raise StoreError(f"the store has no run {run_id}")
        return int(found[0][0])

    def add_run(self, record: Record) -> None:
        run = record.run
        if self._rows("SELECT 1 FROM runs WHERE id = ?", run.id):
            raise StoreError(f"the store already has a run {run.id}")
        inventory = self._inventory_key(record.inventory)
        self._insert(
            "INSERT INTO runs (id, kind, vantage, started, finished, interrupted, inventory_key,"
            " head) VALUES (?, ?, ?, ?, NULL, 0, ?, ?)",
            (
                run.id,
                run.kind,
                run.vantage,
                ledger.text_of(run.started),
                inventory,
                codec.dump_opening(record).decode(),
            ),
        )

    def add_check(
        self, run_key: int, result: CheckResult, observations: Sequence[Observation]
    ) -> None:
        key = self._insert(
            "INSERT INTO checks VALUES (NULL, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_key, *rows.check_to_columns(result)),
        )
        self._connection.executemany(
            "INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [self._observation(key, n, seen) for n, seen in enumerate(observations, 1)],
        )
        values = ((seen.name, seen.unit, seen.method, seen.value) for seen in observations)
        self.packed.follow(key, run_key, result, values)

    def finish_run(self, record: Record) -> None:
        """Everything of the record that is not there yet, and the order of its checks."""
        run = record.run
        run_key = self.run_key(run.id)
        self._add_missing(run_key, record)
        self._connection.executemany(
            "UPDATE checks SET position = ? WHERE run_key = ? AND id = ?",
            [(position, run_key, check.id) for position, check in enumerate(record.checks)],
        )
        self._connection.execute("DELETE FROM findings WHERE run_key = ?", (run_key,))
        self._connection.executemany(
            "INSERT INTO findings VALUES (?, ?, ?, ?)",
            [
                (run_key, position, finding.severity.value,
                 _finding_adapter().dump_json(finding, by_alias=True).decode())
                for position, finding in enumerate(record.findings)
            ],
        )  # fmt: skip
        ledger.add_events(self._connection, run_key, record.events)
        finished = ledger.text_of(run.finished) if run.finished else None
        inventory = self._inventory_key(record.inventory)
        self._connection.execute(
            "UPDATE runs SET finished = ?, interrupted = ?, inventory_key = ?, head = ?"
            " WHERE key = ?",
            (finished, run.interrupted, inventory, _head(record), run_key),
        )

    def load(self, run_id: str) -> Record:
        run_key = self.run_key(run_id)
        ((head, inventory),) = self._rows(
            "SELECT head, body FROM runs JOIN inventories ON inventories.key = inventory_key"
            " WHERE runs.key = ?",
            run_key,
        )
        checks = {
            key: rows.check_from_columns(row)
            for key, *row in self._rows(
                "SELECT key, id, probe, council, site, asset, target, outcome, failure, reason,"
                " started_s, finished_s FROM checks WHERE run_key = ?"
                " ORDER BY position IS NULL, position, key",
                run_key,
            )
        }
        return replace(
            codec.load(head, name=f"run {run_id}"),
            inventory=_INVENTORY.validate_json(inventory, by_alias=True),
            checks=tuple(checks.values()),
            observations=tuple(self._observations(run_key, checks)),
            findings=self._findings(run_key),
        )

    def runs(self, limit: int, kind: RunKind | None, vantage: str | None) -> tuple[RunSummary, ...]:
        found = self._rows(
            "SELECT key, id, kind, vantage, started, finished, interrupted,"
            " (SELECT count(*) FROM checks WHERE run_key = runs.key) FROM runs"
            " WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR vantage = ?2)"
            " ORDER BY started DESC, key DESC LIMIT ?3",
            kind, vantage, limit,
        )  # fmt: skip
        summaries = []
        for key, id_, kind_, vantage_, started, finished, interrupted, checks in found:
            severities = self._rows("SELECT severity FROM findings WHERE run_key = ?", key)
            summaries.append(
                RunSummary(
                    id_, kind_, vantage_, datetime.fromisoformat(started),
                    datetime.fromisoformat(finished) if finished else None,
                    bool(interrupted), checks, Counter(Severity(s) for (s,) in severities),
                )
            )  # fmt: skip
        return tuple(summaries)

    def runs_between(self, since: datetime, until: datetime) -> tuple[RunMark, ...]:
        return self._marks("started >= ? AND started < ?", *map(ledger.text_of, (since, until)))

    def runs_of(self, kind: RunKind) -> tuple[RunMark, ...]:
        return self._marks("kind = ?", kind)

    def inventories_between(self, since: datetime, until: datetime) -> tuple[Inventory, ...]:
        found = self._rows(
            "SELECT body FROM runs JOIN inventories ON inventories.key = inventory_key"
            " WHERE started >= ? AND started < ? GROUP BY inventory_key ORDER BY max(started)",
            ledger.text_of(since), ledger.text_of(until),
        )  # fmt: skip
        return tuple(_INVENTORY.validate_json(body, by_alias=True) for (body,) in found)

    def checks_between(self, since: datetime, until: datetime, most: int) -> int:
        """Counted no further than `most`."""
        ((found,),) = self._rows(
            "SELECT count(*) FROM (SELECT 1 FROM runs CROSS JOIN checks ON run_key = runs.key"
            " WHERE started >= ? AND started < ? LIMIT ?)",
            ledger.text_of(since), ledger.text_of(until), most,
        )  # fmt: skip
        return int(found)

    def _marks(self, where: str, *values: object) -> tuple[RunMark, ...]:
        found = self._rows(
            f"SELECT id, kind, vantage, started FROM runs WHERE {where} ORDER BY started, key",  # noqa: S608  (no value stands in it)
            *values,
        )
        return tuple(
            RunMark(id_, kind, vantage, datetime.fromisoformat(started))
            for id_, kind, vantage, started in found
        )

    def previous_findings(self, run: Run, checks: Collection[str]) -> tuple[Finding, ...] | None:
        candidates = self._rows(
            "SELECT key FROM runs WHERE kind = ? AND vantage = ? AND started < ? AND id <> ?"
            " AND finished IS NOT NULL AND NOT interrupted"
            " ORDER BY started DESC, key DESC LIMIT ?",
            run.kind, run.vantage, ledger.text_of(run.started), run.id, _LOOKED_BACK,
        )  # fmt: skip
        wanted = set(checks)
        nearest = None
        for (key,) in candidates:
            rows = self._rows("SELECT id FROM checks WHERE run_key = ? AND id NOT LIKE '%#%'", key)
            ids = {row[0] for row in rows}
            if ids == wanted:
                return self._findings(key)
            if nearest is None and ids & wanted:
                nearest = key
        return None if nearest is None else self._findings(nearest)

    def series(
        self,
        names: Collection[str],
        asset: str | None,
        site: str | None,
        since: datetime | None,
    ) -> Iterator[Point]:
        found = self._connection.execute(
            "SELECT runs.started, t_s, runs.id, site, asset, checks.id, name, value, form, unit,"
            " samples, body FROM checks"
            " CROSS JOIN runs ON runs.key = run_key"
            " CROSS JOIN observations ON check_key = checks.key"
            " CROSS JOIN names ON names.key = name_key"
            " CROSS JOIN passports ON passports.key = passport_key"
            # Two equalities, one of them with null, let each use its own index.
            " WHERE checks.key IN (SELECT key FROM checks WHERE asset = ?1 AND run_key >= ?3"
            " UNION ALL SELECT key FROM checks WHERE site = ?2 AND run_key >= ?3)"
            " AND runs.started >= ?4 AND name IN (SELECT value FROM json_each(?5))",
            (asset, site, self._first_key(since), ledger.text_of(since) if since else "",
             json.dumps(list(names))),
        )  # fmt: skip
        passports: dict[str, Passport] = {}
        for started, t_s, run, site_, asset_, check, *seen, body in found:
            time = datetime.fromisoformat(started) + timedelta(seconds=t_s or 0)
            name, column, form, unit, samples = seen
            if body not in passports:
                passports[body] = json.loads(body)
            value = rows.value_from_columns(column, form)
            yield Point(
                time, run, site_, asset_, check, name, value, unit, samples, passports[body]
            )

    def _first_key(self, since: datetime | None) -> int:
        """No run that started since then has a lower key."""
        if since is None:
            return 0
        found = self._rows("SELECT min(key) FROM runs WHERE started >= ?", ledger.text_of(since))
        return int(found[0][0] or 0)

    def _add_missing(self, run_key: int, record: Record) -> None:
        known = {check.id for check in record.checks}
        by_check: dict[str, list[Observation]] = defaultdict(list)
        for seen in record.observations:
            if seen.check not in known:
                raise StoreError(f"observation {seen.id} belongs to no check of its record")
            by_check[seen.check].append(seen)
        stored = {id_ for (id_,) in self._rows("SELECT id FROM checks WHERE run_key = ?", run_key)}
        for check in record.checks:
            if check.id not in stored:
                self.add_check(run_key, check, by_check[check.id])

    def _observation(self, check_key: int, number: int, seen: Observation) -> tuple[object, ...]:
        value, form = rows.value_to_columns(seen.value)
        low, high = seen.interval or (None, None)
        return (
            check_key, number, self._name_key(seen.name, seen.unit), value, form, seen.t_s,
            seen.samples, low, high, seen.failure.value if seen.failure else None,
            self._passport_key(seen.method),
            None if seen.id == f"{seen.check}/{number}" else seen.id,
        )  # fmt: skip

    def _observations(
        self, run_key: int, checks: Mapping[int, CheckResult]
    ) -> Iterator[Observation]:
        by_check: dict[int, list[Observation]] = defaultdict(list)
        passports: dict[str, Passport] = {}
        for (
            key,
            number,
            name,
            unit,
            value,
            form,
            t_s,
            samples,
            low,
            high,
            failure,
            body,
            id_,
        ) in self._connection.execute(
            "SELECT check_key, number, name, unit, value, form, t_s, samples, low, high,"
            " observations.failure, body, observations.id"
            " FROM checks CROSS JOIN observations ON check_key = checks.key"
            " CROSS JOIN names ON names.key = name_key"
            " CROSS JOIN passports ON passports.key = passport_key"
            " WHERE run_key = ? ORDER BY check_key, number",
            (run_key,),
        ):
            if body not in passports:
                passports[body] = json.loads(body)
            check = checks[key].id
            by_check[key].append(
                Observation(
                    id_ or f"{check}/{number}", check, name, rows.value_from_columns(value, form),
                    unit, t_s, samples, rows.interval_from_columns(low, high),
                    rows.failure_from_column(failure), passports[body],
                )
            )  # fmt: skip
        for key in checks:
            yield from by_check[key]

    def _findings(self, run_key: int) -> tuple[Finding, ...]:
        found = self._rows("SELECT body FROM findings WHERE run_key = ? ORDER BY position", run_key)
        return tuple(_finding_adapter().validate_json(body, by_alias=True) for (body,) in found)

    def _inventory_key(self, inventory: Inventory) -> int:
        body = _INVENTORY.dump_json(inventory, by_alias=True)
        digest = sha256(body).hexdigest()
        found = self._rows("SELECT key FROM inventories WHERE sha256 = ?", digest)
        if found:
            return int(found[0][0])
        return self._insert(
            "INSERT INTO inventories (sha256, body) VALUES (?, ?)", (digest, body.decode())
        )

    def _name_key(self, name: str, unit: str | None) -> int:
        if (name, unit) not in self._names:
            found = self._rows("SELECT key FROM names WHERE name = ? AND unit IS ?", name, unit)
            self._names[name, unit] = (
                int(found[0][0])
                if found
                else self._insert("INSERT INTO names (name, unit) VALUES (?, ?)", (name, unit))
            )
        return self._names[name, unit]

    def _passport_key(self, method: Passport) -> int:
        body = json.dumps(dict(method), separators=(",", ":"))
        if body not in self._passports:
            if len(self._passports) >= _CACHED_MOST:
                self._passports.clear()
            self._passports[body] = self._insert("INSERT INTO passports (body) VALUES (?)", (body,))
        return self._passports[body]

    def _rows(self, statement: str, *values: object) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def _insert(self, statement: str, values: Sequence[object]) -> int:
        key = self._connection.execute(statement, tuple(values)).lastrowid
        assert key is not None, "an insert into a table with row ids has one"  # noqa: S101
        return key


def _head(record: Record) -> str:
    head = replace(record, inventory=Inventory(), checks=(), observations=(), findings=(), past=())
    return codec.dump(head).decode()
