"""The end of `nethealth report --since`: render the period, deliver it, and say how it went."""

from pathlib import Path
from typing import TYPE_CHECKING

from nethealth.cli.exits import usage
from nethealth.cli.options import Output
from nethealth.cli.output import deliver, keep_what_is_there
from nethealth.cli.period import Wanted, finished, now, period_record

if TYPE_CHECKING:
    from nethealth.model.look import Look

WHAT = "period"
_OF_RUNS = ("nagios", "prometheus")


def report_period(
    wanted: Wanted,
    records: tuple[Path, ...],
    store: str | None,
    case_file: Path | None,
    output: Output,
    *,
    force: bool,
    look: "Look | None" = None,
) -> int:
    """Write the period's reports; the exit code."""
    refuse_formats_of_runs(output)
    made = now()
    # The name says when it was made, so that it is known before anything is worked out.
    keep_what_is_there(output, made, WHAT, force=force)
    record = period_record(wanted, records, store, made)
    if case_file is not None:
        from nethealth.cli.given import with_case  # noqa: PLC0415

        record = with_case(record, case_file)
    deliver(record, output, what=WHAT, look=look)
    return finished(record, output.fail_on)


def refuse_formats_of_runs(output: Output) -> None:
    """End the command with 2 for a format that a period has not."""
    if refused := [name for name in output.formats if name in _OF_RUNS]:
        usage(f"--format {', '.join(refused)} tells the state of one run, not of a period")
