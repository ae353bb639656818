"""The end of every command that has a record: render, deliver, and say how it went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import exit_code
from nethealth.cli.options import Output
from nethealth.cli.output import deliver

if TYPE_CHECKING:
    from nethealth.model.finding import Finding
    from nethealth.model.look import Look
    from nethealth.model.record import Record
    from nethealth.store import Store


def finish(
    record: "Record",
    output: Output,
    *,
    what: str,
    named: bool = False,
    previous: "Sequence[Finding] | None" = None,
    look: "Look | None" = None,
) -> int:
    """Write the record's reports; the exit code."""
    deliver(record, output, what=what, previous=previous, look=look)
    if output.formats == ("nagios",):
        from reports.nagios import exit_code as nagios_code  # noqa: PLC0415

        return nagios_code(record)
    return exit_code(record, output.fail_on, named=named)


def previous_findings(store: "Store | None", record: "Record") -> "Sequence[Finding] | None":
    """What the run before this one found at the places that this one measured.

    None where there is no such run, or, with a word on stderr, where it cannot be read.
    """
    if store is None:
        return None
    from nethealth.plan import base_id  # noqa: PLC0415
    from nethealth.store import StoreError  # noqa: PLC0415

    checks = {base_id(check.id) for check in record.checks}
    try:
        found = store.previous_findings(record.run, checks)
    except StoreError as error:
        click.echo(f"nethealth: cannot compare with history: {error}", err=True)
        return None
    if found is None:
        return None
    sites = {check.site for check in record.checks}
    assets = {check.asset for check in record.checks}
    return [
        finding
        for finding in found
        # What was not looked at again has not cleared.
        if (finding.asset in assets if finding.asset else finding.site in {*sites, None})
    ]
