"""`nethealth capture read`: what recorded packets say of the telephony and the network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.durations import duration
from nethealth.cli.exits import InputError, NotMeasured
from nethealth.cli.given import inventory_if_any
from nethealth.cli.options import Output, inventory_option, output_options
from nethealth.cli.privacy import names_for, privacy_options

if TYPE_CHECKING:
    from nethealth.model.inventory import Inventory, Site
    from nethealth.model.privacy import Privacy
    from nethealth.model.pseudonym import Names
    from nethealth.model.record import Record
    from probes.capture.read import EngineName
    from probes.capture.worker import ReadingProcess

CHECK_ID = "capture"
BIN_MIN_S, BIN_MAX_S = 1, 86_400


def bin_width(context: click.Context, parameter: click.Parameter, value: str) -> float:
    """A width between a second and a day."""
    width_s = duration(context, parameter, value)
    if width_s is None or not BIN_MIN_S <= width_s <= BIN_MAX_S:
        raise click.BadParameter(f"found {value!r}; allowed: 1s to 1d", context, parameter)
    return width_s


@click.command("read")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option(
    "--engine",
    type=click.Choice(("auto", "numpy", "numba")),
    default="auto",
    show_default=True,
    help="What computes: numba, which comes with nethealth[fast], takes large files.",
)
@click.option(
    "--bin",
    "bin_s",
    metavar="DURATION",
    default="10s",
    show_default=True,
    callback=bin_width,
    help="How wide the bins of series over time are, 1s to 1d.",
)
@inventory_option
@click.option(
    "--site",
    metavar="ID",
    default=None,
    help="Where it was taken, a site of the inventory: it is then judged beside what else is "
    "known of it.",
)
@click.option(
    "--store",
    metavar="URL",
    default=None,
    help="Keep the record in this history too (sqlite:///PATH), beside the sweeps.",
)
@output_options
@privacy_options
@click.pass_context
def read(
    context: click.Context,
    files: tuple[str, ...],
    engine: "EngineName",
    bin_s: float,
    inventory: Path | None,
    site: str | None,
    store: str | None,
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
    names, privacy = names_for(key_file, reveal, apart_from=asked.path)
    reading = _begin(context, files, names, engine, bin_s)
    # While that goes on in its own process, this one loads what the report will need.
    from nethealth.cli.run import finish  # noqa: PLC0415
    from nethealth.model import codec  # noqa: PLC0415

    if asked.formats == ("json",):
        codec.prepare()
    else:
        import reports  # noqa: F401, PLC0415

    record = _record(files, inventory, site, reading, privacy)
    if store is not None:
        _keep(store, record)
    code = finish(record, asked, what="capture", named=True)
    reading.end()
    context.exit(code)


def _keep(url: str, record: "Record") -> None:
    """Put the record into the history, where `diagnose --since` and `experiment` find it."""
    from nethealth.cli.given import opened_store  # noqa: PLC0415
    from nethealth.store import StoreError  # noqa: PLC0415

    with opened_store(url) as store:
        try:
            store.begin(record)
            store.finish(record)
        except StoreError as error:
            raise InputError(f"the capture is not in the history: {error}") from None


def _begin(
    context: click.Context,
    files: tuple[str, ...],
    names: "Names",
    engine: "EngineName",
    bin_s: float,
) -> "ReadingProcess":
    """Let the files be read, by the process that may have been begun for it."""
    from probes.capture.sources import SourceError, expand  # noqa: PLC0415
    from probes.capture.worker import ReadingProcess  # noqa: PLC0415

    try:
        found = expand(files)
    except SourceError as error:
        raise InputError(str(error)) from None
    begun = context.find_object(ReadingProcess)
    reading = begun if begun is not None else ReadingProcess()
    reading.begin(CHECK_ID, found, names, engine, bin_s)
    return reading


def _record(
    files: tuple[str, ...],
    inventory: Path | None,
    site: str | None,
    reading: "ReadingProcess",
    privacy: "Privacy",
) -> "Record":
    from dataclasses import replace  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415
    from secrets import token_hex  # noqa: PLC0415

    from nethealth import __version__, diagnosis  # noqa: PLC0415
    from nethealth.model.check import CheckResult  # noqa: PLC0415
    from nethealth.model.inventory import Inventory  # noqa: PLC0415
    from nethealth.model.record import Record, Run, Settings, Tool  # noqa: PLC0415
    from probes.capture.sources import SourceError  # noqa: PLC0415
    from probes.capture.worker import WorkerError  # noqa: PLC0415
    from probes.clock_state import clock_state  # noqa: PLC0415

    started = datetime.now(UTC)
    known = inventory_if_any(inventory) or Inventory()
    where = _site(known, site)
    try:
        result = reading.result()
    except SourceError as error:
        raise InputError(str(error)) from None
    except WorkerError as error:
        raise NotMeasured(str(error)) from None
    finished = datetime.now(UTC)
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
                id=CHECK_ID,
                probe="capture",
                council=where.council if where else None,
                site=where.id if where else None,
                asset=None,
                target=", ".join(files),
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


def _site(inventory: "Inventory", site: str | None) -> "Site | None":
    """The inventory's site of this id; InputError where it has none."""
    if site is None:
        return None
    for one in inventory.site:
        if one.id == site:
            return one
    known = ", ".join(one.id for one in inventory.site) or "no site at all"
    raise InputError(f"--site {site}: the inventory has {known}; name one of them with -i")
