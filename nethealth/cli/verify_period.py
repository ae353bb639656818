"""A report over a period held against its data: every figure worked out again and named."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from nethealth.cli import period
from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import load_records

if TYPE_CHECKING:
    from nethealth.model.period_report import Change, Daily, PeriodReport, Place
    from nethealth.model.record import Record

_OF_LISTS = ("events", "not_run", "holes", "seen")
_TOLD_MOST = 40  # differences that are told one by one


def period_of(file: Path) -> "Record | None":
    """The record of a period that stands beside its report, if that is what `file` is of."""
    beside = file.with_suffix(".json")
    if not beside.is_file():
        return None
    record = load_records((beside,))[0]
    return record if record.period is not None else None


def of_period(
    record: "Record", records: tuple[Path, ...], run: str | None, store: str | None
) -> Iterator[str]:
    """What of the period does not follow from the raw observations of the store or of `records`."""
    if run is not None:
        usage("--run names one run, and this report is over a period")
    from nethealth.model.period_codec import sealed  # noqa: PLC0415

    stored = period.report_of(record)
    if sealed(stored).sha256 != stored.sha256:
        yield f"the period's figures are not those that SHA-256 {stored.sha256} was made of"
    try:
        fresh = period.again(record, records, store)
    except ValueError as error:
        raise InputError(f"the period cannot be worked out: {error}") from None
    told = [*_figures(stored, period.report_of(fresh)), *_findings(record, fresh)]
    yield from told[:_TOLD_MOST]
    if len(told) > _TOLD_MOST:
        yield f"and {len(told) - _TOLD_MOST:,} more figures that differ"


def _figures(stored: "PeriodReport", found: "PeriodReport") -> Iterator[str]:
    for name in ("days", "hours", "runs", "interrupted", "vantages", "versions"):
        yield from _differs(name, getattr(stored, name), getattr(found, name))
    places = {(one.council, one.site, one.asset): one for one in stored.places}
    again = {(one.council, one.site, one.asset): one for one in found.places}
    for key in sorted(places.keys() | again.keys(), key=str):
        where = " ".join(part for part in key[1:] if part) or "no site"
        if key not in places or key not in again:
            yield f"{where}: only {'its data have' if key in again else 'the report has'} it"
            continue
        yield from _of_place(where, places[key], again[key], stored)
    for name in _OF_LISTS:
        yield from _of_list(name.replace("_", " "), getattr(stored, name), getattr(found, name))
    yield from _differs("changes", len(stored.changes), len(found.changes))
    for theirs, ours in zip(stored.changes, found.changes, strict=False):
        yield from _of_change(f"change on {theirs.day} at {theirs.site}", theirs, ours)


def _of_place(where: str, theirs: "Place", ours: "Place", report: "PeriodReport") -> Iterator[str]:
    for each in fields(theirs):
        left, right = getattr(theirs, each.name), getattr(ours, each.name)
        if each.name == "daily":
            yield from _of_days(where, left, right, report)
        elif each.name == "sha256":
            if left != right:
                yield f"{where}: the values that its figures come from have changed (SHA-256)"
        else:
            yield from _differs(f"{where}: {each.name}", left, right)


def _of_days(where: str, theirs: "Daily", ours: "Daily", report: "PeriodReport") -> Iterator[str]:
    for each in fields(theirs):
        columns = getattr(theirs, each.name), getattr(ours, each.name)
        if len(columns[0]) != len(report.days) or len(columns[1]) != len(report.days):
            yield f"{where}: {each.name} has another number of days"
            continue
        for day, left, right in zip(report.days, *columns, strict=True):
            yield from _differs(f"{where}: {each.name} on {day}", left, right)


def _of_change(where: str, theirs: "Change", ours: "Change") -> Iterator[str]:
    for each in fields(theirs):
        if each.name != "comparisons":
            left, right = getattr(theirs, each.name), getattr(ours, each.name)
            yield from _differs(f"{where}: {each.name}", left, right)
    yield from _differs(f"{where}: comparisons", len(theirs.comparisons), len(ours.comparisons))
    for one, other in zip(theirs.comparisons, ours.comparisons, strict=False):
        for each in fields(one):
            left, right = getattr(one, each.name), getattr(other, each.name)
            yield from _differs(f"{where}: {one.outcome}, {each.name}", left, right)


def _of_list(name: str, theirs: Sequence[object], ours: Sequence[object]) -> Iterator[str]:
    """Whatever stands on one side only."""
    for left in theirs:
        if left not in ours:
            yield f"{name}: the report says {_short(left)}, which its data do not give"
    for right in ours:
        if right not in theirs:
            yield f"{name}: its data give {_short(right)}, which the report does not say"


def _findings(stored: "Record", found: "Record") -> Iterator[str]:
    yield from _of_list("finding", stored.findings, found.findings)
    yield from _of_list("evidence", stored.observations, found.observations)


def _differs(path: str, left: object, right: object) -> Iterator[str]:
    if left != right:
        yield f"{path}: the report says {_short(left)}, its data give {_short(right)}"


def _short(value: object) -> str:
    from nethealth.model.period_report import Figure  # noqa: PLC0415
    from reports.escape import clip, visible  # noqa: PLC0415

    if isinstance(value, Figure):
        value = f"{value.value} (95 % {value.interval}, {value.samples:,} checks)"
    return clip(visible(str(value)), 300)
