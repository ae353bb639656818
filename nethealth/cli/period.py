"""`nethealth report --since`: a report over a period, from the store or from records."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nethealth.cli.exits import FOUND, HEALTHY, NOT_MEASURED, InputError, usage
from nethealth.cli.given import load_records, opened_store
from nethealth.inventory.hours import zone
from nethealth.model.inventory import Inventory

if TYPE_CHECKING:
    from nethealth.model.check import CheckResult
    from nethealth.model.finding import Finding
    from nethealth.model.observation import Observation
    from nethealth.model.period import CheckPeriod
    from nethealth.model.period_report import Asked, PeriodReport
    from nethealth.model.record import Record
    from nethealth.store import Found, Span

_EVIDENCE_MOST = 20  # observations of one finding, as reports show them
_FIRST, _LAST = date(1990, 1, 1), date(2199, 12, 31)
_AMOUNT_MOST, _DAYS_MOST = 5000, 5000
_EXPLAINED_MOST = 60  # findings with evidence, the most severe first; the rest say where they stand


class Source(Protocol):
    """Where a period comes from: the store, or the records of files."""

    def inventory(self) -> Inventory: ...
    def span(self, since: datetime, until: datetime) -> "Span": ...
    def checks(
        self, since: datetime, until: datetime, council: str | None, site: str | None
    ) -> "Iterator[CheckPeriod]": ...
    def evidence(
        self, run: str, ids: Sequence[str]
    ) -> "tuple[tuple[CheckResult, ...], tuple[Observation, ...]]": ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options, as they were typed."""

    since: str
    until: str | None
    council: str | None
    site: str | None
    changes: tuple[str, ...]


def now() -> datetime:
    """The time of making, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def period_record(
    wanted: Wanted, records: tuple[Path, ...], store: str | None, made: datetime
) -> "Record":
    """The record of a report over the period; every wrong option ends the command with 2."""
    with _source(records, store) as source:
        return record_of(source, asked(wanted, source.inventory(), made), made)


def again(record: "Record", records: tuple[Path, ...], store: str | None) -> "Record":
    """The same period worked out anew, from raw observations: what `verify` compares with."""
    asked = report_of(record).asked
    with _source(records, store, raw=True) as source:
        return record_of(source, asked, record.run.started)


@contextmanager
def _source(records: tuple[Path, ...], store: str | None, *, raw: bool = False) -> Iterator[Source]:
    """The records where there are any, else the store; its errors end the command with 2."""
    if records:
        from nethealth.cli.period_records import OfRecords  # noqa: PLC0415

        yield OfRecords(load_records(records))
        return
    from nethealth.cli.period_store import OfStore  # noqa: PLC0415
    from nethealth.store import StoreError  # noqa: PLC0415

    with opened_store(store) as opened:
        try:
            yield OfStore(opened, raw=raw)
        except StoreError as error:
            raise InputError(str(error)) from None


def report_of(record: "Record") -> "PeriodReport":
    """The period that a record holds; a damaged one ends the command with 2."""
    from nethealth.model.period_codec import PeriodError, typed  # noqa: PLC0415

    try:
        return typed(record.period or {})
    except PeriodError as error:
        raise InputError(str(error)) from None


def asked(wanted: Wanted, inventory: Inventory, now: datetime) -> "Asked":
    """The period that the options mean, in days of the vantage's own clock."""
    from nethealth.model.period_report import Asked  # noqa: PLC0415

    name = inventory.vantage.timezone
    try:
        local = zone(name)
    except ValueError:
        raise InputError(f"the inventory's time zone {name!r} is not known here") from None
    until = now
    if wanted.until is not None:
        # Not cut off at the present, so that the same words always mean the same period.
        until = _midnight(_date(wanted.until, "--until") + timedelta(days=1), local)
    since = _since(wanted.since, until, local)
    if since >= until:
        usage(f"--since {wanted.since} is not before the end of the period, {until:%Y-%m-%d}")
    if until - since > timedelta(days=_DAYS_MOST):
        usage(f"the period has more than {_DAYS_MOST} days: ask for a shorter one")
    sites = {site.id: site.council for site in inventory.site}
    councils = {council.id for council in inventory.council}
    if wanted.site is not None and sites and wanted.site not in sites:
        usage(f"--site: found {wanted.site!r}; the inventory has {', '.join(sorted(sites))}")
    if wanted.council is not None and councils and wanted.council not in councils:
        usage(f"--council: found {wanted.council!r}; the inventory has "
              f"{', '.join(sorted(councils))}")  # fmt: skip
    if wanted.site and wanted.council and sites.get(wanted.site) not in (None, wanted.council):
        usage(f"--site {wanted.site} is not of the council {wanted.council}")
    for change in wanted.changes:
        if change[:1].isdigit():
            _date(change, "--change")
            if wanted.site is None:
                usage(f"--change {change} is of one site: add --site")
    return Asked(since.astimezone(UTC), until.astimezone(UTC), name, wanted.council, wanted.site,
                 wanted.changes)  # fmt: skip


