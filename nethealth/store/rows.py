"""Values of the model to columns and back; what comes back equals what went in.

Two kinds of value need a mark, kept in `form`, because SQLite has no type for them. Not-a-number
becomes null: it is nothing that was measured.
"""

from collections.abc import Sequence
from typing import Any

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.observation import Interval, Scalar

PLAIN, BOOLEAN, WIDE_INTEGER = range(3)
_WIDEST = 2**63

Column = str | int | float | None


def value_to_columns(value: Scalar) -> tuple[Column, int]:
    """The value and its form."""
    match value:
        case bool():
            return int(value), BOOLEAN
        case int() if not -_WIDEST <= value < _WIDEST:
            return hex(value), WIDE_INTEGER  # as a peer may put into a Retry-After
        case str():
            return clean(value), PLAIN
        case _:
            return value, PLAIN


def value_from_columns(value: Column, form: int) -> Scalar:
    """The inverse of `value_to_columns`."""
    if form == BOOLEAN:
        return bool(value)
    if form == WIDE_INTEGER:
        return int(str(value), 16)
    return value


def clean(text: str) -> str:
    """Without half surrogate pairs, which no database can hold."""
    return text.encode("utf-8", "replace").decode()


def check_to_columns(result: CheckResult) -> tuple[Column, ...]:
    """The fields of CheckResult, in its order."""
    return (
        result.id, result.probe, result.council, result.site, result.asset, result.target,
        result.outcome.value, result.failure.value if result.failure else None,
        clean(result.reason) if result.reason is not None else None,
        result.started_s, result.finished_s,
    )  # fmt: skip


def check_from_columns(row: Sequence[Any]) -> CheckResult:
    """The inverse of `check_to_columns`."""
    id_, probe, council, site, asset, target, outcome, failure, reason, started_s, finished_s = row
    return CheckResult(
        id_, probe, council, site, asset, target, Outcome(outcome), failure_from_column(failure),
        reason, started_s, finished_s,
    )  # fmt: skip


def failure_from_column(text: str | None) -> Failure | None:
    return None if text is None else Failure(text)


def interval_from_columns(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else (low, high)
