"""A merged record and its columns to findings: the rules of one run, and those of a history."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from nethealth.diagnosis.evidence import gather
from nethealth.diagnosis.folding import after_heat
from nethealth.diagnosis.history.changes import level_changes
from nethealth.diagnosis.history.coverage import incomplete
from nethealth.diagnosis.history.estate import Estate, gather_history, hosts
from nethealth.diagnosis.history.exposures import explored
from nethealth.diagnosis.history.frame import frame
from nethealth.diagnosis.history.levels import delays, losses, voices
from nethealth.diagnosis.history.outages import outages
from nethealth.diagnosis.history.summary import summary
from nethealth.diagnosis.judge import judge
from nethealth.model.check import CheckResult
from nethealth.model.finding import Finding, Verdict
from nethealth.model.observation import Observation
from nethealth.model.period import SUMMED, CheckPeriod
from nethealth.model.record import Record

_LEVELS = frozenset({"packet-loss", "high-delay", "poor-voice-quality"})
_SILENCES = frozenset({"site-outage", "host-down"})


@dataclass(frozen=True, slots=True)
class Columns:
    """The packed side of a history; `whole` where the record holds every raw row of it too."""

    checks: Iterable[CheckPeriod]
    whole: bool = True
    renamed: Mapping[str, str] = field(default_factory=dict)
    # Where not every raw row is held: a record that holds those near what was found, too.
    nearer: Callable[[Sequence[Finding]], Record] | None = None
    notes: tuple[str, ...] = ()


def judge_history(record: Record, columns: Columns) -> Record:
    """The record with its findings, and with what each host's history came to as observations.

    Raises ValueError for a record that lasts no time, or more than ten years.
    """
    record = _without_sums(record)
    run = record.run
    since_s = int(run.started.timestamp())
    until_s = max(since_s + 1, ceil((run.finished or run.started).timestamp()))
    times = frame(since_s, until_s, record.inventory.vantage.timezone)
    evidence = gather(record)
    estate = gather_history(evidence, columns.checks, times, columns.renamed)
    seen: dict[str, Sequence[Observation]] = {}
    checks: list[CheckResult] = []
    observations: list[Observation] = []
    for course in hosts(estate):
        check, facts = summary(course, times, run.started.timestamp())
        seen[course.place.key] = facts
        checks.append(check)
        observations += facts
    found = [
        *outages(evidence, estate, seen),
        *losses(evidence, estate, times, seen),
        *delays(evidence, estate, times, seen),
        *voices(evidence, estate, times, seen),
        *level_changes(evidence, estate, times, record.events, seen),
        *explored(evidence, estate, times, record.events),
        *incomplete(evidence, estate, times, columns.renamed, columns.notes),
    ]
    if columns.nearer is not None:
        record = columns.nearer(found)
    findings = _together(judge(record), found, estate, whole=columns.whole)
    return replace(
        record,
        checks=(*record.checks, *checks),
        observations=(*record.observations, *observations),
        findings=findings,
    )


def _without_sums(record: Record) -> Record:
    """The record without what an earlier judgement summed up."""
    if not any(check.id.endswith(SUMMED) for check in record.checks):
        return record
    return replace(
        record,
        checks=tuple(one for one in record.checks if not one.id.endswith(SUMMED)),
        observations=tuple(one for one in record.observations if not one.check.endswith(SUMMED)),
    )


def _together(
    of_runs: Sequence[Finding], of_history: Sequence[Finding], estate: Estate, *, whole: bool
) -> tuple[Finding, ...]:
    """One cause, one finding: of the same place and code the one that rests on more.

    Where every raw row was judged, loss, delay and voice are told better by the rules of a run,
    which know directions; but not where it is an outage that they saw. Where only a few runs were
    read, they are told by the columns alone.
    """
    history = {one.id: one for one in of_history}
    silent = {one.place.key for one in hosts(estate) if one.silent}
    silent |= {site.place.key for site in estate.sites if site.silent}
    silent |= {site.place.key for site in estate.sites if any(c.silent for c in site.courses)}
    measured = {one.place.key for one in hosts(estate)} | {s.place.key for s in estate.sites}
    kept = dict(history)
    for one in of_runs:
        key = one.id.partition(":")[2]
        known = history.get(one.id)
        if one.code in _SILENCES and known is not None:
            continue
        if one.code in _LEVELS and key in measured:
            unsure = one.verdict is Verdict.INSUFFICIENT_DATA
            if not whole or (key in silent and known is None) or (unsure and known is not None):
                continue
        kept[one.id] = one
    together = after_heat(list(kept.values()))
    return tuple(sorted(together, key=lambda one: (-one.severity.rank, one.id)))
