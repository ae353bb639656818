"""The observations as CSV: one row each, joined with its check."""

import csv
from collections.abc import Iterable
from io import StringIO

from nethealth.model.check import CheckResult
from nethealth.model.observation import Scalar
from nethealth.model.record import Record
from reports.document import Document
from reports.escape import visible
from reports.view import utc

COLUMNS = (
    "run", "run_started", "council", "site", "asset", "check", "probe", "target", "outcome",
    "check_failure", "reason", "observation", "name", "value", "unit", "t_s", "samples",
    "interval_low", "interval_high", "failure", "method",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_csv(document: Document) -> bytes:
    """RFC 4180 in UTF-8; a check without an observation is a row of its own.

    Text that a spreadsheet would run as a formula starts with an apostrophe; numbers stay numbers.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns, rows = data_rows(document.record)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue().encode()


def data_rows(record: Record) -> tuple[tuple[str, ...], Iterable[tuple[Scalar, ...]]]:
    """The record's data as a table: observations, or for a period its figures by day."""
    if record.period is None:
        return COLUMNS, observation_rows(record)
    from reports import period_rows  # noqa: PLC0415 - shapes that only a period has

    return period_rows.COLUMNS, period_rows.period_rows(record)


def cell(value: Scalar) -> str:
    """One field; null is empty, and only text can be defused."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return visible(f"'{value}" if value.startswith(_FORMULA) else value)


def observation_rows(record: Record) -> list[tuple[Scalar, ...]]:
    """One row for each observation, and one for each check that has none."""
    checks = {check.id: check for check in record.checks}
    started = f"{utc(record.run.started):%Y-%m-%dT%H:%M:%SZ}"
    rows: list[tuple[Scalar, ...]] = []
    observed: set[str] = set()
    for seen in record.observations:
        observed.add(seen.check)
        low, high = seen.interval or (None, None)
        rows.append(
            (
                record.run.id,
                started,
                *_check(checks.get(seen.check), seen.check),
                seen.id,
                seen.name,
                seen.value,
                seen.unit,
                seen.t_s,
                seen.samples,
                low,
                high,
                seen.failure.value if seen.failure else None,
                "; ".join(f"{key}={_method(found)}" for key, found in seen.method.items()),
            )
        )
    rows.extend(
        (record.run.id, started, *_check(check, check.id), *(None,) * 10)
        for check in record.checks
        if check.id not in observed
    )
    return rows


def _check(check: CheckResult | None, check_id: str) -> tuple[Scalar, ...]:
    if check is None:
        return (None, None, None, check_id, *(None,) * 5)
    return (
        check.council,
        check.site,
        check.asset,
        check.id,
        check.probe,
        check.target,
        check.outcome.value,
        check.failure.value if check.failure else None,
        check.reason,
    )


def _method(found: object) -> str:
    if isinstance(found, list | tuple):
        return " ".join("null" if item is None else str(item) for item in found)
    return "null" if found is None else str(found)
