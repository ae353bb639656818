"""What happened in a stretch of history besides its values: runs, findings, what was not run."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from nethealth.model import codec
from nethealth.model.check import CheckResult
from nethealth.model.episodes import Episode, Sweeps
from nethealth.model.failure import Outcome
from nethealth.model.finding import Finding, Severity, Verdict, gravity
from nethealth.model.inventory import Inventory, SweepSettings
from nethealth.model.observation import Event, Observation
from nethealth.model.period import CheckPeriod, began_s, state_of
from nethealth.model.period_columns import Gathered
from nethealth.model.period_report import NotRun, RunFacts
from nethealth.model.record import Settings
from nethealth.plan.rounds import base_id
from nethealth.store import ledger, rows
from nethealth.store.ledger import text_of

_NEVER = "demo"  # a simulated network is no history of the real one


@dataclass(frozen=True, slots=True)
class Found:
    """One finding over the span: the worst of its kind, the latest of these, and how often."""

    finding: Finding
    run: str
    runs: int
    first: datetime
    last: datetime
    episodes: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """`looked`: in how many runs a site was measured. The settings are the latest run's."""

    runs: tuple[RunFacts, ...]
    inventories: Mapping[str, Inventory]
    settings: Settings = Settings()
    events: tuple[Event, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    looked: Mapping[str | None, int] = field(default_factory=dict)
    found: tuple[Found, ...] = ()


@cache
def _findings() -> TypeAdapter[Finding]:
    return TypeAdapter(Finding)


@cache
def _inventories() -> TypeAdapter[Inventory]:
    return TypeAdapter(Inventory)


@cache
def _sweeps() -> TypeAdapter[SweepSettings]:
    return TypeAdapter(SweepSettings)


def span(connection: sqlite3.Connection, since: datetime, until: datetime) -> Span:
    """Everything of the runs that started from `since` on and before `until`."""
    within = (text_of(since), text_of(until), _NEVER)
    runs, settings = _runs(connection, within)
    inventories = {
        sha: _inventories().validate_json(body, by_alias=True)
        for sha, body in connection.execute(
            "SELECT sha256, body FROM inventories WHERE key IN (SELECT inventory_key FROM runs"
            " WHERE started >= ? AND started < ? AND kind <> ?)",
            within,
        )
    }
    not_run = connection.execute(
        "SELECT site, probe, coalesce(reason, ''), count(*) FROM checks WHERE outcome = 'not_run'"
        " AND run_key IN (SELECT key FROM runs WHERE started >= ? AND started < ? AND kind <> ?)"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3",
        within,
    )
    looked = connection.execute(
        "SELECT site, count(DISTINCT run_key) FROM checks WHERE run_key IN"
        " (SELECT key FROM runs WHERE started >= ? AND started < ? AND kind <> ?) GROUP BY site",
        within,
    )
    return Span(
        runs=runs,
        inventories=inventories,
        settings=settings,
        events=ledger.events(connection, None, None, since, until),
        not_run=tuple(NotRun(*row) for row in not_run),
        looked=dict(looked.fetchall()),
        found=_found(connection, within, Sweeps(runs)),
    )


def raw_period(
    connection: sqlite3.Connection, since: datetime, until: datetime, names: Collection[str]
) -> Iterator[CheckPeriod]:
    """As `Packed.read` gives them, but from the raw rows, whatever is packed; site by site."""
    sites = connection.execute("SELECT DISTINCT council, site FROM checks ORDER BY 1, 2").fetchall()
    passports: dict[str, Any] = {}
    for council, site in sites:
        gathered = Gathered()
        current: tuple[Any, ...] | None = None
        values: list[Any] = []
        for row in connection.execute(
            "SELECT checks.key, runs.started, vantage, council, site, asset, checks.id, probe,"
            " target, outcome, checks.failure, started_s, name, unit, value, form, body"
            " FROM checks CROSS JOIN runs ON runs.key = run_key"
            " LEFT JOIN observations ON check_key = checks.key"
            " AND name_key IN (SELECT key FROM names"
            " WHERE name IN (SELECT value FROM json_each(?5)))"
            " LEFT JOIN names ON names.key = name_key"
            " LEFT JOIN passports ON passports.key = passport_key"
            # An equality, unlike IS, lets SQLite use the index of the sites.
            " WHERE checks.key IN (SELECT key FROM checks WHERE site = ?2"
            " UNION ALL SELECT key FROM checks WHERE ?2 IS NULL AND site IS NULL)"
            " AND council IS ?1 AND kind <> 'demo' AND probe <> 'capture'"
            # A check of a long run begins hours after its run.
            " AND runs.started >= ?3 AND runs.started < ?4 ORDER BY checks.key, number",
            (council, site, text_of(since - timedelta(days=30)), text_of(until),
             json.dumps(list(names))),
        ):  # fmt: skip
            check, seen = row[:12], row[12:]
            if current is None or check[0] != current[0]:
                _put(gathered, current, values)
                current, values = check, []
            name, unit, value, form, body = seen
            if name is None or form != rows.PLAIN:
                continue
            if body not in passports:
                passports[body] = json.loads(body)
            values.append((name, unit, passports[body], value))
        _put(gathered, current, values)
        for period in gathered.periods():
            cut = period.between(since, until)
            if cut.checks:
                yield cut


def evidence(
    connection: sqlite3.Connection, run: str, ids: Collection[str]
) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
    """The observations of one run by their ids, and the checks that they are of."""
    checks: dict[str, CheckResult] = {}
    found: list[Observation] = []
    for id_ in ids:
        check, _, number = id_.rpartition("/")
        if not (check and number.isdecimal()):
            continue
        for row in connection.execute(
            "SELECT name, unit, value, form, t_s, samples, low, high, observations.failure, body,"
            " checks.id, probe, council, site, asset, target, outcome, checks.failure, reason,"
            " started_s, finished_s"
            " FROM checks CROSS JOIN observations ON check_key = checks.key"
            " CROSS JOIN names ON names.key = name_key"
            " CROSS JOIN passports ON passports.key = passport_key"
            " WHERE run_key = (SELECT key FROM runs WHERE id = ?) AND checks.id = ? AND number = ?",
            (run, check, int(number)),
        ):
            name, unit, value, form, t_s, samples, low, high, failure, body, *result = row
            checks.setdefault(check, rows.check_from_columns(result))
            found.append(
                Observation(
                    id_, check, name, rows.value_from_columns(value, form), unit, t_s, samples,
                    rows.interval_from_columns(low, high), rows.failure_from_column(failure),
                    json.loads(body),
                )
            )  # fmt: skip
    return tuple(checks.values()), tuple(found)


def _put(gathered: Gathered, check: Sequence[Any] | None, values: Sequence[Any]) -> None:
    if check is None:
        return
    _, started, vantage, council, site, asset, id_, probe, target, *rest = check
    outcome, failure, started_s = rest
    state = state_of(Outcome(outcome), rows.failure_from_column(failure))
    gathered.add(
        (vantage, council, site, asset, probe, base_id(id_)), target,
        began_s(datetime.fromisoformat(started), started_s), state, values,
    )  # fmt: skip


def _runs(
    connection: sqlite3.Connection, within: tuple[str, str, str]
) -> tuple[tuple[RunFacts, ...], Settings]:
    found: list[RunFacts] = []
    settings = Settings()
    sweeps: dict[str, SweepSettings] = {}
    last_head = None
    for (
        id_,
        kind,
        vantage,
        started,
        finished,
        interrupted,
        version,
        sweep,
        sha,
        head,
    ) in connection.execute(
        "SELECT id, kind, vantage, started, finished, interrupted,"
        " json_extract(head, '$.tool.version'), json_extract(head, '$.settings.sweep'), sha256,"
        " head FROM runs JOIN inventories ON inventories.key = inventory_key"
        " WHERE started >= ? AND started < ? AND kind <> ? ORDER BY started, runs.key",
        within,
    ):
        if sweep not in sweeps:
            sweeps[sweep] = _sweeps().validate_json(sweep or "{}")
        last_head = head
        found.append(
            RunFacts(
                id_, kind, vantage, datetime.fromisoformat(started),
                datetime.fromisoformat(finished) if finished else None, bool(interrupted),
                version or "", sweeps[sweep], sha,
            )
        )  # fmt: skip
    if last_head is not None:
        settings = codec.load(last_head, name="run").settings
    return tuple(found), settings


def _found(
    connection: sqlite3.Connection, within: tuple[str, str, str], sweeps: Sweeps
) -> tuple[Found, ...]:
    tallies: dict[str, list[Any]] = {}  # id: gravity, run, body's place, first, last, all runs
    for id_, severity, verdict, run, started, run_key, position in connection.execute(
        "SELECT json_extract(body, '$.id'), severity, json_extract(body, '$.verdict'),"
        " runs.id, runs.started, run_key, position"
        " FROM runs CROSS JOIN findings ON run_key = runs.key"
        " WHERE started >= ? AND started < ? AND kind <> ? ORDER BY started, run_key, position",
        within,
    ):
        grave = gravity(Severity(severity), Verdict(verdict))
        tally = tallies.setdefault(id_, [grave, run, (run_key, position), started, started, []])
        if grave >= tally[0]:
            tally[:3] = grave, run, (run_key, position)
        tally[4] = started
        tally[5].append(run)
    found = []
    for _, run, place, first, last, runs in tallies.values():
        ((body,),) = connection.execute(
            "SELECT body FROM findings WHERE run_key = ? AND position = ?", place
        ).fetchall()
        finding = _findings().validate_json(body, by_alias=True)
        found.append(
            Found(
                finding,
                run,
                len(set(runs)),
                datetime.fromisoformat(first),
                datetime.fromisoformat(last),
                sweeps.episodes(list(dict.fromkeys(runs))),
            )
        )
    return tuple(found)