def finished(record: "Record", fail_on: str) -> int:
    """1 for findings at or above `fail_on`, else 3 where nothing was measured, else 0."""
    from nethealth.model.finding import Severity  # noqa: PLC0415

    if fail_on != "never":
        floor = Severity(fail_on).rank
        if any(finding.severity.rank >= floor for finding in record.findings):
            return FOUND
    return HEALTHY if any(one.measured for one in report_of(record).places) else NOT_MEASURED


def _since(text: str, until: datetime, local: tzinfo) -> datetime:
    """A date, or a length of time back; whole days begin at midnight."""
    if text[:4].isdigit() and text[4:5] == "-":
        return _midnight(_date(text, "--since"), local)
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in ("h", "d", "w") and int(number) > 0):
        usage(f"--since: found {text!r}; allowed: a date as 2026-08-24, or 24h, 90d, 12w")
    amount = int(number)
    if amount > _AMOUNT_MOST:
        usage(f"--since: found {text!r}; allowed: at most {_AMOUNT_MOST}{unit}")
    if unit == "h":
        return until - timedelta(hours=amount)
    days = amount * (7 if unit == "w" else 1)
    # A last day that is not over is one more.
    end = until.astimezone(local)
    return _midnight(end.date() - timedelta(days=days), local)


def _date(text: str, option: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        usage(f"{option}: found {text!r}; allowed: a date as 2026-10-01")
    if not _FIRST <= found <= _LAST:
        usage(f"{option}: found {text!r}; allowed: {_FIRST} to {_LAST}")
    return found


def _midnight(day: date, local: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=local)


def record_of(source: Source, asked: "Asked", made: datetime) -> "Record":
    """The record, dated with the time of making."""
    from nethealth import __version__  # noqa: PLC0415
    from nethealth.diagnosis.over_period.build import Facts, build, passing  # noqa: PLC0415
    from nethealth.model import period_codec  # noqa: PLC0415
    from nethealth.model.period_report import Seen  # noqa: PLC0415
    from nethealth.model.record import Record, Run, Settings, Tool  # noqa: PLC0415

    span = source.span(asked.since, asked.until)
    inventory = span.inventories[span.runs[-1].inventory] if span.runs else source.inventory()
    found = [one for one in span.found if _is_asked(asked, one.finding)]
    found.sort(key=lambda one: (-one.finding.severity.rank, -one.runs, one.finding.id))
    facts = Facts(
        runs=span.runs,
        inventories=span.inventories,
        events=span.events,
        not_run=[
            one for one in span.not_run
            if _site_is_asked(asked, one.site, inventory)
        ],
        seen=[
            Seen(one.finding.id, one.runs, looked, one.first, one.last, one.run, one.episodes,
                 passing(one.runs, looked))
            for one in found
            for looked in (span.looked.get(one.finding.site, len(span.runs)),)
        ],
    )  # fmt: skip
    everywhere = bool(asked.changes)
    checks = source.checks(
        asked.since, asked.until,
        None if everywhere else asked.council, None if everywhere else asked.site,
    )  # fmt: skip
    report = build(asked, checks, facts)
    findings, evident, observations = _with_evidence(source, found)
    return Record(
        tool=Tool(version=__version__),
        run=Run(
            id=f"period-{asked.since:%Y%m%dT%H%M%SZ}-{asked.until:%Y%m%dT%H%M%SZ}",
            kind="report",
            vantage=", ".join(report.vantages) or inventory.vantage.id,
            started=made,
            finished=made,
        ),
        inventory=inventory,
        settings=Settings(thresholds=span.settings.thresholds, sweep=span.settings.sweep),
        checks=evident,
        observations=observations,
        findings=findings,
        period=period_codec.plain(report),
    )


def _is_asked(asked: "Asked", finding: "Finding") -> bool:
    """Of the place; a finding of no site, such as of the measuring machine, speaks for all."""
    if asked.site is not None and finding.site is not None:
        return finding.site == asked.site
    return asked.council is None or finding.council in (asked.council, None)


def _site_is_asked(asked: "Asked", site: str | None, inventory: Inventory) -> bool:
    if asked.site is not None:
        return site == asked.site
    councils = {one.id: one.council for one in inventory.site}
    return asked.council is None or councils.get(site or "") == asked.council


def _with_evidence(
    source: Source, found: "Iterable[Found]"
) -> "tuple[tuple[Finding, ...], tuple[CheckResult, ...], tuple[Observation, ...]]":
    """The findings with ids that name their run, and what the most severe of them rest on."""
    findings: list[Finding] = []
    checks: dict[str, CheckResult] = {}
    observations: dict[str, Observation] = {}
    for number, one in enumerate(found):
        kept = one.finding.evidence[:_EVIDENCE_MOST]
        if number < _EXPLAINED_MOST:
            theirs, seen = source.evidence(one.run, kept)
            for check in theirs:
                id_ = f"{one.run}/{check.id}"
                checks[id_] = replace(check, id=id_)
            for each in seen:
                id_ = f"{one.run}/{each.id}"
                observations[id_] = replace(each, id=id_, check=f"{one.run}/{each.check}")
        findings.append(
            replace(
                one.finding, from_=one.first, to=max(one.last, one.first),
                evidence=tuple(f"{one.run}/{id_}" for id_ in kept),
            )
        )  # fmt: skip
    return tuple(findings), tuple(checks.values()), tuple(observations.values())
