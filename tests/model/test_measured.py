"""Whether a run says anything at all: by the contract, exit code 3 where it does not."""

from datetime import UTC, datetime

import pytest

from nethealth.cli.exits import exit_code
from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.measured import not_measured
from nethealth.model.record import Record, Run, RunKind, Tool
from reports.nagios import exit_code as nagios_code

Ended = tuple[Outcome, Failure | None]

FINE: Ended = (Outcome.COMPLETED, None)
REFUSED: Ended = (Outcome.FAILED, Failure.REFUSED)
NAMELESS: Ended = (Outcome.FAILED, Failure.RESOLVE)
BROKEN_OFF: Ended = (Outcome.FAILED, Failure.INTERRUPTED)
NEVER_RAN: Ended = (Outcome.NOT_RUN, None)


def record(kind: RunKind, *ends: Ended) -> Record:
    checks = [
        CheckResult(f"{n}:ping", "ping", None, None, None, f"198.18.0.{n}", outcome, failure)
        for n, (outcome, failure) in enumerate(ends)
    ]
    run = Run("r", kind, "desk", datetime(2026, 11, 22, tzinfo=UTC))
    return Record(tool=Tool("1"), run=run, checks=tuple(checks))


@pytest.mark.parametrize(
    ("kind", "ends", "expected"),
    [
        ("sweep", [FINE], False),
        ("sweep", [REFUSED], False),  # a failure says something
        ("sweep", [], True),
        ("sweep", [NEVER_RAN, NAMELESS, BROKEN_OFF], True),
        ("sweep", [FINE, NEVER_RAN, NAMELESS, BROKEN_OFF], False),
        ("check", [FINE, NAMELESS], False),
        ("check", [FINE, NEVER_RAN], True),  # the user named it, and it did not run
    ],
)
def test_the_two_exit_codes_follow_one_rule(
    kind: RunKind, ends: list[Ended], expected: bool
) -> None:
    found = record(kind, *ends)
    named = kind == "check"
    assert not_measured(found, named=named) is expected
    code = 3 if expected else 0
    assert (exit_code(found, "warning", named=named), nagios_code(found)) == (code, code)
