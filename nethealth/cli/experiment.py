"""`nethealth experiment`: what is to be tested, written down first; then tested, and only then."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import DEFAULT_INVENTORY, load_inventory, opened_store
from nethealth.cli.options import Output, inventory_option, output_options, store_option

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nethealth.diagnosis.attribution.verdicts import History
    from nethealth.model.finding import Finding
    from nethealth.model.hypothesis import HypothesisFile, Outcome
    from nethealth.model.inventory import Inventory
    from nethealth.model.observation import Event
    from nethealth.model.record import Record
    from nethealth.store import Registration, Store


@click.group()
def experiment() -> None:
    """Test whether the telephony's events go with the network's troubles, or not.

    A hypothesis is registered before the data that it is tested on, with the days at which it is
    looked at. A trial is drawn by lot; its schedule is what you switch by.
    """


@experiment.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@inventory_option
@store_option
def plan(file: Path, inventory: Path | None, store: str | None) -> None:
    """Register FILE (hypotheses and trials), and print when the trials are on and off.

    The text is stored with its SHA-256 and the time; data from before it do not count.
    """
    from datetime import UTC, datetime  # noqa: PLC0415
    from hashlib import sha256  # noqa: PLC0415

    from nethealth.diagnosis.attribution.trial import schedule  # noqa: PLC0415
    from nethealth.inventory import decode  # noqa: PLC0415
    from nethealth.store import Registration  # noqa: PLC0415

    known = load_inventory(inventory or DEFAULT_INVENTORY)
    data = _read(file)
    read = _parse(decode(data, name=str(file)), str(file))
    _check_sites(read, known, file)
    one = Registration(sha256(data).hexdigest(), datetime.now(UTC), data.decode("utf-8-sig"))
    with opened_store(store) as history:
        if history.register(one):
            click.echo(f"registered {one.registered:%Y-%m-%dT%H:%M:%SZ} sha256 {one.sha256}")
        else:
            first = next(each for each in history.registrations() if each.sha256 == one.sha256)
            when = f"{first.registered:%Y-%m-%dT%H:%M:%SZ}"
            click.echo(f"was registered {when} sha256 {one.sha256}; that stands")
    for hypothesis in read.hypothesis:
        looks = ", ".join(look.isoformat() for look in hypothesis.looks)
        click.echo(f"{hypothesis.id}: looked at after {looks}")
    for trial in read.trial:
        click.echo(f"{trial.id}: {trial.switch}")
        for half in schedule(trial, known.vantage.timezone, read.holidays):
            state = "ON " if half.on else "off"
            click.echo(f"  {half.start:%a %Y-%m-%d %H:%M} to {half.end:%H:%M}  {state}")


@experiment.command()
@inventory_option
@store_option
@output_options
@click.pass_context
def analyse(
    context: click.Context,
    inventory: Path | None,
    store: str | None,
    formats: str | None,
    output: Path | None,
    fail_on: str,
    quiet: bool,
    verbose: bool,
) -> None:
    """Test everything that is registered and due, on the stored history, offline."""
    asked = Output.of(formats, output, fail_on, quiet, verbose)
    from nethealth.cli.run import finish  # noqa: PLC0415

    known = load_inventory(inventory or DEFAULT_INVENTORY)
    with opened_store(store) as history:
        registered = history.registrations()
        if not registered:
            usage("nothing is registered: `nethealth experiment plan FILE` does it")
        record = _record(known, history, registered)
    context.exit(finish(record, asked, what="experiment"))


def _record(known: "Inventory", store: "Store", registered: "Sequence[Registration]") -> "Record":
    from datetime import UTC, datetime  # noqa: PLC0415
    from secrets import token_hex  # noqa: PLC0415

    from nethealth import __version__  # noqa: PLC0415
    from nethealth.diagnosis.attribution.trials import judge_trials  # noqa: PLC0415
    from nethealth.diagnosis.attribution.verdicts import judge_hypotheses  # noqa: PLC0415
    from nethealth.model.record import Record, Run, Settings, Source, Tool  # noqa: PLC0415

    now = datetime.now(UTC)
    findings: list[Finding] = []
    seen: dict[str, Event] = {}
    history = _history(store, known, seen)
    for one in registered:
        file = _parse(one.body, f"registration {one.sha256[:12]}")
        findings += judge_hypotheses(file, one.registered, now, history)
        findings += judge_trials(file, one.registered, now, history)
    return Record(
        tool=Tool(version=__version__),
        run=Run(
            id=f"{now:%Y%m%dT%H%M%SZ}-{token_hex(3)}", kind="diagnose",
            vantage=known.vantage.id, started=now, finished=now,
        ),
        inventory=known,
        settings=Settings(thresholds=known.thresholds, sweep=known.sweep),
        sources=tuple(Source("registration", one.sha256) for one in registered),
        events=tuple(seen.values()),
        findings=tuple(sorted(findings, key=lambda one: (-one.severity.rank, one.id))),
    )  # fmt: skip


def _history(store: "Store", known: "Inventory", seen: "dict[str, Event]") -> "History":
    """The store as a history; the events that were asked for are gathered in `seen`."""
    from nethealth.diagnosis.attribution.verdicts import History  # noqa: PLC0415

    def outcome(site: str, name: "Outcome") -> "list[tuple[datetime, float]]":
        return [
            (point.time, float(point.value))
            for point in store.series((name,), site=site)
            if isinstance(point.value, int | float)
            and not isinstance(point.value, bool)
            # One direction alone, or one class, is another series than the round trip.
            and point.method.get("direction", "round-trip") == "round-trip"
        ]

    def events(kind: str, site: str) -> "Sequence[Event]":
        found = store.events((kind,), site=site)
        seen.update({one.id: one for one in found})
        return found

    return History(outcome, events, known, known.vantage.timezone)


def _parse(text: str, name: str) -> "HypothesisFile":
    from nethealth.diagnosis.attribution.parsing import parse_hypotheses  # noqa: PLC0415
    from nethealth.inventory import InventoryError  # noqa: PLC0415

    try:
        return parse_hypotheses(text, name=name)
    except InventoryError as error:
        raise InputError(f"the file has {len(error.faults)} errors\n{error}") from None


def _check_sites(file: "HypothesisFile", known: "Inventory", path: Path) -> None:
    sites = {site.id for site in known.site}
    wanted = {one.site for one in file.trial}
    for one in file.hypothesis:
        wanted |= {one.site, one.exposure_site or one.site, *one.controls}
    if unknown := sorted(wanted - sites):
        allowed = ", ".join(sorted(sites))
        usage(f"{path}: found the sites {', '.join(unknown)}; allowed: {allowed}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
