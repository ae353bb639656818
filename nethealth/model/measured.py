"""Whether a run says anything at all: the one rule behind "not measured"."""

from collections.abc import Iterable

from nethealth.model.check import CheckResult
from nethealth.model.failure import Failure, Outcome
from nethealth.model.finding import Finding
from nethealth.model.record import Record

_SAYS_NOTHING = (Failure.INTERRUPTED, Failure.RESOLVE)


def was_measured(check: CheckResult) -> bool:
    """Whether the check says anything of its target.

    A failure does; an interruption does not, nor does a name that gave no address to ask.
    """
    return check.outcome is not Outcome.NOT_RUN and check.failure not in _SAYS_NOTHING


def vantage_cut_off(findings: Iterable[Finding]) -> bool:
    """Whether the findings say that the measuring machine itself had no link."""
    return any(
        finding.code == "instrument-limited" and finding.id.endswith(":link")
        for finding in findings
    )


def not_measured(record: Record, *, named: bool) -> bool:
    """Whether "nothing found" would mean nothing: no check says anything of its target.

    `named`: the user named each check, so that one which could not run is itself enough.
    """
    return (
        not any(map(was_measured, record.checks))
        or vantage_cut_off(record.findings)
        or (named and any(check.outcome is Outcome.NOT_RUN for check in record.checks))
    )
