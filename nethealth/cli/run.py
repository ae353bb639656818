"""The end of every command that has a record: render, deliver, and say how it went."""

from collections.abc import Sequence

import click

from nethealth.cli.exits import exit_code
from nethealth.cli.options import Output
from nethealth.cli.output import deliver
from nethealth.model.finding import Finding
from nethealth.model.record import Record, Run
from nethealth.store import Store, StoreError


def finish(
    record: Record,
    output: Output,
    *,
    what: str,
    named: bool = False,
    previous: Sequence[Finding] | None = None,
) -> int:
    """Write the record's reports; the exit code."""
    written = deliver(record, output, what=what, previous=previous)
    if output.quiet and written:
        deliver(record, output.to_terminal(), what=what, previous=previous)
    elif written:
        for place in written:
            click.echo(place)
    if output.formats == ("nagios",):
        from reports.nagios import exit_code as nagios_code  # noqa: PLC0415

        return nagios_code(record)
    return exit_code(record, output.fail_on, named=named)


def previous_findings(store: Store | None, run: Run) -> Sequence[Finding] | None:
    """What the run before this one found; None, and a word on stderr, if that cannot be read."""
    if store is None:
        return None
    try:
        return store.previous_findings(run)
    except StoreError as error:
        click.echo(f"nethealth: cannot compare with history: {error}", err=True)
        return None
