"""A period from records in files: the same as from a store that these runs are in."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from nethealth.cli.exits import InputError
from nethealth.model.check import CheckResult
from nethealth.model.episodes import Sweeps
from nethealth.model.failure import Outcome
from nethealth.model.finding import gravity
from nethealth.model.inventory import Inventory
from nethealth.model.observation import Event, Observation
from nethealth.model.period import CheckPeriod
from nethealth.model.period_columns import Gathered
from nethealth.model.period_report import NotRun, RunFacts
from nethealth.model.record import Record
from nethealth.store import Found, Span


class OfRecords:
    """Records of runs; those of earlier reports over a period are passed over."""

    def __init__(self, records: Sequence[Record]) -> None:
        runs = {one.run.id: one for one in records if one.period is None and one.run.kind != "demo"}
        if not runs:
            raise InputError("--record: none of the records is of a run that measured")
        self._records = sorted(runs.values(), key=lambda one: one.run.started)

    def inventory(self) -> Inventory:
        sweeps = [one for one in self._records if one.run.kind == "sweep"]
        return (sweeps or self._records)[-1].inventory

    def span(self, since: datetime, until: datetime) -> Span:
        inside = [one for one in self._records if since <= one.run.started < until]
        inventories = {_name(one.inventory): one.inventory for one in inside}
        not_run: Counter[tuple[str | None, str, str]] = Counter()
        looked: Counter[str | None] = Counter()
        events: dict[tuple[str, str], Event] = {}
        for record in inside:
            looked.update({check.site for check in record.checks})
            for check in record.checks:
                if check.outcome is Outcome.NOT_RUN:
                    not_run[check.site, check.probe, check.reason or ""] += 1
        for record in self._records:
            for event in record.events:
                if since <= event.time < until:
                    held = events.setdefault((event.id, event.kind), event)
                    if event.time < held.time:
                        events[event.id, event.kind] = event
        counted = [
            NotRun(site, probe, reason, n)  # type: ignore[arg-type]
            for (site, probe, reason), n in not_run.items()
        ]
        counted.sort(key=lambda one: (-one.checks, one.site or "", one.probe, one.reason))
        runs = tuple(_facts(one) for one in inside)
        return Span(
            runs=runs,
            inventories=inventories,
            settings=inside[-1].settings if inside else self._records[-1].settings,
            events=tuple(sorted(events.values(), key=lambda one: (one.time, one.id))),
            not_run=tuple(counted),
            looked=dict(looked),
            found=_found(inside, runs),
        )

    def checks(
        self, since: datetime, until: datetime, council: str | None, site: str | None
    ) -> Iterator[CheckPeriod]:
        gathered = Gathered()
        for record in self._records:
            gathered.add_run(record, council=council, site=site)
        for period in gathered.periods():
            cut = period.between(since, until)
            if cut.checks:
                yield cut

    def evidence(
        self, run: str, ids: Sequence[str]
    ) -> tuple[tuple[CheckResult, ...], tuple[Observation, ...]]:
        record = next(one for one in self._records if one.run.id == run)
        known = {one.id: one for one in record.observations}
        found = [known[id_] for id_ in ids if id_ in known]
        theirs = {one.check for one in found}
        checks = {one.id: one for one in record.checks if one.id in theirs}
        return tuple(checks[id_] for id_ in dict.fromkeys(one.check for one in found)), tuple(found)


def _facts(record: Record) -> RunFacts:
    run = record.run
    return RunFacts(
        run.id, run.kind, run.vantage, run.started, run.finished, run.interrupted,
        record.tool.version, record.settings.sweep, _name(record.inventory),
    )  # fmt: skip


def _name(inventory: Inventory) -> str:
    return sha256(repr(inventory).encode()).hexdigest()


def _found(records: Sequence[Record], runs: Sequence[RunFacts]) -> tuple[Found, ...]:
    found: dict[str, Found] = {}
    made: dict[str, list[str]] = defaultdict(list)
    for record in records:
        for finding in record.findings:
            run, started = record.run.id, record.run.started
            made[finding.id].append(run)
            held = found.get(finding.id)
            if held is None:
                found[finding.id] = Found(finding, run, 1, started, started, ())
                continue
            before = held.finding
            if gravity(finding.severity, finding.verdict) >= gravity(
                before.severity, before.verdict
            ):
                held = replace(held, finding=finding, run=run)
            found[finding.id] = replace(held, last=started)
    sweeps = Sweeps(runs)
    return tuple(
        replace(one, runs=len(set(made[id_])),
                episodes=sweeps.episodes(list(dict.fromkeys(made[id_]))))
        for id_, one in found.items()
    )  # fmt: skip
