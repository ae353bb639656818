"""`nethealth capture read`: what recorded packets say of the telephony and the network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import InputError
from nethealth.cli.given import inventory_if_any
from nethealth.cli.options import Output, inventory_option, output_options
from nethealth.cli.privacy import names_for, privacy_options

if TYPE_CHECKING:
    from nethealth.model.pseudonym import Names
    from nethealth.model.record import Privacy, Record


@click.command("read")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@inventory_option
@output_options
@privacy_options
@click.pass_context
def read(
    context: click.Context,
    files: tuple[str, ...],
    inventory: Path | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
    key_file: Path | None,
    reveal: str | None,
) -> None:
    """Read captures and judge what they hold.

    FILE is pcap or pcapng, gzipped or not, a folder of them, or - for standard input. Several
    are one timeline. What is whole of a damaged file is read, and where it stops is said.
    """
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    from nethealth.cli.run import finish  # noqa: PLC0415

    names, privacy = names_for(key_file, reveal, apart_from=asked.path)
    record = _record(files, inventory, names, privacy)
    context.exit(finish(record, asked, what="capture", named=True))


def _record(
    files: tuple[str, ...], inventory: Path | None, names: "Names", privacy: "Privacy"
) -> "Record":
    from dataclasses import replace  # noqa: PLC0415
    from secrets import token_hex  # noqa: PLC0415

    from nethealth import __version__, diagnosis  # noqa: PLC0415
    from nethealth.model.check import CaptureParameters, Check, CheckResult  # noqa: PLC0415
    from nethealth.model.inventory import Inventory  # noqa: PLC0415
    from nethealth.model.record import Record, Run, Settings, Tool  # noqa: PLC0415
    from probes.capture.read import read_captures  # noqa: PLC0415
    from probes.capture.sources import SourceError  # noqa: PLC0415
    from probes.clock_state import clock_state  # noqa: PLC0415
    from probes.net import SystemClock  # noqa: PLC0415

    known = inventory_if_any(inventory) or Inventory()
    clock = SystemClock()
    started = clock.wall_utc()
    check = Check(
        id="capture",
        probe="capture",
        council=None,
        site=None,
        asset=None,
        target=", ".join(files),
        parameters=CaptureParameters(files),
    )
    try:
        result = read_captures(check, names)
    except SourceError as error:
        raise InputError(str(error)) from None
    finished = clock.wall_utc()
    for file in result.files:
        if file.reason is not None:
            click.echo(f"nethealth: {file.name}: {file.reason}", err=True)
    record = Record(
        tool=Tool(version=__version__),
        run=Run(
            id=f"{started:%Y%m%dT%H%M%SZ}-{token_hex(3)}",
            kind="capture",
            vantage=known.vantage.id,
            started=started,
            finished=finished,
            clock=clock_state(),
            privacy=privacy,
        ),
        inventory=known,
        settings=Settings(thresholds=known.thresholds, sweep=known.sweep),
        checks=(
            CheckResult(
                id=check.id,
                probe=check.probe,
                council=None,
                site=None,
                asset=None,
                target=check.target,
                outcome=result.completion.outcome,
                failure=result.completion.failure,
                reason=result.completion.reason,
                started_s=0.0,
                finished_s=(finished - started).total_seconds(),
            ),
        ),
        observations=result.observations,
    )
    return replace(record, findings=diagnosis.judge(record))
