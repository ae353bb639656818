"""`nethealth import syslog` and `import calls`: what happened, into the store."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TypeVar

import click

from nethealth.cli.exits import InputError, usage
from nethealth.cli.given import DEFAULT_INVENTORY, load_inventory, opened_store
from nethealth.cli.opened import opened, to_read_twice
from nethealth.cli.options import inventory_option, store_option
from nethealth.cli.privacy import names_for, privacy_options

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from nethealth.inventory.assets import Row
    from nethealth.inventory.events.call_map import CallMap
    from nethealth.inventory.events.messages import Tally
    from nethealth.inventory.events.places import Places
    from nethealth.inventory.events.rules import Rule
    from nethealth.model.inventory import Inventory
    from nethealth.model.observation import Event
    from nethealth.model.privacy import Privacy

RECORD_EVENTS_MAX = 50_000  # of one record; a longer history becomes several
_HOSTS_SHOWN_MAX = 20

F = TypeVar("F", bound=Callable[..., Any])


def _event_options(command: F) -> F:
    """What both commands take."""
    for option in (
        store_option,
        inventory_option,
        click.option("--dry-run", is_flag=True, help="Only tell what would be kept."),
        click.option(
            "--clock-error",
            "clock_error_s",
            type=click.FloatRange(0, 86400),
            metavar="SECONDS",
            default=None,
            help="How far the times may be off.  [default: what the messages tell, or unknown]",
        ),
        click.option(
            "--site", metavar="ID", default=None, help="The site of what nothing else places."
        ),
        click.option(
            "--timezone",
            metavar="NAME",
            default=None,
            help="Of times that have none.  [default: the vantage's]",
        ),
        click.argument("files", metavar="FILE…", nargs=-1, required=True),
    ):
        command = option(command)
    return command


@click.command()
@_event_options
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A TOML file of rules, [[rule]] match and kind, before those that are built in.",
)
@click.option(
    "--year",
    type=click.IntRange(1990, 2100),
    default=None,
    help="Of each file's first message, where times have none.  [default: by the file's age]",
)
def syslog(
    files: tuple[str, ...],
    timezone: str | None,
    site: str | None,
    clock_error_s: float | None,
    dry_run: bool,
    inventory: Path | None,
    store: str | None,
    map_file: Path | None,
    year: int | None,
) -> None:
    """Find events in syslog FILEs (RFC 5424 or 3164, gzipped or not, - for standard input).

    No message is kept: only what happened, when and where. What is no syslog is counted, and the
    first lines are named.
    """
    from nethealth.inventory.events.messages import SyslogReader, first_year  # noqa: PLC0415
    from nethealth.model.privacy import Privacy  # noqa: PLC0415

    given = _Given.of(inventory, timezone, site)
    reader = SyslogReader(_rules(map_file), given.places, given.zone, clock_error_s)

    def events(file: BinaryIO, name: str, tally: "Tally") -> "Iterator[Event]":
        start = year
        if start is None:
            with opened(name) as (before, _):
                start = first_year(before, _age(name), given.zone)
        return reader.events(file, start, tally)

    _import(files, events, given, Privacy(), store, "messages", dry_run=dry_run)


@click.command()
@_event_options
@click.option(
    "--map",
    "map_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="A TOML file that names your columns, the form of times, and sites by number.",
)
@privacy_options
def calls(
    files: tuple[str, ...],
    timezone: str | None,
    site: str | None,
    clock_error_s: float | None,
    dry_run: bool,
    inventory: Path | None,
    store: str | None,
    map_file: Path | None,
    key_file: Path | None,
    reveal: str | None,
) -> None:
    """Take the calls of call detail records FILEs (CSV or XLSX, - for CSV on standard input).

    The columns of Asterisk, 3CX, Cisco Unified CM and Avaya IP Office are known. Numbers become
    tokens before anything is kept.
    """
    from nethealth.inventory.events.calls import CallReader  # noqa: PLC0415

    given = _Given.of(inventory, timezone, site)
    map_ = _call_map(map_file, given.inventory)
    names, privacy = names_for(key_file, reveal)
    reader = CallReader(map_, given.places, given.zone, names, clock_error_s)

    def events(file: BinaryIO, name: str, tally: "Tally") -> "Iterator[Event]":
        return reader.events(_rows(file, name, map_), tally)

    _import(files, events, given, privacy, store, "calls", dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _Given:
    """Where and in which time zone what has happened is to be placed."""

    inventory: "Inventory"
    zone: "tzinfo"
    places: "Places"

    @classmethod
    def of(cls, inventory: Path | None, timezone: str | None, site: str | None) -> "_Given":
        from nethealth.inventory.events.places import Places  # noqa: PLC0415
        from nethealth.inventory.hours import zone  # noqa: PLC0415

        known = load_inventory(inventory or DEFAULT_INVENTORY)
        sites = [one.id for one in known.site]
        if site is not None and site not in sites:
            usage(f"--site: found {site!r}; allowed: {', '.join(sites) or 'none'}")
        try:
            local = zone(timezone or known.vantage.timezone)
        except ValueError:
            usage(f"--timezone: found {timezone!r}; allowed: a name such as Europe/London")
        return cls(known, local, Places(known, site))


@dataclass(slots=True)
class _Result:
    """What came of all files; `broken` are those that could not be read whole."""

    tallies: "dict[str, Tally]" = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def _import(
    files: tuple[str, ...],
    events: "Callable[[BinaryIO, str, Tally], Iterator[Event]]",
    given: _Given,
    privacy: "Privacy",
    store: str | None,
    what: str,
    *,
    dry_run: bool,
) -> None:
    """Read all files into the store; what was read of a broken one is kept."""
    if len(set(files)) < len(files):
        usage("a file is named twice")
    result = _Result()
    found = _all(files, events, result)
    runs: list[str] = []
    if dry_run:
        for _ in found:
            pass
    else:
        runs = _keep(found, given, privacy, store)
    _tell(result, given, what)
    if runs:
        click.echo(f"kept as {', '.join(runs)}")
    elif not dry_run:
        click.echo("nothing to keep")
    if result.broken:
        raise InputError("\n".join(result.broken))
    if not any(tally.read for tally in result.tallies.values()):
        _nothing(result, what)


def _all(
    files: tuple[str, ...],
    events: "Callable[[BinaryIO, str, Tally], Iterator[Event]]",
    result: _Result,
) -> "Iterator[Event]":
    from nethealth.inventory.assets import AssetFileError  # noqa: PLC0415
    from nethealth.inventory.events.calls import CallError  # noqa: PLC0415
    from nethealth.inventory.events.messages import Tally  # noqa: PLC0415

    for name in files:
        tally = result.tallies[name] = Tally()
        try:
            with to_read_twice(name) as path, opened(path) as (file, whole):
                yield from events(file, path, tally)
                if whole.fault is not None:
                    result.broken.append(f"{name}: {whole.fault}; it is read until there")
        except OSError as error:
            said = f"{name}: {error.strerror}" if error.strerror else str(error)
            result.broken.append(f"cannot read {said}")
        except (AssetFileError, CallError) as error:
            result.broken.append(f"{name}: {error}")


def _keep(
    found: "Iterator[Event]", given: _Given, privacy: "Privacy", store: str | None
) -> list[str]:
    """One record for each 50,000 events, so that none is larger than memory."""
    from datetime import UTC, datetime  # noqa: PLC0415
    from itertools import islice  # noqa: PLC0415
    from secrets import token_hex  # noqa: PLC0415

    from nethealth import __version__  # noqa: PLC0415
    from nethealth.model.record import Record, Run, Settings, Tool  # noqa: PLC0415
    from nethealth.store import StoreError  # noqa: PLC0415

    known = given.inventory
    runs: list[str] = []
    with opened_store(store) as history:
        while True:
            started = datetime.now(UTC)
            part = tuple(islice(found, RECORD_EVENTS_MAX))
            if not part:
                return runs
            record = Record(
                tool=Tool(version=__version__),
                run=Run(
                    id=f"{started:%Y%m%dT%H%M%SZ}-{token_hex(3)}", kind="import",
                    vantage=known.vantage.id, started=started, finished=datetime.now(UTC),
                    privacy=privacy,
                ),
                inventory=known,
                settings=Settings(thresholds=known.thresholds, sweep=known.sweep),
                events=part,
            )  # fmt: skip
            try:
                history.begin(record)
                history.finish(record)
            except StoreError as error:
                raise InputError(str(error)) from None
            runs.append(record.run.id)


def _tell(result: _Result, given: _Given, what: str) -> None:
    tallies = result.tallies.values()
    kinds = sum((tally.events for tally in tallies), Counter[str]())
    read, repeated = sum(one.read for one in tallies), sum(one.repeated for one in tallies)
    click.echo(f"{read} {what} read, {kinds.total()} events, {repeated} told twice")
    for kind, count in sorted(kinds.items()):
        click.echo(f"  {kind:24} {count}")
    for name, tally in result.tallies.items():
        for number, reason in tally.unread:
            click.echo(f"nethealth: {name}:{number}: not read: {reason}", err=True)
        if (more := tally.refused - len(tally.unread)) > 0:
            click.echo(f"nethealth: {name}: {more} more not read", err=True)
        if tally.cut:
            click.echo(f"nethealth: {name}: {tally.cut} cut after 8192 octets", err=True)
    _tell_unknown(given.places)


def _tell_unknown(places: "Places") -> None:
    from nethealth.inventory.faults import printable  # noqa: PLC0415

    hosts = list(places.unknown.most())
    for host, count in hosts[:_HOSTS_SHOWN_MAX]:
        click.echo(f"nethealth: no asset for {printable(host)[:100]}: {count} events", err=True)
    rest = sum(count for _, count in hosts[_HOSTS_SHOWN_MAX:]) + places.unknown.others
    if rest:
        click.echo(f"nethealth: no asset for further hosts: {rest} events", err=True)


def _nothing(result: _Result, what: str) -> NoReturn:
    refused = sum(tally.refused for tally in result.tallies.values())
    raise InputError(f"no {what} in what was given; {refused} lines were not read")


def _rows(file: BinaryIO, name: str, map_: "CallMap") -> "Iterator[Row]":
    from nethealth.inventory.assets import rows_from_xlsx, stream_csv  # noqa: PLC0415
    from nethealth.inventory.assets.sheet import BYTES_MAX  # noqa: PLC0415
    from nethealth.inventory.events.call_map import headers_of  # noqa: PLC0415
    from nethealth.inventory.events.calls import register  # noqa: PLC0415

    if Path(name).suffix.lower() in {".xlsx", ".xlsm"}:
        return iter(rows_from_xlsx(file.read(BYTES_MAX + 1), register(map_)))
    return stream_csv(file, register(map_), headers_of)


def _rules(path: Path | None) -> "tuple[Rule, ...]":
    from nethealth.inventory import InventoryError, decode  # noqa: PLC0415
    from nethealth.inventory.events.builtin import BUILTIN  # noqa: PLC0415
    from nethealth.inventory.events.rules import compiled, parse_rules  # noqa: PLC0415

    if path is None:
        return BUILTIN
    try:
        file = parse_rules(decode(_read(path), name=str(path)), name=str(path))
    except InventoryError as error:
        raise InputError(f"the map has {len(error.faults)} errors\n{error}") from None
    return compiled(file) + (BUILTIN if file.builtin else ())


def _call_map(path: Path | None, known: "Inventory") -> "CallMap":
    from nethealth.inventory import InventoryError, decode  # noqa: PLC0415
    from nethealth.inventory.events.call_map import CallMap, parse_call_map  # noqa: PLC0415

    if path is None:
        return CallMap()
    try:
        file = parse_call_map(decode(_read(path), name=str(path)), name=str(path))
    except InventoryError as error:
        raise InputError(f"the map has {len(error.faults)} errors\n{error}") from None
    sites = {site.id for site in known.site}
    if unknown := sorted(set(file.sites.values()) - sites):
        usage(f"{path}: found the sites {', '.join(unknown)}; allowed: {', '.join(sorted(sites))}")
    return file


def _age(name: str) -> "datetime":
    """When the file was last written: no message of it is younger."""
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
