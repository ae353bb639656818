"""Exit codes of the contract, and the errors that lead to them."""

import os
import traceback
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from nethealth.model.record import Record

HEALTHY = 0
FOUND = 1
USAGE = 2
NOT_MEASURED = 3

FAIL_ON = ("info", "warning", "critical", "never")


class InputError(click.ClickException):
    """Something the user gave is wrong: the message says what, where, and what to do."""

    exit_code = USAGE

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"nethealth: {self.format_message()}", err=True)


class NotMeasured(InputError):
    """Nothing could be measured, and why."""

    exit_code = NOT_MEASURED


class InternalError(InputError):
    """The program itself failed; NETHEALTH_TRACEBACK=1 shows where, for a report of the fault."""

    exit_code = NOT_MEASURED

    def __init__(self, error: BaseException) -> None:
        self._error = error
        first, *_ = [*str(error).splitlines(), ""]
        super().__init__(
            f"a fault of nethealth itself: {type(error).__name__}: {first[:300]} "
            "(what was measured until then is in the history; NETHEALTH_TRACEBACK=1 shows more)"
        )

    def show(self, file: IO[Any] | None = None) -> None:
        if os.environ.get("NETHEALTH_TRACEBACK"):
            traceback.print_exception(self._error)
        super().show(file)


def usage(message: str) -> NoReturn:
    """Stop with exit code 2."""
    raise InputError(message)


def exit_code(record: "Record", fail_on: str, *, named: bool) -> int:
    """1 for findings at or above `fail_on`, else 3 where nothing was measured, else 0.

    `named`: the user named each check, so one that could not run is itself a 3.
    """
    from nethealth.model.finding import Severity  # noqa: PLC0415
    from nethealth.model.measured import not_measured  # noqa: PLC0415

    if fail_on != "never":
        floor = Severity(fail_on).rank
        if any(finding.severity.rank >= floor for finding in record.findings):
            return FOUND
    if not record.checks and record.findings:
        return HEALTHY  # judged from history: every question has its finding
    return NOT_MEASURED if not_measured(record, named=named) else HEALTHY
